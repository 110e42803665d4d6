"""What calls cost, summed over a period and split by what one asks for."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TypeAlias

from fondation.usage.figures import Figures, Tally, merged
from fondation.usage.filters import Filters
from fondation.usage.sorting import Key
from fondation.usage.tallies import tally

Group: TypeAlias = tuple[Key, Figures]


@dataclass(frozen=True, slots=True)
class Others:
    """The groups that are not shown, together."""

    groups: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    by: tuple[str, ...]
    groups: list[Group]
    """By name where days are asked for, else the dearest first."""
    others: Others | None
    """The cheaper ones, where only the dearest were asked for."""
    total: Figures


def report(
    connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo, top: int | None = None
) -> Report:
    """Sum the calls that pass the filters, split by `by` and in all; `top` keeps so many groups, the dearest.

    `by` are one or more of `GROUPINGS`, or names of labels.
    """
    return report_of(tally(connection, filters, by, zone), by, top)


def report_of(tallies: Mapping[Key, Tally], by: Sequence[str], top: int | None = None) -> Report:
    """The report over calls that are tallied already, split by `by`."""
    groups = sorted(tallies.items(), key=_price_first)
    shown = [calls for _, calls in groups[:top]]
    rest = merged(calls for _, calls in groups[len(shown) :])
    figures = [(key, calls.figures()) for key, calls in groups[:top]]
    others = Others(len(groups) - len(shown), rest.figures()) if len(groups) > len(shown) else None
    if "day" in by:
        figures.sort(key=_by_name)
    return Report(tuple(by), figures, others, merged([*shown, rest]).figures())


def shortened(whole: Report, tallies: Mapping[Key, Tally], top: int) -> Report:
    """A report whose dearest groups come first, with no more than these; `tallies` are what it was made of."""
    rest = whole.groups[top:]
    if not rest:
        return whole
    others = Others(len(rest), merged(tallies[key] for key, _ in rest).figures())
    return replace(whole, groups=whole.groups[:top], others=others)


def regrouped(tallies: Mapping[Key, Tally], by: Sequence[str], kept: Sequence[str]) -> dict[Key, Tally]:
    """The same calls, split by fewer things: `by` is what they are split by, `kept` what of it is left."""
    places = [by.index(name) for name in kept]
    members: dict[Key, list[Tally]] = defaultdict(list)
    for key, calls in tallies.items():
        members[tuple(key[place] for place in places)].append(calls)
    return {key: merged(calls) for key, calls in members.items()}


def count_calls(connection: sqlite3.Connection) -> int:
    """How many calls the ledger holds."""
    count: int = connection.execute("SELECT COUNT(*) FROM usage_tracking").fetchone()[0]
    return count


def _by_name(group: tuple[Key, object]) -> tuple[str, ...]:
    return tuple(name or "" for name in group[0])


def _price_first(group: tuple[Key, Tally]) -> tuple[object, ...]:
    return (*(-sum_ for sum_ in group[1].price), *_by_name(group))
