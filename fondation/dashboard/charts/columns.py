"""The columns of a chart over time: its days; or weeks, months or years, where days would be too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_MOST = 120


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of the calendar."""

    name: str
    number: Callable[[date], int]
    """Which one a day is in, counted without gaps."""
    begins: Callable[[int], date]
    short: Callable[[date], str]
    """How the one that begins then reads at an axis, and alone."""
    long: Callable[[date], str]


_UNITS = (
    Unit(
        "day", date.toordinal, date.fromordinal, lambda day: f"{day.day} {day:%b}", lambda day: f"{day:%a} {_date(day)}"
    ),
    Unit(
        "week",
        lambda day: (day.toordinal() - 1) // 7,  # the first day of the calendar is a Monday
        lambda number: date.fromordinal(number * 7 + 1),
        lambda day: f"{day.day} {day:%b %y}",
        lambda day: f"week of {_date(day)}",
    ),
    Unit(
        "month",
        lambda day: day.year * 12 + day.month - 1,
        lambda number: date(number // 12, number % 12 + 1, 1),
        lambda day: f"{day:%b} {day.year}",
        lambda day: f"{day:%B} {day.year}",
    ),
    Unit(
        "year",
        lambda day: day.year,
        lambda number: date(number, 1, 1),
        lambda day: f"{day.year}",
        lambda day: f"{day.year}",
    ),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """All from the first day to the last, also those in which nothing happened."""

    unit: Unit
    numbers: range

    def index(self, day: date) -> int:
        return self.unit.number(day) - self.numbers.start

    def short(self, index: int) -> str:
        return self.unit.short(self.unit.begins(self.numbers[index]))

    def long(self, index: int) -> str:
        return self.unit.long(self.unit.begins(self.numbers[index]))


def columns(first: date, last: date) -> Columns:
    """Days while there are no more than about four months of them."""
    fitting = (unit for unit in _UNITS if unit.number(last) - unit.number(first) < _MOST)
    unit = next(fitting, _UNITS[-1])
    return Columns(unit, range(unit.number(first), unit.number(last) + 1))


def _date(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"
