"""A report for people: a table, and what must be said beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import IO

from fondation.config.words import printable
from fondation.usage.layout import lay_out
from fondation.usage.money import ROW_PLACES, TOTAL_PLACES, dollars
from fondation.usage.periods import Period
from fondation.usage.reports import Figures, Report

_TITLES = {
    "runs": "Runs",
    "calls": "Calls",
    "refused": "Refused",
    "prompt_tokens": "Input",
    "cached_tokens": "Cached",
    "completion_tokens": "Output",
    "reasoning_tokens": "Reasoning",
    "cost": "Cost",
    "unknown_cost_calls": "Unknown",
    "p50_ms": "p50",
    "p95_ms": "p95",
}
_ONLY_IF_ANY = ("refused", "unknown_cost_calls")
_SIMULATED_TITLES = {"simulated_runs": "Runs", "simulated": "Calls", "simulated_tokens": "Tokens"}


def print_table(report: Report, period: Period, zone: str, file: IO[str]) -> None:
    """Print the groups and the total, real calls and simulated ones each for themselves.

    What is of unknown cost is said beside every total.
    """
    room = shutil.get_terminal_size().columns if file.isatty() else None
    lines = [f"Usage {_span(period)} ({zone})"]
    if _has_real_calls(report.total):
        titles = {n: title for n, title in _TITLES.items() if n not in _ONLY_IF_ANY or getattr(report.total, n)}
        lines += ["", *_section(report, _has_real_calls, titles, room)]
    if report.total.unknown_cost_calls:
        lines += ["", f"Total cost: {_total_cost(report.total)}"]
    if report.total.simulated:
        lines += ["", "Simulated calls: no model was called, and nothing was charged."]
        lines += ["", *_section(report, _has_simulated_calls, _SIMULATED_TITLES, room)]
    file.writelines(f"{line}\n" for line in lines)


def _has_real_calls(figures: Figures) -> bool:
    return bool(figures.calls or figures.refused)


def _has_simulated_calls(figures: Figures) -> bool:
    return bool(figures.simulated)


def _section(
    report: Report, is_shown: Callable[[Figures], bool], titles: Mapping[str, str], room: int | None
) -> Iterator[str]:
    """A table of the groups that are shown; `titles` are those of its figures."""
    heads = [*(title.capitalize() for title in report.by), *titles.values()]
    rows = [
        [*map(_name, key), *(_cell(figures, name, ROW_PLACES) for name in titles)]
        for key, figures in report.groups
        if is_shown(figures)
    ]
    footer = ["Total", *[""] * (len(report.by) - 1), *(_cell(report.total, name, TOTAL_PLACES) for name in titles)]
    return lay_out(heads, rows, footer, names=len(report.by), room=room)


def _cell(figures: Figures, name: str, places: int) -> str:
    match name:
        case "cost":
            return "unknown" if figures.cost is None else dollars(figures.cost, places)
        case "p50_ms" | "p95_ms":
            return _duration(getattr(figures, name))
        case _:
            return f"{getattr(figures, name):,}"


def _name(name: str | None) -> str:
    return "(none)" if name is None else printable(name).replace("\t", " ")


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
