"""Who has a colour in a chart: the greatest eight, and all the others together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from fondation.dashboard.charts.columns import Columns
from fondation.dashboard.charts.measures import Amount, Measure, total

Days: TypeAlias = Mapping[date, Mapping[str, Amount]]
"""Of each day, the amount of each name."""
Stack: TypeAlias = Mapping[str, Amount]
"""The amounts of a column, by class, in the order of the legend."""

MOST = 8
OTHERS = "series-other"


@dataclass(frozen=True, slots=True)
class Series:
    """One colour of a chart, and its line in the legend."""

    name: str
    css: str
    """Its class: `series-1` for the greatest."""
    amount: Amount
    words: str
    """How the amount reads."""
    members: frozenset[str]
    """The names it stands for."""


def series_of(days: Days, measure: Measure) -> list[Series]:
    """The greatest first, last the others together."""
    amounts: dict[str, list[Amount]] = {}
    for parts in days.values():
        for name, amount in parts.items():
            amounts.setdefault(name, []).append(amount)
    sums = {name: total(each) for name, each in amounts.items()}
    ranked = sorted(sums, key=lambda name: (-sums[name].drawn, -sums[name].unknown, name))

    def one(name: str, css: str, members: list[str]) -> Series:
        amount = total(sums[member] for member in members)
        return Series(name, css, amount, measure.words(amount), frozenset(members))

    found = [one(name, f"series-{number}", [name]) for number, name in enumerate(ranked[:MOST], start=1)]
    if rest := ranked[MOST:]:
        found.append(one(f"{len(rest)} {'other' if len(rest) == 1 else 'others'}", OTHERS, rest))
    return found


def stacks_of(days: Days, over: Columns, series: Iterable[Series]) -> list[Stack]:
    """What stands on each column."""
    css = {member: each.css for each in series for member in each.members}
    parts: list[dict[str, list[Amount]]] = [{each: [] for each in dict.fromkeys(css.values())} for _ in over.numbers]
    for day, amounts in days.items():
        for name, amount in amounts.items():
            parts[over.index(day)][css[name]].append(amount)
    return [{each: total(amounts) for each, amounts in stack.items() if amounts} for stack in parts]
