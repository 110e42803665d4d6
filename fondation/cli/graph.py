"""`fondation graph`: the agents and their handoffs, as a Mermaid flowchart, a picture or JSON."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo

import click

from fondation.cli.options import file_argument
from fondation.cli.usage.ledger import Ledger, read_period, since_option, until_option

if TYPE_CHECKING:
    from fondation.config import Loaded
    from fondation.graph import Graph
    from fondation.usage.periods import Period
    from fondation.usage.traffic import Traffic

Format: TypeAlias = Literal["mermaid", "svg", "json"]

_ENDINGS: dict[str, Format] = {".svg": "svg", ".json": "json", ".mmd": "mermaid", ".mermaid": "mermaid"}


@click.command()
@file_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg", "json"]),
    help="How to draw; by default what the name of --output ends in, else mermaid.",
)
@click.option("--traffic", "is_with_traffic", is_flag=True, help="Show how often each handoff happened.")
@since_option
@until_option
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), help="The ledger; by default the one of FILE.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="The file to write; by default standard output.",
)
def command(
    file: Path,
    form: Format | None,
    is_with_traffic: bool,
    since: str | None,
    until: str | None,
    db: Path | None,
    output: Path | None,
) -> None:
    """Draw the agents and their handoffs.

    The routes are to the left, the agents that answer there beside them, and then those that these hand off to. A
    Mermaid flowchart is text, which GitHub draws in a Markdown block of ```mermaid; SVG is a picture that stands alone,
    light or dark as its reader has it.

    With --traffic each handoff says how often it happened, and each agent what it took; --since, --until and --db
    imply it. A handoff is counted by the calls that the next agent made in answering, simulated ones too: where
    match_on or the page chose the agent that begins, nobody handed off. What happened and is no longer in the file is
    dashed.

    JSON has routes, agents and handoffs; with traffic an agent has the figures of `fondation usage`, and a handoff
    times.

    Exit codes: 0 fine, 1 the file has problems or the ledger cannot be read, 2 wrong usage of the command, 3 a bug of
    fondation's.
    """
    from fondation.config import load
    from fondation.graph import graph_of

    form = form or _form_of(output)
    loaded = load(file, check_imports=False)
    if loaded.config is None:
        click.echo(loaded.report(), err=True)
        sys.exit(1)
    period, traffic = None, None
    if is_with_traffic or any(option is not None for option in (since, until, db)):
        period = read_period(since, until, ZoneInfo(loaded.config.usage.timezone))
        traffic = _traffic(loaded, period, db)
    _write(_drawn(graph_of(loaded.config), traffic, period, form), output)


def _form_of(output: Path | None) -> Format:
    """By the ending of the file's name; without one it is Mermaid."""
    if output is None or not output.suffix:
        return "mermaid"
    form = _ENDINGS.get(output.suffix.lower())
    if form is None:
        raise click.UsageError(f"{output} ends in none of {', '.join(_ENDINGS)}: say which --format it shall have.")
    return form


def _traffic(loaded: Loaded, period: Period, db: Path | None) -> Traffic:
    """What the ledger tells; what it misses is said beside."""
    from fondation.usage.filters import Filters
    from fondation.usage.location import ledger_file, why_not_recorded
    from fondation.usage.traffic import traffic

    assert loaded.config is not None
    ledger = Ledger(db or ledger_file(loaded), ZoneInfo(loaded.config.usage.timezone), why_not_recorded(loaded))
    with ledger.opened() as connection:
        found = traffic(connection, Filters(period))
        sentences = [] if found.agents else [ledger.nothing_found(connection)]
        for sentence in (*sentences, *_missed(connection, period)):
            click.echo(sentence, err=True)
    return found


def _missed(connection: sqlite3.Connection, period: Period) -> list[str]:
    from fondation.usage.losses import loss_text, lost_rows, untimed_rows, untimed_text

    counts = ((loss_text, lost_rows(connection, period)), (untimed_text, untimed_rows(connection)))
    return [text(rows) for text, rows in counts if rows]


def _drawn(graph: Graph, traffic: Traffic | None, period: Period | None, form: Format) -> str:
    from fondation.graph import as_json, as_mermaid, draw, standalone

    match form:
        case "mermaid":
            return as_mermaid(graph, traffic)
        case "svg":
            return standalone(draw(graph, traffic))
        case "json":
            return as_json(graph, traffic, period)


def _write(text: str, output: Path | None) -> None:
    """As UTF-8, which all of the formats are, whatever the terminal's is."""
    if output is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
