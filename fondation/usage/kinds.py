"""The kinds of calls: those of one agent, model, provider, purpose and end, which stand together in an index.

Ledgers have few kinds and many calls. Here each kind is summed up as it stands in the index: no call is sorted, and
no kind is read that a report is not about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fondation.usage.filters import Filters
from fondation.usage.parts import SUMMED, Part
from fondation.usage.periods import Span

INDEX = "usage_tracking_kind"
RUNNING_INDEX = "usage_tracking_running"
"""Where the calls are that have not ended, and are in no kind yet."""
MOST_KINDS = 500
"""More of them are no help."""
_NOT_RUNNING = "status IS NOT 'running'"
_AT_ONCE = 64
"""Tasks to make of all kinds, at most: so that several threads end at about the same time."""


class Kind(NamedTuple):
    """The columns by which the index begins."""

    agent_name: str
    model: str | None
    requested_model: str | None
    provider: str | None
    purpose: str | None
    status: str | None
    cost_source: str | None

    def key(self, name: str) -> str | None:
        """What it is called where calls are split by this."""
        match name:
            case "agent":
                return self.agent_name
            case "model":
                return self.requested_model if self.model is None else self.model
            case "provider":
                return self.provider
            case _:
                return "answer" if self.purpose is None else self.purpose

    def passes(self, filters: Filters) -> bool:
        return (
            filters.agent in (None, self.agent_name)
            and (filters.model is None or filters.model in (self.model, self.requested_model))
            and filters.provider in (None, self.provider)
        )


GROUPINGS = ("agent", "model", "provider", "purpose")
"""What all calls of a kind have in common."""

_EACH = " AND ".join([_NOT_RUNNING, *(f"{name} IS ?" for name in Kind._fields)])
_SUM = f"SELECT {SUMMED} FROM usage_tracking INDEXED BY {INDEX} WHERE {_EACH} AND timestamp >= ? AND timestamp < ?"
_SUM_BY_COST = f"{_SUM} GROUP BY 2"
"""Where the rows do not say where their cost is from, those that have one are told from those that have none."""


def can_tell_kinds(connection: sqlite3.Connection) -> bool:
    """Whether the ledger has that index: an older one, or one of another program, has not."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (INDEX,))
    return found.fetchone() is not None


def kinds_of(connection: sqlite3.Connection) -> list[Kind] | None:
    """The kinds there are of calls that have ended, in order; None where there are too many to be of use."""
    found: list[Kind] = []
    kind = _first(connection)
    while kind is not None:
        found.append(kind)
        if len(found) > MOST_KINDS:
            return None
        kind = _next(connection, kind)
    return found


class Task(NamedTuple):
    """What one thread does at once."""

    kind: Kind
    spans: Sequence[Span]


def tasks_of(kinds: Sequence[Kind], spans: Sequence[Span]) -> list[Task]:
    """All kinds in all these spans of time."""
    pieces = min(len(spans), max(1, _AT_ONCE // max(1, len(kinds))))
    size = -(-len(spans) // pieces) if pieces else 1
    return [Task(kind, spans[at : at + size]) for kind in kinds for at in range(0, len(spans), size)]


def sum_up(connection: sqlite3.Connection, task: Task) -> list[tuple[Span, Part]]:
    """The calls of the kind, summed up in each of the spans of time in which there are any."""
    return list(_sums(connection, task))


def _sums(connection: sqlite3.Connection, task: Task) -> Iterator[tuple[Span, Part]]:
    query = _SUM_BY_COST if task.kind.cost_source is None else _SUM
    for span in task.spans:
        for row in connection.execute(query, (*task.kind, span.begins, span.ends)):
            part = Part._make(row)
            if part.calls:
                yield span, part


def _first(connection: sqlite3.Connection) -> Kind | None:
    return _find(connection, _NOT_RUNNING, ())


def _next(connection: sqlite3.Connection, kind: Kind) -> Kind | None:
    """The kind after this one: alike in as many columns as can be, in the order of the index, where NULL is first."""
    for length in reversed(range(len(kind))):
        name, value = Kind._fields[length], kind[length]
        alike = [f"{column} IS ?" for column in Kind._fields[:length]]
        after = f"{name} IS NOT NULL" if value is None else f"{name} > ?"
        values = kind[: length if value is None else length + 1]
        found = _find(connection, " AND ".join([_NOT_RUNNING, *alike, after]), values)
        if found is not None:
            return found
    return None


def _find(connection: sqlite3.Connection, condition: str, values: Sequence[str | None]) -> Kind | None:
    names = ", ".join(Kind._fields)
    query = f"SELECT {names} FROM usage_tracking INDEXED BY {INDEX} WHERE {condition} ORDER BY {names} LIMIT 1"
    row = connection.execute(query, values).fetchone()
    return None if row is None else Kind._make(row)
