"""Calls of any groups, which SQL must sort to sum them up: by user, session or label, or where kinds are of no help."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fondation.usage.filters import Filters, conditions
from fondation.usage.parts import SUMMED, Part
from fondation.usage.periods import Span

_EXPRESSIONS = {
    "agent": "agent_name",
    "model": "COALESCE(model, requested_model)",
    "user": "user_id",
    "session": "session_id",
    "provider": "provider",
    "purpose": "COALESCE(purpose, 'answer')",
}
_LABEL = "CAST((SELECT value FROM json_each(:labels) WHERE key = :name) AS TEXT)"

Key: TypeAlias = tuple[str | None, ...]
Row: TypeAlias = tuple[Key, Part]


@dataclass(frozen=True, slots=True)
class Source:
    """Where calls are read from: a table, or a query in parentheses."""

    calls: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A stretch of the table, by id, up to and without its end."""

    begins: int
    ends: int
    day: None = None


class Sorting:
    """Sums up calls that pass the filters, split by `by`, in whichever thread."""

    def __init__(self, source: Source, filters: Filters, by: Sequence[str]) -> None:
        self._by = by
        self._names = [name for name in by if name != "day"]
        # what a label's value is, is read once for all calls with these labels; + hinders an order that no sum needs
        keys = [f"+{_EXPRESSIONS.get(name, 'labels')}" for name in self._names]
        needed, self._values = conditions(filters)
        if source.condition:
            needed.append(source.condition)
        self._head = f"SELECT {', '.join([*keys, SUMMED])} FROM {source.calls} WHERE "
        groups = ", ".join(str(number + 1) for number in range(len(keys) + 2))  # by position: no expression twice
        self._tail = "".join(f" AND {condition}" for condition in needed) + f" GROUP BY {groups}"

    def __call__(self, connection: sqlite3.Connection, stretches: Sequence[Span | Rows]) -> list[Row]:
        """The sums over each of the stretches."""
        return list(self._sums(connection, stretches))

    def _sums(self, connection: sqlite3.Connection, stretches: Sequence[Span | Rows]) -> Iterator[Row]:
        value = _values_of_labels(connection)
        labels = [(place, name) for place, name in enumerate(self._names) if name not in _EXPRESSIONS]
        place_of_day = self._by.index("day") if "day" in self._by else None
        count = len(self._names)
        for stretch in stretches:
            column = "id" if isinstance(stretch, Rows) else "timestamp"
            query = f"{self._head}{column} >= :begins AND {column} < :ends{self._tail}"
            values = {**self._values, "begins": stretch.begins, "ends": stretch.ends}
            for row in connection.execute(query, values):
                key = row[:count]
                if labels:
                    named = dict(labels)
                    key = tuple(value(text, named[at]) if at in named else text for at, text in enumerate(key))
                if place_of_day is not None:
                    key = (*key[:place_of_day], stretch.day, *key[place_of_day:])
                yield key, Part._make(row[count:])


def _values_of_labels(connection: sqlite3.Connection) -> Callable[[str | None, str], str | None]:
    """What a label is, in the text of all the labels of a call."""
    known: dict[tuple[str | None, str], str | None] = {}
    query = f"SELECT CASE WHEN json_valid(:labels) THEN {_LABEL} END"

    def value(labels: str | None, name: str) -> str | None:
        if (labels, name) not in known:
            known[labels, name] = connection.execute(query, {"labels": labels, "name": name}).fetchone()[0]
        return known[labels, name]

    return value
