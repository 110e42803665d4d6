"""What calls cost, summed over a period and split by what one asks for.

Money is added as integers (`cost_pico`), so a total is the sum of its rows to the last digit.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from itertools import accumulate
from typing import TypeAlias

from fondation.usage.money import from_pico
from fondation.usage.periods import Period
from fondation.usage.reading import calls_of

GROUPINGS = {
    "agent": "agent_name",
    "model": "COALESCE(model, requested_model)",
    "user": "user_id",
    "session": "session_id",
    "day": "local_day(timestamp)",
    "provider": "provider",
}
"""What a report can be split by -> its SQL. A day begins at midnight in the report's time zone."""

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


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums over some calls."""

    runs: int
    calls: int
    """Model calls that were sent, without the two kinds counted apart."""
    refused: int
    """Calls that the provider refused before it charged anything."""
    simulated: int
    """Calls that no model answered; they are in the tokens and not in the money."""
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    """Part of the prompt tokens."""
    cache_write_tokens: int
    """Part of the prompt tokens."""
    reasoning_tokens: int
    """Part of the completion tokens."""
    cost_pico: int
    """The sum of the costs that are known."""
    known_cost_calls: int
    unknown_cost_calls: int
    """Calls whose cost nobody knows, or nobody knows yet."""
    p50_ms: int | None = None
    """The median time until the last byte, over the calls that were answered by a model."""
    p95_ms: int | None = None

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None where no call's cost is known, which is not zero."""
        if self.unknown_cost_calls and not self.known_cost_calls:
            return None
        return from_pico(self.cost_pico)


@dataclass(frozen=True, slots=True)
class Report:
    by: tuple[str, ...]
    groups: list[tuple[Key, Figures]]
    """By name where days are asked for, else the dearest first."""
    total: Figures
    recorded: int
    """How many calls the ledger holds, whatever the filters."""


_SIMULATED = "cost_source IS 'simulated'"
_SUMS = {
    "calls": f"status IS NOT 'refused' AND NOT {_SIMULATED}",
    "refused": f"status IS 'refused' AND NOT {_SIMULATED}",
    "simulated": _SIMULATED,
    "prompt_tokens": "prompt_tokens",
    "completion_tokens": "completion_tokens",
    "total_tokens": "total_tokens",
    "cached_tokens": "cached_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "cost_pico": f"CASE WHEN {_SIMULATED} THEN 0 ELSE cost_pico END",
    "known_cost_calls": "cost_source IN ('billed', 'priced', 'estimated') OR (cost_source IS NULL AND cost <> 0)",
    "unknown_cost_calls": "cost_source IN ('unknown', 'pending') OR (cost_source IS NULL AND cost = 0)",
}
_FIGURES = ", ".join(
    ["COUNT(DISTINCT COALESCE(run_id, 'row ' || id)) AS runs"]
    + [f"COALESCE(SUM({expression}), 0) AS {name}" for name, expression in _SUMS.items()]
)
_ANSWERED = f"duration IS NOT NULL AND COALESCE(status, 'done') = 'done' AND NOT {_SIMULATED}"


def report(connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo) -> Report:
    """Sum the calls that pass the filters, split by `by` (keys of `GROUPINGS`) and in all."""
    connection.create_function("local_day", 1, _local_day(zone), deterministic=True)
    source = _Source(connection, filters)
    connection.execute("BEGIN")  # groups and total are of one moment
    try:
        groups = source.figures([GROUPINGS[name] for name in by])
        total = source.figures([])[()]
        recorded = connection.execute("SELECT COUNT(*) FROM usage_tracking").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    return Report(tuple(by), sorted(groups.items(), key=_order(by)), total, recorded)


class _Source:
    """The calls that pass the filters."""

    def __init__(self, connection: sqlite3.Connection, filters: Filters) -> None:
        self._connection = connection
        conditions, self._values = _conditions(filters)
        self._from = f"FROM {calls_of(connection)} WHERE {' AND '.join(conditions)}"

    def figures(self, keys: Sequence[str]) -> dict[Key, Figures]:
        """Key -> sums; without keys one sum of all, also of no call."""
        durations = self._durations(keys)
        query = f"SELECT {', '.join([*keys, _FIGURES])} {self._from} {_group_by(keys)}"
        figures = {}
        for row in self._connection.execute(query, self._values):
            key, sums = row[: len(keys)], row[len(keys) :]
            figures[key] = Figures(*sums, *(_percentile(durations.get(key, []), share) for share in (50, 95)))
        return figures

    def _durations(self, keys: Sequence[str]) -> dict[Key, list[tuple[int, int]]]:
        """Key -> durations in milliseconds, ascending, each with the number of calls that took it."""
        columns = [*keys, "duration"]
        query = (
            f"SELECT {', '.join(columns)}, COUNT(*) {self._from} AND {_ANSWERED} {_group_by(columns)} ORDER BY duration"
        )
        durations: dict[Key, list[tuple[int, int]]] = defaultdict(list)
        for *key, duration, count in self._connection.execute(query, self._values):
            durations[tuple(key)].append((duration, count))
        return durations


def _conditions(filters: Filters) -> tuple[list[str], dict[str, str | float]]:
    since, until = filters.period.since, filters.period.until
    given: list[tuple[str, str, str | float | None]] = [
        ("since", "timestamp >= :since", None if since is None else since.timestamp()),
        ("until", "timestamp < :until", None if until is None else until.timestamp()),
        ("agent", "agent_name = :agent", filters.agent),
        ("model", ":model IN (model, requested_model)", filters.model),
        ("user", "user_id = :user", filters.user),
        ("session", "session_id = :session", filters.session),
    ]
    conditions, values = ["TRUE"], {}
    for name, condition, value in given:
        if value is not None:
            conditions.append(condition)
            values[name] = value
    return conditions, values


def _group_by(keys: Sequence[str]) -> str:
    """By position: an expression is not repeated."""
    return f"GROUP BY {', '.join(str(number) for number in range(1, len(keys) + 1))}" if keys else ""


def _percentile(durations: list[tuple[int, int]], share: int) -> int | None:
    """The least duration that this share of the calls, in percent, did not exceed."""
    total = sum(count for _, count in durations)
    reached = accumulate(count for _, count in durations)
    return next(
        (duration for (duration, _), n in zip(durations, reached, strict=True) if n * 100 >= total * share), None
    )


def _local_day(zone: tzinfo) -> Callable[[int], str]:
    """unix seconds -> YYYY-MM-DD in the zone. Clocks change on quarters of an hour, so one look a quarter is enough."""

    @cache
    def day_of(quarter: int) -> str:
        return datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).date().isoformat()

    return lambda timestamp: day_of(timestamp // 900)


def _order(by: Sequence[str]) -> Callable[[tuple[Key, Figures]], tuple[object, ...]]:
    def names(group: tuple[Key, Figures]) -> tuple[object, ...]:
        return tuple(name or "" for name in group[0])

    def price_first(group: tuple[Key, Figures]) -> tuple[object, ...]:
        return (-group[1].cost_pico, -group[1].total_tokens, *names(group))

    return names if "day" in by else price_first
