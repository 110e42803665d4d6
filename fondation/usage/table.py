"""A report for people: a table, as wide as its numbers need."""

from __future__ import annotations

from typing import IO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from fondation.config.words import printable
from fondation.usage.money import ROW_PLACES, TOTAL_PLACES, dollars
from fondation.usage.periods import Period
from fondation.usage.reports import Figures, Report

PLAIN_WIDTH = 100
"""Columns of a table that goes into a file or a pipe; more where names and numbers need more."""
NAME_WIDTH = 28
"""A longer name is folded where there is no room for it."""

_TITLES = {
    "runs": "Runs",
    "calls": "Calls",
    "refused": "Refused",
    "simulated": "Simulated",
    "prompt_tokens": "Input",
    "cached_tokens": "Cached",
    "completion_tokens": "Output",
    "reasoning_tokens": "Reasoning",
    "cost": "Cost",
    "unknown_cost_calls": "Unknown",
    "p50_ms": "p50",
    "p95_ms": "p95",
}
_ONLY_IF_ANY = ("refused", "simulated", "unknown_cost_calls")


def print_table(report: Report, period: Period, zone: str, file: IO[str]) -> None:
    """Print the groups and the total; what is of unknown cost is said beside every total."""
    table = _table(report)
    console = Console(file=file, highlight=False)
    available = console.width if console.is_terminal else PLAIN_WIDTH
    least = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    console.width = max(available, least)
    with console.capture() as captured:
        console.print(Text(f"Usage {_span(period)} ({zone})\n"), table, sep="\n")
        if report.total.unknown_cost_calls:
            console.print(Text(f"\nTotal cost: {_total_cost(report.total)}"))
    file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _table(report: Report) -> Table:
    total = report.total
    shown = [name for name in _TITLES if name not in _ONLY_IF_ANY or getattr(total, name)]
    table = Table(box=box.SIMPLE, padding=0, show_edge=False, show_footer=True, footer_style="bold")
    for position, title in enumerate(report.by):
        longest = max(len(_name(key[position])) for key, _ in report.groups)
        footer = "" if position else "Total"
        table.add_column(title.capitalize(), footer, min_width=min(longest, NAME_WIDTH), overflow="fold")
    for name in shown:
        table.add_column(_TITLES[name], _cell(total, name, TOTAL_PLACES), justify="right", no_wrap=True)
    for key, figures in report.groups:
        table.add_row(*map(_name, key), *(_cell(figures, name, ROW_PLACES) for name in shown))
    return table


def _cell(figures: Figures, name: str, places: int) -> str:
    """A figure as text, without a space: a line is never broken inside it."""
    match name:
        case "cost":
            return "unknown" if figures.cost is None else dollars(figures.cost, places)
        case "p50_ms" | "p95_ms":
            return _duration(getattr(figures, name))
        case _:
            return f"{getattr(figures, name):,}"


def _name(name: str | None) -> Text:
    return Text("(none)" if name is None else printable(name))


def _duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "-"
    return f"{milliseconds}ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f}s"


def _span(period: Period) -> str:
    ends = {"since": period.since, "until": period.until}
    return " ".join(f"{word} {end:%Y-%m-%d %H:%M}" for word, end in ends.items() if end) or "of all time"


def _total_cost(total: Figures) -> str:
    calls = f"{total.unknown_cost_calls:,} {'call' if total.unknown_cost_calls == 1 else 'calls'}"
    return f"unknown ({calls})" if total.cost is None else f"{dollars(total.cost)} + {calls} of unknown cost"
