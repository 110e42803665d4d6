"""Where an axis has its ticks, and how they read: round numbers that go beyond the greatest value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import chain, count, islice, takewhile
from typing import TypeAlias

Number: TypeAlias = int | Decimal

_MOST, _MOST_TIMES = 5, 4
"""Steps of an axis: so few that their labels have room on a phone."""
_LARGE = (("T", 12), ("B", 9), ("M", 6))
_THOUSANDS = ("k", 3)
_LEAST_PLAIN = -5
"""The power of ten below which dollars are written as `2e-8`."""

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_TIMES = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(seconds * _SECOND for seconds in (1, 2, 5, 10, 20)),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20)),
    *(hours * _HOUR for hours in (1, 2, 5, 10)),
)
"""Milliseconds that people find round; days go on in tens."""
_TENTHS = ("", *(f".{digit}" for digit in range(1, 10)))


@dataclass(frozen=True, slots=True)
class Ticks:
    """From the least to the greatest; each value has its label."""

    values: tuple[Number, ...]
    labels: tuple[str, ...]

    @property
    def top(self) -> Number:
        return self.values[-1]


def dollar_ticks(greatest: Number) -> Ticks:
    """From $0 on: `$0.0002`, `$2.50`, `$12,000`, `$1.5M`."""
    return _linear(_round_step(Decimal(greatest)) if greatest > 0 else Decimal(1), greatest, _dollars)


def count_ticks(greatest: Number) -> Ticks:
    """From 0 on, whole numbers: `250`, `2,500`, `25k`, `1.5M`."""
    return _linear(max(_round_step(Decimal(greatest)), Decimal(1)) if greatest > 0 else Decimal(1), greatest, _count)


def time_ticks(longest: float) -> Ticks:
    """From 0 on, in milliseconds: `500 ms`, `2 s`, `5 min`."""
    step = next(step for step in _times() if step * _MOST_TIMES >= longest)
    return _linear(Decimal(step), Decimal(longest), lambda value, _: time_text(int(value)))


def log_time_ticks(shortest: float, longest: float) -> Ticks:
    """For an axis that gives each doubling the same room, in milliseconds: from at most `shortest` on."""
    below = list(takewhile(lambda time: time < longest, _times()))
    first = max(sum(time <= shortest for time in below) - 1, 0)
    steps = max(len(below) - first, 1)
    step = -(-steps // _MOST_TIMES)
    number = -(-steps // step)
    values = tuple(islice(_times(), first, first + number * step + 1, step))
    return Ticks(values, tuple(map(time_text, values)))


def time_text(milliseconds: int) -> str:
    """A round time in the greatest unit that says it well: `500 ms`, `1.5 s`, `80 s`, `5 min`, `1 h`, `2 d`."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s")):
        if milliseconds >= unit and milliseconds * 10 % unit == 0:
            return f"{milliseconds // unit:,}{_TENTHS[milliseconds * 10 // unit % 10]} {name}"
    return f"{milliseconds} ms" if milliseconds else "0"


def _times() -> Iterator[int]:
    days = (digit * 10**power * _DAY for power in count() for digit in (1, 2, 5))
    return chain(_TIMES, days)


def _linear(step: Decimal, greatest: Number, label: Callable[[Decimal, Decimal], str]) -> Ticks:
    number = max(1, int((Decimal(greatest) / step).to_integral_value(ROUND_CEILING)))
    values = tuple(step * each for each in range(number + 1))
    return Ticks(values, tuple(label(value, step) for value in values))


def _round_step(greatest: Decimal) -> Decimal:
    """The least of 1, 2, 5, 10, ... and their tenths that needs no more than `_MOST` steps."""
    power = (greatest / _MOST).adjusted()
    steps = (Decimal(digit).scaleb(power + more) for more in (0, 1) for digit in (1, 2, 5))
    return next(step for step in steps if step * _MOST >= greatest)


def _dollars(value: Decimal, step: Decimal) -> str:
    if not value:
        return "$0"
    if large := _large(value, step, _LARGE):
        return f"${large}"
    power = step.adjusted()
    if power < _LEAST_PLAIN:
        return f"${value.normalize():e}"
    return f"${value:,.{max(2, -power) if power < 0 else 0}f}"


def _count(value: Decimal, step: Decimal) -> str:
    units = (*_LARGE, _THOUSANDS) if value >= 10_000 else _LARGE
    return _large(value, step, units) or f"{value:,.0f}"


def _large(value: Decimal, step: Decimal, units: tuple[tuple[str, int], ...]) -> str:
    """`1.5M`; nothing for what is smaller."""
    for letter, power in units:
        if value.adjusted() >= power:
            return f"{value.scaleb(-power):,.{max(0, power - step.adjusted())}f}{letter}"
    return ""
