"""`fondation usage`: what the model calls cost."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

import click

from fondation.cli.options import file_option
from fondation.usage.losses import loss_text, lost_rows
from fondation.usage.periods import Period, parse_moment
from fondation.usage.reading import NoLedger, open_to_read
from fondation.usage.reports import GROUPINGS, Filters, Report, report

Format: TypeAlias = Literal["table", "json", "csv"]


def _split(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """`--by day --by agent` and `--by day,agent` are the same."""
    names = [name.strip() for value in values for name in value.split(",")]
    for name in names:
        if name not in GROUPINGS:
            raise click.BadParameter(f'"{name}" is none of {", ".join(GROUPINGS)}.')
    return tuple(dict.fromkeys(names))


@click.command()
@click.option(
    "--since", metavar="PERIOD", help="Calls that began since then: 30m, 24h, 7d, 2w, or a date (2026-11-01)."
)
@click.option("--until", metavar="PERIOD", help="Calls that began before then.")
@click.option(
    "--by",
    multiple=True,
    default=("agent",),
    callback=_split,
    metavar="WHAT",
    help=f"Split by {', '.join(GROUPINGS)}; several with commas.  [default: agent]",
)
@click.option("--agent", help="Only calls that this agent made.")
@click.option("--model", help="Only calls that this model answered, or was asked to.")
@click.option("--user", help="Only calls for this user.")
@click.option("--session", help="Only calls in this session.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print.",
)
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), help="The ledger; by default the one of --file.")
@file_option
@click.pass_context
def command(
    context: click.Context,
    since: str | None,
    until: str | None,
    by: tuple[str, ...],
    agent: str | None,
    model: str | None,
    user: str | None,
    session: str | None,
    form: Format,
    db: Path | None,
    file: Path,
) -> None:
    """Show what the model calls cost.

    A period like 7d reaches back from now; a date is its midnight in the time zone of usage.timezone. The ledger is
    only read.

    Refused calls are counted apart, and simulated ones have a table of their own: neither they nor their tokens are in
    any other figure. A total that misses a cost says so.

    p50 and p95 are the times, until the last byte, that half and 95 percent of the answered calls took at most. A line
    of several models mixes fast ones with slow ones: split it with --by model.

    JSON and CSV name the figures runs, calls, refused, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
    cache_write_tokens, reasoning_tokens, cost (US dollars, null or empty where none is known), unknown_cost_calls,
    p50_ms and p95_ms, all of real calls alone, then simulated_runs, simulated (calls) and simulated_tokens. JSON has
    groups and total apart; in CSV the first column, row, is group or total.

    Exit codes: 0 fine (also when no call is found), 1 there is no ledger, 2 wrong usage of the command.
    """
    ledger = _find_ledger(file, db, is_default=_is_default(context, "file"))
    period = _read_period(since, until, ledger.zone)
    try:
        with contextlib.closing(open_to_read(ledger.path)) as connection:
            filters = Filters(period, agent=agent, model=model, user=user, session=session)
            result = report(connection, filters, by, ledger.zone)
            lost = lost_rows(connection, period)
    except NoLedger as error:
        advice = ledger.why_not_recorded or "`fondation serve` and `fondation chat` make a ledger"
        raise click.ClickException(f"{error}.\n{advice}. --db FILE names another ledger.") from error
    _show(result, period, ledger, form)
    if lost:
        click.echo(loss_text(lost), err=True)


@dataclass(frozen=True, slots=True)
class _Ledger:
    path: Path
    zone: tzinfo
    why_not_recorded: str | None = None
    """Why the project adds nothing to it, and what to do about it."""


def _is_default(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.DEFAULT


def _find_ledger(file: Path, db: Path | None, is_default: bool) -> _Ledger:
    """The database and the time zone that the project's file names; without one, fondation.db in this folder."""
    from fondation.config import database_file, load
    from fondation.usage.location import ledger_file, why_not_recorded

    if is_default and not file.exists():
        return _Ledger(db or database_file(None, Path(), os.environ), UTC)
    loaded = load(file, check_imports=False)
    if loaded.config is None:
        if db:
            return _Ledger(db, UTC)
        click.echo(loaded.report(), err=True)
        click.echo("Mend the file, or name the ledger itself with --db FILE.", err=True)
        sys.exit(1)
    zone = ZoneInfo(loaded.config.usage.timezone)
    return _Ledger(db or ledger_file(loaded), zone, why_not_recorded(loaded))


def _read_period(since: str | None, until: str | None, zone: tzinfo) -> Period:
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


def _show(result: Report, period: Period, ledger: _Ledger, form: Format) -> None:
    """Print the report; where it is empty a sentence says so, beside it for programs and instead of it for people."""
    match form:
        case "json":
            from fondation.usage.formats import as_json

            click.echo(as_json(result, period, ledger.zone), nl=False)
        case "csv":
            from fondation.usage.formats import as_csv

            click.echo(as_csv(result), nl=False)
        case "table":
            from fondation.usage.table import print_table

            if result.groups:
                print_table(result, period, str(ledger.zone), sys.stdout)
    if not result.groups:
        click.echo(_nothing_found(ledger, result), err=form != "table")


def _nothing_found(ledger: _Ledger, result: Report) -> str:
    if result.recorded:
        held = f"{ledger.path} holds {result.recorded:,}"
        return f"No model call matches ({held}): try a longer --since, or fewer filters."
    if ledger.why_not_recorded:
        return f"{ledger.path} holds no model calls: {ledger.why_not_recorded}."
    return f"{ledger.path} holds no model calls yet: send a message to `fondation serve`, or type `fondation chat`."
