"""How long models take: from the median to the slow end, until the first token and until the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from fondation.dashboard.charts.plane import HEAD, box, fitting, percent, plane, tick, title, words
from fondation.dashboard.charts.ticks import Number, Ticks, log_time_ticks
from fondation.svg import Element, element
from fondation.usage.table import duration_text

ROW = 52
"""Pixels of each model."""
_NAME, _FIRST, _LAST = 16, 27, 40
_DOT = 4.5


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one model; milliseconds, None where nobody measured it."""

    name: str
    first_p50: int | None
    """Until the first token, of half of the calls."""
    first_p95: int | None
    last_p50: int | None
    """Until the last byte."""
    last_p95: int | None

    @property
    def times(self) -> list[int]:
        return [each for each in (self.first_p50, self.first_p95, self.last_p50, self.last_p95) if each is not None]

    @property
    def words(self) -> str:
        first = f"{duration_text(self.first_p50)} (median), {duration_text(self.first_p95)} (p95)"
        last = f"{duration_text(self.last_p50)} (median), {duration_text(self.last_p95)} (p95)"
        return f"{self.name}: first token {first}; last byte {last}"


def ranges(name: str, latencies: Sequence[Latency]) -> Element:
    """A row for each model on one axis, on which each doubling has the same room: models of milliseconds and of minutes
    can be read side by side."""
    times = [max(time, 1) for latency in latencies for time in latency.times] or [1]
    axis = _Axis(log_time_ticks(min(times), max(times)))
    height = HEAD + ROW * len(latencies)
    rows = (element("g", *_row(axis, each, HEAD + ROW * at), class_="row") for at, each in enumerate(latencies))
    return plane(height, f"{name}: {_main_fact(latencies)}", *axis.draw(height), *rows, css="ranges")


@dataclass(frozen=True, slots=True)
class _Axis:
    ticks: Ticks

    def x(self, time: Number) -> float:
        least, most = self.ticks.values[0], self.ticks.top
        return log(max(time, 1) / least) / log(most / least)

    def draw(self, height: float) -> Iterator[Element]:
        """The ticks. Between doublings there is less room than between equal steps: a phone shows every other label."""
        for at, (value, label) in enumerate(zip(self.ticks.values, self.ticks.labels, strict=True)):
            yield from tick(self.x(value), label, height, "tick wide" if at % 2 and self.ticks.top != value else "tick")


def _main_fact(latencies: Sequence[Latency]) -> str:
    known = [each for each in latencies if each.last_p50 is not None]
    if not known:
        return "nothing is measured"
    fastest = min(known, key=lambda each: each.last_p50 or 0)
    slowest = max(known, key=lambda each: each.last_p50 or 0)
    if fastest is slowest:
        return fastest.words
    return f"of {len(known)} models the fastest is {fastest.words}; the slowest is {slowest.words}"


def _row(axis: _Axis, latency: Latency, top: float) -> Iterator[Element]:
    yield title(latency.words)
    yield box(0, top, 1, ROW, "hit")
    yield from fitting(top + _NAME, latency.name, "name")
    if not latency.times:
        yield words(0, top + _FIRST + 8, "not measured", "tick")
    yield from _range(axis, latency.first_p50, latency.first_p95, top + _FIRST, "first")
    yield from _range(axis, latency.last_p50, latency.last_p95, top + _LAST, "last")


def _range(axis: _Axis, median: int | None, slow: int | None, y: float, css: str) -> Iterator[Element]:
    """From a full dot, the median, to a hollow one."""
    if median is not None and slow is not None:
        yield element("line", x1=percent(axis.x(median)), x2=percent(axis.x(slow)), y1=y, y2=y, class_=f"range {css}")
    for time, dot in ((slow, "slow"), (median, "median")):
        if time is not None:
            yield element("circle", cx=percent(axis.x(time)), cy=y, r=_DOT, class_=f"{dot} {css}")
