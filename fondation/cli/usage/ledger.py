"""The ledger that the usage commands read, as their options name it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from fondation.usage.periods import Period, parse_moment

db_option = click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="The ledger; by default the one of --file."
)
since_option = click.option(
    "--since", metavar="PERIOD", help="Calls that began since then: 30m, 24h, 7d, 2w, or a date (2026-11-01)."
)
until_option = click.option("--until", metavar="PERIOD", help="Calls that began before then.")


@dataclass(frozen=True, slots=True)
class Ledger:
    path: Path
    zone: tzinfo
    why_not_recorded: str | None = None
    """Why the project adds nothing to it, and what to do about it."""

    @property
    def is_made(self) -> bool:
        """Whether anything was ever recorded there. A file that cannot be read counts: nobody knows."""
        from fondation.usage.reading import NoLedger, NothingRecorded, open_to_read

        try:
            open_to_read(self.path).close()
        except NoLedger as error:
            return not isinstance(error, NothingRecorded)
        return True

    @contextlib.contextmanager
    def opened(self) -> Generator[sqlite3.Connection, None, None]:
        """The database, to be read. Where there is none the command ends, and says how to get one."""
        from fondation.usage.reading import NoLedger, open_to_read

        try:
            connection = open_to_read(self.path)
        except NoLedger as error:
            advice = self.why_not_recorded or "`fondation serve` and `fondation chat` make a ledger"
            raise click.ClickException(f"{error}.\n{advice}. --db FILE names another ledger.") from error
        with contextlib.closing(connection):
            try:
                yield connection
            except sqlite3.DatabaseError as error:
                raise click.ClickException(f"{self.path} cannot be read: {error}.") from error

    def nothing_found(self, connection: sqlite3.Connection) -> str:
        """What is said where no call passes the filters."""
        from fondation.usage.reports import count_calls

        if recorded := count_calls(connection):
            return f"No model call matches ({self.path} holds {recorded:,}): try a longer --since, or fewer filters."
        if self.why_not_recorded:
            return f"{self.path} holds no model calls: {self.why_not_recorded}."
        return f"{self.path} holds no model calls yet: send a message to `fondation serve`, or type `fondation chat`."


def find_ledger(context: click.Context) -> Ledger:
    """The database and the time zone that the project's file names; without one, fondation.db in this folder."""
    from fondation.config import database_file, load
    from fondation.usage.location import ledger_file, why_not_recorded

    db = _given(context, "db")
    file = _given(context, "file")
    if file is None and not context.params["file"].exists():
        return Ledger(db or database_file(None, Path(), os.environ), UTC)
    loaded = load(file or context.params["file"], check_imports=False)
    if loaded.config is None:
        if db:
            return Ledger(db, UTC)
        click.echo(loaded.report(), err=True)
        click.echo("Mend the file, or name the ledger itself with --db FILE.", err=True)
        sys.exit(1)
    zone = ZoneInfo(loaded.config.usage.timezone)
    return Ledger(db or ledger_file(loaded), zone, why_not_recorded(loaded))


def read_period(since: str | None, until: str | None, zone: tzinfo) -> Period:
    """The period that --since and --until name, as of now."""
    now = datetime.now(zone)
    ends = []
    for option, text in (("--since", since), ("--until", until)):
        try:
            ends.append(None if text is None else parse_moment(text, now))
        except ValueError as error:
            raise click.UsageError(f"{option}: {error}.") from error
    start, end = ends
    if start and end and start >= end:
        raise click.UsageError(f"--since {since} is not before --until {until}.")
    return Period(start, end)


def options_given(context: click.Context) -> list[str]:
    """The names of the parameters that were typed."""
    return [name for name in context.params if _is_given(context, name)]


def _given(context: click.Context, name: str) -> Any:
    """An option of the command, or of the one before it: `usage --db FILE explain` is `usage explain --db FILE`."""
    for level in (context, context.parent):
        if level is not None and name in level.params and _is_given(level, name):
            return level.params[name]
    return None


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
