"""A report for people: a table, and what must be said beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fondation.config.words import counted, printable
from fondation.usage.figures import Figures
from fondation.usage.layout import lay_out
from fondation.usage.money import ROW_PLACES, TOTAL_PLACES, dollars, sum_text
from fondation.usage.periods import Period
from fondation.usage.reports import Report

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
    "first_token_p50_ms": "First",
}
_ONLY_IF_ANY = ("refused", "unknown_cost_calls")
_SIMULATED_TITLES = {"simulated_runs": "Runs", "simulated": "Calls", "simulated_tokens": "Tokens"}


def table(report: Report, period: Period, zone: str, room: int | None = None) -> Iterator[str]:
    """The lines: the groups and the total, real calls and simulated ones each for themselves.

    What is of unknown cost is said beside every total. `room` is the terminal's width; without one nothing is folded.
    """
    yield f"Usage {span(period)} ({zone})"
    if _has_real_calls(report.total):
        titles = {n: title for n, title in _TITLES.items() if n not in _ONLY_IF_ANY or getattr(report.total, n)}
        yield from ("", *_section(report, _has_real_calls, titles, room))
    if report.total.unknown_cost_calls:
        yield from ("", f"Total cost: {sum_text(report.total.cost, report.total.unknown_cost_calls)}")
    if report.total.simulated:
        yield from ("", "Simulated calls: no model was called, and nothing was charged.")
        yield from ("", *_section(report, _has_simulated_calls, _SIMULATED_TITLES, room))


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
        [*map(name_text, key), *(_cell(figures, name, ROW_PLACES) for name in titles)]
        for key, figures in report.groups
        if is_shown(figures)
    ]
    if report.others and is_shown(report.others.figures):
        cells = (_cell(report.others.figures, name, ROW_PLACES) for name in titles)
        rows.append([f"({counted(report.others.groups, 'other')})", *[""] * (len(report.by) - 1), *cells])
    footer = ["Total", *[""] * (len(report.by) - 1), *(_cell(report.total, name, TOTAL_PLACES) for name in titles)]
    return lay_out(heads, rows, footer, names=len(report.by), room=room)


def _cell(figures: Figures, name: str, places: int) -> str:
    match name:
        case "cost":
            return "unknown" if figures.cost is None else dollars(figures.cost, places)
        case "cached_tokens":
            share = "" if figures.cached_share is None else f" ({figures.cached_share:.0%})"
            return f"{figures.cached_tokens:,}{share}"
        case "p50_ms" | "p95_ms" | "first_token_p50_ms":
            return duration_text(getattr(figures, name))
        case _:
            return f"{getattr(figures, name):,}"


def name_text(name: str | None) -> str:
    """A name as a cell: one line that cannot paint on the terminal."""
    if name is None:
        return "(none)"
    return printable(name).replace("\t", " ") if name.strip() else "(blank)"


def duration_text(milliseconds: int | None) -> str:
    """`640ms`, `4.2s`; `-` where nobody measured it."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds}ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f}s"


def span(period: Period) -> str:
    """`since 2026-11-16 08:30 until ...`."""
    ends = {"since": period.since, "until": period.until}
    return " ".join(f"{word} {end.isoformat(' ')[:16]}" for word, end in ends.items() if end) or "of all time"
