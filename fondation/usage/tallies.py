"""The calls of a period, tallied for each group of them: day by day, so that a day is the time zone's own and what
SQL has to sort is little."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TypeAlias

from fondation.usage.figures import Part, Tally
from fondation.usage.periods import Day, Period, day_of
from fondation.usage.reading import calls_of, one_moment, timed_calls_of

GROUPINGS = ("agent", "model", "user", "session", "day", "provider", "purpose")
"""What calls can be split by, beside their labels. A day begins at midnight in the report's time zone."""

_EXPRESSIONS = {
    "agent": "agent_name",
    "model": "COALESCE(model, requested_model)",
    "user": "user_id",
    "session": "session_id",
    "provider": "provider",
    "purpose": "COALESCE(purpose, 'answer')",
}
_SUMS = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_pico",
)
_ARRAYS = (
    "json_group_array(COALESCE(run_id, id))",
    *(f"json_group_array({name}) FILTER (WHERE {name} IS NOT NULL)" for name in ("duration", "time_to_first_token")),
)
_PARTS = (
    "status",
    "COALESCE(cost_source, cost_pico <> 0)",
    "COUNT(*)",
    *(f"COALESCE(SUM({name}), 0)" for name in _SUMS),
)

_EARLIEST = -(2**63)

Key: TypeAlias = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls a report is about; None is all of them."""

    period: Period = field(default_factory=Period)
    agent: str | None = None
    model: str | None = None
    """The model that was asked for, or the one that answered."""
    user: str | None = None
    session: str | None = None
    provider: str | None = None
    run: str | None = None


def tally(connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo) -> dict[Key, Tally]:
    """The calls that pass the filters, split by `by`: keys of `GROUPINGS` or names of labels. All of one moment."""
    with one_moment(connection):
        reader = _Reader(connection, filters, by)
        since = filters.period.since
        moment = reader.next_moment(_EARLIEST if since is None else since.timestamp())
        while moment is not None:
            day = day_of(moment, zone)
            reader.read(moment, day)
            moment = reader.next_moment(day.ends)
    return reader.tallies


class _Reader:
    def __init__(self, connection: sqlite3.Connection, filters: Filters, by: Sequence[str]) -> None:
        self._execute = connection.execute
        self._by = by
        self.tallies: dict[Key, Tally] = {}
        calls = timed_calls_of(connection)
        conditions, self._values = _conditions(filters)
        names = [name for name in by if name != "day"]
        labels = {f"label_{number}": name for number, name in enumerate(names) if name not in GROUPINGS}
        self._values.update(labels)
        keys = [_EXPRESSIONS.get(name) or _label(f"label_{number}") for number, name in enumerate(names)]
        kinds = [*keys, *_PARTS[:2]]
        self._first = f"SELECT timestamp FROM {calls} WHERE {conditions} ORDER BY timestamp LIMIT 1"
        self._sum = (
            f"SELECT {', '.join([*keys, *_PARTS, *_ARRAYS])} FROM {calls} WHERE {conditions} AND timestamp < :ends "
            f"GROUP BY {', '.join(str(number + 1) for number in range(len(kinds)))}"  # by position: no expression twice
        )

    def next_moment(self, begins: float) -> int | None:
        """When the first call began that began at this unix time or later."""
        row: tuple[int] | None = self._execute(self._first, {**self._values, "begins": begins}).fetchone()
        return None if row is None else row[0]

    def read(self, begins: int, day: Day) -> None:
        """Count in the calls from this unix time to the end of the day."""
        keys = len(self._by) - ("day" in self._by)
        for row in self._execute(self._sum, {**self._values, "begins": begins, "ends": day.ends}):
            key = row[:keys]
            if "day" in self._by:
                place = self._by.index("day")
                key = (*key[:place], day.name, *key[place:])
            self.tallies.setdefault(key, Tally()).add(Part._make(row[keys:-3]), *row[-3:])


def labels_of(connection: sqlite3.Connection) -> list[str]:
    """The names of all the labels that calls have."""
    labelled = f"(SELECT labels FROM {calls_of(connection)} WHERE json_valid(labels))"
    names = connection.execute(f"SELECT DISTINCT key FROM {labelled} AS calls, json_each(calls.labels)")
    return sorted(name for (name,) in names if isinstance(name, str))


def _label(parameter: str) -> str:
    value = f"(SELECT value FROM json_each(labels) WHERE key = :{parameter})"
    return f"CASE WHEN json_valid(labels) THEN CAST({value} AS TEXT) END"


def _conditions(filters: Filters) -> tuple[str, dict[str, str | float]]:
    """What a call must be, beginning with its time, and the values for it."""
    until = filters.period.until
    given: list[tuple[str, str, str | float | None]] = [
        ("until", "timestamp < :until", None if until is None else until.timestamp()),
        ("agent", "agent_name = :agent", filters.agent),
        ("model", ":model IN (model, requested_model)", filters.model),
        ("user", "user_id = :user", filters.user),
        ("session", "session_id = :session", filters.session),
        ("provider", "provider = :provider", filters.provider),
        ("run", "run_id = :run", filters.run),
    ]
    conditions, values = ["timestamp >= :begins"], {}
    for name, condition, value in given:
        if value is not None:
            conditions.append(condition)
            values[name] = value
    return " AND ".join(conditions), values
