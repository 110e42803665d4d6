"""Bars over time, stacked by series: what each day cost, and who spent it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fondation.config.words import counted
from fondation.dashboard.charts.columns import Columns, columns
from fondation.dashboard.charts.measures import Measure, total
from fondation.dashboard.charts.plane import SMALL, WIDE, box, cap, percent, plane, rule, title, words
from fondation.dashboard.charts.series import Days, Series, Stack, series_of, stacks_of
from fondation.dashboard.charts.ticks import Number, Ticks
from fondation.lettering import width_of
from fondation.svg import Element, element

TOP, GROUND, HEIGHT = 44, 240, 264
"""Pixels: of the highest tick, of zero and in all. Above is room for what the mouse is on, below for the days."""

_OF_SLOT, _WIDEST = 0.8, 0.06
_LEAST = 2.0
"""Pixels of a column that is not zero."""
_CAP = 4.0
"""Pixels from the top of a column to the middle of the cap that says that something of it is unknown."""
_NARROW = 225
"""Pixels that the plane has on a phone: beside it are the labels of its axis."""
_BETWEEN_LABELS = 14


@dataclass(frozen=True, slots=True)
class Row:
    """A column of the chart as a line of a table; `+ ?` stands for what is unknown."""

    name: str
    total: str
    parts: Sequence[str]
    """In the order of the legend; empty where a series has nothing."""


@dataclass(frozen=True, slots=True)
class Stacked:
    title: str
    """What is shown, and by what: `Cost by week`."""
    drawing: Element
    legend: Sequence[Series]
    """From the lowest of a stack to the highest: the greatest first, last the others together."""
    has_unknown: bool
    """Whether something is drawn as unknown."""
    unit: str
    """What a column stands for: day, week, month or year."""
    rows: Sequence[Row]
    """The same for those who cannot see it: the columns that have something, the newest first."""


def stacked(name: str, days: Days, measure: Measure, first: date | None = None, last: date | None = None) -> Stacked:
    """Draw the series of each day. `name` is what their amounts are, such as `Cost`; `first` and `last` make the axis
    longer than the days do.

    Raises ValueError where there is no day at all.
    """
    ends = [*days, *filter(None, (first, last))]
    over = columns(min(ends), max(ends))
    series = series_of(days, measure)
    stacks = stacks_of(days, over, series)
    chart = _Chart(over, series, stacks, measure, measure.ticks(max(map(_sum, stacks))))
    shown = f"{name} by {over.unit.name}"
    drawing = plane(HEIGHT, f"{shown}: {chart.main_fact()}", *chart.axes(), *chart.columns(), css="stacked")
    has_unknown = any(each.amount.unknown for each in series)
    return Stacked(shown, drawing, series, has_unknown, over.unit.name, list(chart.rows()))


def _sum(stack: Stack) -> Number:
    return sum((amount.drawn for amount in stack.values()), 0)


@dataclass(frozen=True, slots=True)
class _Chart:
    over: Columns
    series: Sequence[Series]
    stacks: Sequence[Stack]
    measure: Measure
    ticks: Ticks

    def main_fact(self) -> str:
        """The chart in a sentence."""
        whole = self.measure.words(total(each.amount for each in self.series))
        span = counted(len(self.stacks), self.over.unit.name)
        if not self.series:
            return f"nothing in {span}"
        highest = max(range(len(self.stacks)), key=lambda index: _sum(self.stacks[index]))
        most = self._in_all(self.stacks[highest])
        said = f"{whole} in {span}; the most in one {self.over.unit.name} is {most} ({self.over.long(highest)})"
        return f"{said}; {self.series[0].name} has the greatest part" if len(self.series) > 1 else said

    def axes(self) -> Iterator[Element]:
        for value, label in zip(self.ticks.values, self.ticks.labels, strict=True):
            y = self._y(value)
            yield rule(y, "gridline" if value else "ground")
            yield words(-8, y + 4, label, "tick", "end")
        number = len(self.stacks)
        width = max(width_of(self.over.short(index), SMALL) for index in range(number)) + _BETWEEN_LABELS
        step = -(-number // int(WIDE / width))
        on_a_phone = step * -(-number // (step * int(_NARROW / width)))
        for index in range(number - 1, -1, -step):
            css = "tick" if (number - 1 - index) % on_a_phone == 0 else "tick wide"
            yield words(percent((index + 0.5) / number), GROUND + 18, self.over.short(index), css, "middle")

    def columns(self) -> Iterator[Element]:
        slot = 1 / len(self.stacks)
        width = min(slot * _OF_SLOT, _WIDEST)
        for index, stack in enumerate(self.stacks):
            heading = f"{self.over.long(index)}: {self._in_all(stack)}"
            yield element(
                "g",
                title("\n".join([heading, *(self._parts(stack) if len(self.series) > 1 else ())])),
                box(index * slot, TOP, slot, GROUND - TOP, "hit"),
                *self._bars(stack, (index + 0.5) * slot - width / 2, width, heading),
                words("100%", 12, self.over.long(index), "readout", "end"),
                words("100%", 28, self._in_all(stack), "readout amount", "end"),
                class_="column",
            )

    def rows(self) -> Iterator[Row]:
        for index, stack in reversed(list(enumerate(self.stacks))):
            if stack:
                brief = self.measure.brief
                parts = [brief(stack[each.css]) if each.css in stack else "" for each in self.series]
                yield Row(self.over.long(index), brief(total(stack.values())), parts)

    def _bars(self, stack: Stack, x: float, width: float, heading: str) -> Iterator[Element]:
        tips = dict(zip(stack, self._parts(stack), strict=True))
        height = GROUND - self._y(_sum(stack))
        stretch = max(_LEAST / height, 1) if height else 0
        y = float(GROUND)
        for css, amount in stack.items():
            if bar := (GROUND - self._y(amount.drawn)) * stretch:
                y -= bar
                yield box(x, y, width, bar - 1 if bar > 4 else bar, css, title(f"{tips[css]}\n{heading}"))
        if missing := sum(amount.unknown for amount in stack.values()):
            tip = title(f"{counted(missing, 'call')} of unknown amount\n{heading}")
            yield cap(x, y - _CAP, width, tip)

    def _parts(self, stack: Stack) -> list[str]:
        names = {each.css: each.name for each in self.series}
        return [f"{names[css]}: {self.measure.words(amount)}" for css, amount in stack.items()]

    def _in_all(self, stack: Stack) -> str:
        return self.measure.words(total(stack.values()))

    def _y(self, value: Number) -> float:
        return GROUND - (GROUND - TOP) * float(value / self.ticks.top)
