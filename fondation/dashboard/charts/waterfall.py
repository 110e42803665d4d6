"""The calls of a run over time: what waited for what, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fondation.config.words import counted
from fondation.dashboard.charts.plane import BOLD, HEAD, SMALL, box, fitting, plane, rule, tick, title, words
from fondation.dashboard.charts.ticks import Ticks, time_ticks
from fondation.lettering import width_of
from fondation.svg import Element, element
from fondation.usage.table import duration_text

GROUP, LANE = 30, 34
"""Pixels of a heading, and of each call."""
_LABEL, _BAR, _THICK = 14, 20, 9
_BETWEEN = 8
_LEAST = 0.004
"""The share of the width that a call has at least."""
_ON = 1.1
"""So much further than to its beginning an axis goes for a call whose end is not known, for it to be seen."""

Kind: TypeAlias = Literal["answer", "retry", "fallback", "beside", "failed"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A call of a run; times are milliseconds since the run began."""

    label: str
    kind: Kind
    """An answer or a step to it, a further attempt at one, by the same model or another, a call beside it (a title, a
    summary), or one that failed."""
    start: float
    duration: float | None
    """None where nobody knows when it ended."""
    first_token: float | None = None
    """After its start."""
    group: str = ""
    """The round it is in: calls in a row that have the same one stand under a heading."""
    note: str = ""
    """What else is said of it while the mouse is on it."""
    is_running: bool = False
    """Why it has no duration: it goes on; else nobody knows."""


def waterfall(name: str, bars: Sequence[Bar]) -> Element:
    """A lane for each call, in the order given."""
    known = [bar for bar in bars if bar.duration is not None]
    ends = max((bar.start + (bar.duration or 0) for bar in bars), default=0)
    open_ended = [bar.start * _ON for bar in bars if bar.duration is None]
    chart = _Chart(time_ticks(max(ends, 1, *open_ended)))
    lanes = list(chart.lanes(bars))
    height = chart.bottom(bars)
    longest = max(known, key=lambda bar: bar.duration or 0, default=None)
    said = f"{name}: {counted(len(bars), 'call')} in {_time(ends)}"
    if longest is not None and len(bars) > 1:
        said += f"; the longest is {longest.label}, {_time(longest.duration)}"
    return plane(height, said, *chart.axis(height), *lanes, css="waterfall")


@dataclass(frozen=True, slots=True)
class _Chart:
    ticks: Ticks

    def axis(self, height: float) -> Iterator[Element]:
        for value, label in zip(self.ticks.values, self.ticks.labels, strict=True):
            yield from tick(float(value / self.ticks.top), label, height)

    def bottom(self, bars: Sequence[Bar]) -> float:
        return HEAD + LANE * len(bars) + GROUP * sum(_begins_group(bars, at) for at in range(len(bars)))

    def lanes(self, bars: Sequence[Bar]) -> Iterator[Element]:
        y = float(HEAD)
        for at, bar in enumerate(bars):
            if _begins_group(bars, at):
                yield rule(y + 4, "boundary")
                yield element("g", title(bar.group), *fitting(y + 22, bar.group, "group", BOLD))
                y += GROUP
            yield element("g", *self._lane(bar, y), class_="row")
            y += LANE

    def _lane(self, bar: Bar, top: float) -> Iterator[Element]:
        yield title("\n".join(filter(None, [bar.label, _times(bar), bar.note])))
        yield box(0, top, 1, LANE, "hit")
        took = ("running" if bar.is_running else "unknown") if bar.duration is None else _time(bar.duration)
        yield from fitting(top + _LABEL, bar.label, "name", taken=width_of(took, SMALL) + _BETWEEN)
        yield words("100%", top + _LABEL, took, "value", "end")
        y = top + _BAR
        if bar.duration is None:
            begins = min(self._x(bar.start), 1 - _LEAST)
            yield box(begins, y, 1 - begins, _THICK, "unknown")
            return
        width = max(self._x(bar.duration), _LEAST)
        begins = min(self._x(bar.start), 1 - width)
        waits = min(self._x(bar.first_token or 0), width)
        if waits:
            yield box(begins, y, waits, _THICK, f"{bar.kind} waiting")
        yield box(begins + waits, y, width - waits, _THICK, bar.kind)

    def _x(self, time: float) -> float:
        return max(time, 0) / float(self.ticks.top)


def _begins_group(bars: Sequence[Bar], at: int) -> bool:
    return bool(bars[at].group) and (at == 0 or bars[at - 1].group != bars[at].group)


def _times(bar: Bar) -> str:
    begins = f"begins after {_time(bar.start)}"
    if bar.duration is None:
        return f"{begins}, and {'is still running' if bar.is_running else 'nobody knows when it ended'}"
    first = f", first token after {_time(bar.first_token)}" if bar.first_token is not None else ""
    return f"{begins}, takes {_time(bar.duration)}{first}"


def _time(milliseconds: float | None) -> str:
    return duration_text(None if milliseconds is None else round(milliseconds))
