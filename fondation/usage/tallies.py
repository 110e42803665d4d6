"""The calls of a period, tallied for each group of them; all of one moment."""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import tzinfo
from typing import TypeAlias

from fondation.usage.figures import Tally, merged
from fondation.usage.filters import Filters
from fondation.usage.kinds import GROUPINGS as OF_KINDS
from fondation.usage.kinds import RUNNING_INDEX, can_tell_kinds, kinds_of, sum_up, tasks_of
from fondation.usage.periods import Period, Span, day_of, pieces_of
from fondation.usage.reading import calls_of, copy_calls, has_index_by_time, text_of
from fondation.usage.sorting import Key, Rows, Sorting, Source
from fondation.usage.together import Connections, spread, together

GROUPINGS = ("agent", "model", "user", "session", "day", "provider", "purpose")
"""What calls can be split by, beside their labels. A day begins at midnight in the report's time zone."""

_EARLIEST = -(2.0**63)
_LATEST = math.inf
_PIECES = 8
_MOST_SUMS = 20_000
"""Kinds times days; from there on it is faster to sort the calls."""

Tallies: TypeAlias = dict[Key, Tally]


def tally(connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo) -> Tallies:
    """The calls that pass the filters, split by `by`: keys of `GROUPINGS` or names of labels. All of one moment."""
    with together(connection) as connections:
        if not has_index_by_time(connection):
            connections = [connection]
            calls = copy_calls(connection)
        else:
            calls = calls_of(connection)
        spans = spans_of(connection, calls, filters.period, zone if "day" in by else None, _PIECES)
        tallies = _by_kind(connections, filters, by, spans)
        return _named(_sorted(connections, calls, filters, by, spans) if tallies is None else tallies)


def _named(tallies: Tallies) -> Tallies:
    """The same; what another program wrote where a name belongs, and is no text, is told as text."""
    odd = [key for key in tallies if any(name is not None and type(name) is not str for name in key)]
    for key in odd:
        named = tuple(None if name is None else text_of(name) for name in key)
        tallies[named] = merged([calls for calls in (tallies.get(named), tallies.pop(key)) if calls is not None])
    return tallies


def _by_kind(connections: Connections, filters: Filters, by: Sequence[str], spans: Sequence[Span]) -> Tallies | None:
    """The same from the sums over each kind of calls; None where they do not tell it."""
    if filters.are_of_few or not set(by) <= {*OF_KINDS, "day"} or not can_tell_kinds(connections[0]):
        return None
    found = kinds_of(connections[0])
    if found is None or len(found) * len(spans) > _MOST_SUMS:
        return None
    kinds = [kind for kind in found if kind.passes(filters)]
    tallies: Tallies = defaultdict(Tally)
    tasks = tasks_of(kinds, spans)
    for task, sums in zip(tasks, spread(connections, sum_up, tasks), strict=True):
        for span, part in sums:
            tallies[tuple(span.day if name == "day" else task.kind.key(name) for name in by)].add(part)
    running = Source(f"usage_tracking INDEXED BY {RUNNING_INDEX}", "status = 'running'")
    for key, part in Sorting(running, filters, by)(connections[0], spans):
        tallies[key].add(part)
    return tallies


def _sorted(
    connections: Connections, calls: str, filters: Filters, by: Sequence[str], spans: Sequence[Span]
) -> Tallies:
    """The same from the calls themselves."""
    stretches: Sequence[Span | Rows] = spans
    if spans and "day" not in by:
        if filters.are_of_few:
            stretches = [Span(spans[0].begins, spans[-1].ends)]
        elif filters.period == Period():
            stretches = rows_of(connections[0], calls, len(connections))
    size = max(1, len(stretches) // (2 * len(connections)))
    tasks = [stretches[at : at + size] for at in range(0, len(stretches), size)]
    tallies: Tallies = defaultdict(Tally)
    for sums in spread(connections, Sorting(Source(calls), filters, by), tasks):
        for key, part in sums:
            tallies[key].add(part)
    return tallies


def spans_of(
    connection: sqlite3.Connection, calls: str, period: Period, zone: tzinfo | None, pieces: int
) -> list[Span]:
    """The stretches of the period in which there are calls: its days in that time zone, or so many pieces of it."""
    begins = _EARLIEST if period.since is None else period.since.timestamp()
    ends = _LATEST if period.until is None else period.until.timestamp()

    def moment(order: str, since: float) -> int | None:
        query = (
            f"SELECT timestamp FROM {calls} WHERE timestamp >= ? AND timestamp < ? ORDER BY timestamp {order} LIMIT 1"
        )
        row: tuple[int] | None = connection.execute(query, (since, ends)).fetchone()
        return None if row is None else row[0]

    first = moment("ASC", begins)
    if first is None:
        return []
    if zone is None:
        last = moment("DESC", begins)
        assert last is not None
        return pieces_of(first, min(last + 1, ends), pieces)
    spans = []
    while first is not None:
        day = day_of(first, zone)
        spans.append(Span(max(first, begins), min(day.ends, ends), day.name))
        first = moment("ASC", day.ends)
    return spans


def rows_of(connection: sqlite3.Connection, calls: str, count: int) -> list[Rows]:
    """The whole table in so many stretches, of about the same number of rows."""
    first, last = connection.execute(f"SELECT MIN(id), MAX(id) FROM {calls}").fetchone()
    return [Rows(int(piece.begins), int(piece.ends)) for piece in pieces_of(first, last + 1, count)]


def labels_of(connection: sqlite3.Connection) -> list[str]:
    """The names of all the labels that calls have."""
    labelled = f"(SELECT DISTINCT labels FROM {calls_of(connection)} WHERE labels IS NOT NULL)"
    valid = f"(SELECT labels FROM {labelled} WHERE json_valid(labels))"
    names = connection.execute(f"SELECT DISTINCT key FROM {valid} AS calls, json_each(calls.labels)")
    return sorted(name for (name,) in names if isinstance(name, str))
