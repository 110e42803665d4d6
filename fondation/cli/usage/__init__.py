"""`fondation usage`: what the model calls cost; its subcommands tell one run, and compare with the provider's books."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import click

from fondation.cli.options import file_option, format_option
from fondation.cli.usage.explain import explain
from fondation.cli.usage.ledger import (
    Ledger,
    db_option,
    find_ledger,
    options_given,
    read_period,
    since_option,
    until_option,
)
from fondation.cli.usage.reconcile import reconcile
from fondation.cli.usage.watch import watch as watch_text
from fondation.usage.filters import Filters
from fondation.usage.losses import loss_text, lost_rows, untimed_rows, untimed_text
from fondation.usage.periods import Period
from fondation.usage.reports import Report, report
from fondation.usage.tallies import GROUPINGS, labels_of

Format: TypeAlias = Literal["table", "json", "csv"]

_OF_SUBCOMMANDS_TOO = ("db", "file")


def _split(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """`--by day --by agent` and `--by day,agent` are the same."""
    return tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",")))


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND]")
@since_option
@until_option
@click.option(
    "--by",
    multiple=True,
    default=("agent",),
    callback=_split,
    metavar="WHAT",
    help=f"Split by {', '.join(GROUPINGS)} or the name of a label; several with commas.  [default: agent]",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Only the N dearest; the others are one line.")
@click.option("--agent", help="Only calls that this agent made.")
@click.option("--model", help="Only calls that this model answered, or was asked to.")
@click.option("--user", help="Only calls for this user.")
@click.option("--session", help="Only calls in this session.")
@click.option("--provider", help="Only calls to this provider.")
@format_option("table", "json", "csv")
@click.option("--watch", is_flag=True, help="Draw the table again every two seconds, until Ctrl-C.")
@db_option
@file_option
@click.pass_context
def command(
    context: click.Context,
    /,
    since: str | None,
    until: str | None,
    by: tuple[str, ...],
    top: int | None,
    agent: str | None,
    model: str | None,
    user: str | None,
    session: str | None,
    provider: str | None,
    form: Format,
    watch: bool,
    **_: object,
) -> None:
    """Show what the model calls cost.

    A period like 7d reaches back from now; a date is its midnight in the time zone of usage.timezone. The ledger is
    only read.

    Refused calls are counted apart, and simulated ones have a table of their own: neither they nor their tokens are in
    any other figure. A total that misses a cost says so.

    p50 and p95 are the times, until the last byte, that half and 95 percent of the answered calls took at most; First
    is the time until the first token that half of them took at most. A line of several models mixes fast ones with
    slow ones: split it with --by model.

    JSON and CSV name the figures runs, calls, refused, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
    cached_share (of the prompt tokens, 0 to 1), cache_write_tokens, reasoning_tokens, cost (US dollars, null or empty
    where none is known), unknown_cost_calls, p50_ms, p95_ms, first_token_p50_ms and first_token_p95_ms, all of real
    calls alone, then simulated_runs, simulated (calls) and simulated_tokens. JSON has groups, others and total apart;
    in CSV the first column, row, is group, others or total.

    Exit codes: 0 fine (also when no call is found), 1 there is no ledger, 2 wrong usage of the command, 3 a bug of
    fondation's.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    ledger = find_ledger(context)
    filters = Filters(Period(), agent=agent, model=model, user=user, session=session, provider=provider)

    def read() -> _Reading:
        period = read_period(since, until, ledger.zone)
        with ledger.opened() as connection:
            _check_labels(connection, by)
            found = report(connection, replace(filters, period=period), by, ledger.zone, top)
            nothing = None if found.groups else ledger.nothing_found(connection)
            lost, untimed = lost_rows(connection, period), untimed_rows(connection)
        missed = [text(rows) for text, rows in ((loss_text, lost), (untimed_text, untimed)) if rows]
        return _Reading(found, period, nothing, missed)

    if watch:
        _check_terminal(form)
        watch_text(lambda: _for_people(read(), ledger), sys.stdout)
        return
    reading = read()
    if form == "table":
        click.echo(_for_people(replace(reading, missed=()), ledger), nl=False)
    else:
        click.echo(_for_programs(reading, ledger, form), nl=False)
    nothing = [reading.nothing_found] if reading.nothing_found and form != "table" else []
    for sentence in (*nothing, *reading.missed):
        click.echo(sentence, err=True)


command.add_command(explain)
command.add_command(reconcile)


def _refuse_options(context: click.Context) -> None:
    """What is typed before a subcommand would be without effect."""
    stray = [name for name in options_given(context) if name not in _OF_SUBCOMMANDS_TOO]
    if stray:
        option = "--format" if stray[0] == "form" else f"--{stray[0]}"
        raise click.UsageError(
            f"{option} stands before {context.invoked_subcommand}: type it after it, if it takes it."
        )


def _check_labels(connection: sqlite3.Connection, by: Sequence[str]) -> None:
    names = [name for name in by if name not in GROUPINGS]
    known = labels_of(connection) if names else []
    for name in names:
        if name not in known:
            labels = f"labels: {', '.join(known)}" if known else "no call has a label"
            raise click.UsageError(f'--by: "{name}" is none of {", ".join(GROUPINGS)} ({labels}).')


def _check_terminal(form: Format) -> None:
    if form != "table" or not sys.stdout.isatty():
        raise click.UsageError("--watch draws a table on a terminal: leave it out where a program or a file reads.")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A report, and the sentences that belong beside it."""

    report: Report
    period: Period
    nothing_found: str | None
    missed: Sequence[str]
    """What is not in it."""


def _for_people(reading: _Reading, ledger: Ledger) -> str:
    from fondation.usage.table import table

    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if reading.nothing_found:
        lines = [reading.nothing_found]
    else:
        lines = list(table(reading.report, reading.period, str(ledger.zone), room))
    return "".join(f"{line}\n" for line in [*lines, *reading.missed])


def _for_programs(reading: _Reading, ledger: Ledger, form: Format) -> str:
    from fondation.usage.formats import as_csv, as_json

    return as_csv(reading.report) if form == "csv" else as_json(reading.report, reading.period, ledger.zone)
