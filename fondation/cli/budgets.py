"""`fondation budgets`: what is spent of each budget, and what is left."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo

import click

from fondation.cli.options import file_argument, format_option
from fondation.cli.usage.ledger import Ledger

if TYPE_CHECKING:
    from fondation.budgets.reports import Spending
    from fondation.config import Loaded

Format: TypeAlias = Literal["table", "json", "csv"]

_EXAMPLE = """\
budgets:
  - name: each-user
    limit: $5.00
    per: user
    every: day"""


@click.command()
@file_argument
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Of each budget only the N users, sessions or the like that spent most; the others are one line.",
)
@format_option("table", "json", "csv")
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), help="The ledger; by default the one of FILE.")
def command(file: Path, top: int, form: Format, db: Path | None) -> None:
    """Show what is spent of each budget in its present period, and what is left.

    It is added up from the ledger, which is only read; no server needs to run. Reserved is what calls under way have
    set aside. What calls of unknown or pending cost have spent is not in any figure, and said.

    JSON and CSV name the figures limit, spent, reserved and left (US dollars), calls, unknown_cost_calls and
    pending_cost_calls, and the moments since and reset (in UTC; null or empty where a budget never begins anew). JSON
    has the buckets of each budget, others and total apart; in CSV the first column, row, is bucket, others, or none
    for a budget that nobody has spent from.

    Exit codes: 0 fine (also without any budget), 1 the file has problems or the ledger cannot be read, 2 wrong usage
    of the command, 3 a bug of fondation's.
    """
    from fondation.config import load

    loaded = load(file, check_imports=False)
    if loaded.config is None:
        click.echo(loaded.report(), err=True)
        sys.exit(1)
    printed, sentences = _report(loaded, form, top, db)
    click.echo(printed, nl=False)
    if sentences and form == "table" and printed:
        click.echo()
    for sentence in sentences:
        click.echo(sentence, err=form != "table")


def _report(loaded: Loaded, form: Format, top: int, db: Path | None) -> tuple[str, list[str]]:
    """What is printed, and the sentences that belong beside it."""
    from fondation.budgets import budgets_of
    from fondation.budgets.reports import spendings
    from fondation.usage.location import ledger_file, why_not_recorded

    assert loaded.config is not None
    budgets, now = budgets_of(loaded.config), time.time()
    zone = ZoneInfo(loaded.config.usage.timezone)
    ledger = Ledger(db or ledger_file(loaded), zone, why_not_recorded(loaded))
    is_read = db is not None or ledger.is_made
    with ledger.opened() if is_read else contextlib.nullcontext() as connection:
        found = spendings(connection, budgets, now, top)
        lost = None if connection is None else _lost(connection, found)
    sentences = [] if budgets else [f"{loaded.file} has no budgets. One is written like this:\n\n{_EXAMPLE}"]
    if budgets and not is_read:
        sentences.append(f"{ledger.path} holds no model calls yet: nothing is spent.")
    sentences += filter(None, (lost, ledger.why_not_recorded))
    return _printed(found, now, zone, form), sentences


def _printed(found: Sequence[Spending], now: float, zone: tzinfo, form: Format) -> str:
    from fondation.budgets.formats import as_csv, as_json
    from fondation.budgets.table import table

    match form:
        case "json":
            return as_json(found, now, zone)
        case "csv":
            return as_csv(found)
        case "table":
            room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            return "".join(f"{line}\n" for line in table(found, now, zone, room)) if found else ""


def _lost(connection: sqlite3.Connection, found: Sequence[Spending]) -> str | None:
    """What is missing in the ledger since the first of the periods began."""
    from fondation.usage.losses import loss_text, lost_rows
    from fondation.usage.periods import Period

    starts = [spending.period and spending.period.starts for spending in found]
    since = None if None in starts or not starts else datetime.fromtimestamp(min(filter(None, starts)), UTC)
    lost = lost_rows(connection, Period(since)) if found else 0
    return loss_text(lost) if lost else None
