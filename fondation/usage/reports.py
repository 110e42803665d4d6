"""What calls cost, summed over a period and split by what one asks for.

Real and simulated calls are never in one sum. Money is added as integers (`cost_pico`), so a total is the sum of its
rows to the last digit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import NamedTuple, TypeAlias

from fondation.usage.money import from_pico
from fondation.usage.periods import Period
from fondation.usage.reading import calls_of

GROUPINGS = {
    "agent": "agent_name",
    "model": "COALESCE(model, requested_model)",
    "user": "user_id",
    "session": "session_id",
    "day": "local_day(timestamp / 900)",
    "provider": "provider",
    "purpose": "COALESCE(purpose, 'answer')",
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
    """The sums over some calls: of real ones, but for those that say `simulated`."""

    runs: int
    """Runs with a real call in them."""
    calls: int
    """Model calls that were sent, without the refused ones."""
    refused: int
    """Calls that the provider refused before it charged anything."""
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
    p50_ms: int | None
    """The median time until the last byte, over the calls that were answered, of all models together."""
    p95_ms: int | None
    simulated_runs: int
    """Runs with a simulated call in them."""
    simulated: int
    """Calls that no model answered and nobody pays for."""
    simulated_tokens: int

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


_TOKENS = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


def report(connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo) -> Report:
    """Sum the calls that pass the filters, split by `by` (one or more keys of `GROUPINGS`) and in all."""
    recorded = connection.execute("SELECT COUNT(*) FROM usage_tracking").fetchone()[0]
    groups = _read_groups(connection, filters, by, zone)
    figures = [(key, _figures(parts)) for key, parts in groups.items()]
    total = _figures([part for parts in groups.values() for part in parts])
    return Report(tuple(by), sorted(figures, key=_order(by)), total, recorded)


class _Gathered:
    """What calls have that cannot be added up: in SQL each kind of it would be another sort of all of them."""

    __slots__ = ("durations", "number", "runs")

    def __init__(self, number: int) -> None:
        self.number = number
        self.runs: set[str | int] = set()
        self.durations: list[int] = []

    def step(self, run: str | int, duration: int | None) -> None:
        self.runs.add(run)
        if duration is not None:
            self.durations.append(duration)

    def finalize(self) -> int:
        return self.number


class _Part(NamedTuple):
    """The calls of a group that count alike."""

    status: str | None
    cost_source: str | None
    has_cost: bool
    calls: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_pico: int
    gathered: _Gathered

    @property
    def is_known(self) -> bool:
        """Whether the cost is known. Where another program wrote the row, what costs nothing may cost anything."""
        return self.has_cost if self.cost_source is None else self.cost_source in ("billed", "priced", "estimated")

    @property
    def is_unknown(self) -> bool:
        """Whether there may be a cost that is not known. What was refused is neither."""
        return not self.has_cost if self.cost_source is None else self.cost_source in ("unknown", "pending")


def _read_groups(
    connection: sqlite3.Connection, filters: Filters, by: Sequence[str], zone: tzinfo
) -> dict[Key, list[_Part]]:
    """One pass over the table: all figures are of one moment."""
    gathered: list[_Gathered] = []

    def gather() -> _Gathered:
        gathered.append(_Gathered(len(gathered)))
        return gathered[-1]

    connection.create_function("local_day", 1, _local_day(zone), deterministic=True)
    connection.create_aggregate("gather", 2, gather)  # type: ignore[arg-type]  # the stubs know one argument only
    conditions, values = _conditions(filters)
    kinds = [*(GROUPINGS[name] for name in by), "status", "cost_source", "cost <> 0"]
    sums = [*(f"COALESCE(SUM({name}), 0)" for name in _TOKENS), "SUM(cost_pico)"]
    numbers = ", ".join(str(number) for number in range(1, len(kinds) + 1))  # by position: no expression twice
    query = (
        f"SELECT {', '.join(kinds)}, COUNT(*), {', '.join(sums)}, gather(COALESCE(run_id, id), duration) "
        f"FROM {calls_of(connection)} WHERE {' AND '.join(conditions)} GROUP BY {numbers}"
    )
    groups: dict[Key, list[_Part]] = {}
    for row in connection.execute(query, values):
        groups.setdefault(row[: len(by)], []).append(_Part._make([*row[len(by) : -1], gathered[row[-1]]]))
    return groups


def _figures(parts: Sequence[_Part]) -> Figures:
    real = [part for part in parts if part.cost_source != "simulated"]
    simulated = [part for part in parts if part.cost_source == "simulated"]
    p50, p95 = _percentiles([part.gathered.durations for part in real if part.status in ("done", None)], 50, 95)
    return Figures(
        runs=_count_runs(real),
        calls=sum(part.calls for part in real if part.status != "refused"),
        refused=sum(part.calls for part in real if part.status == "refused"),
        prompt_tokens=sum(part.prompt_tokens for part in real),
        completion_tokens=sum(part.completion_tokens for part in real),
        total_tokens=sum(part.total_tokens for part in real),
        cached_tokens=sum(part.cached_tokens for part in real),
        cache_write_tokens=sum(part.cache_write_tokens for part in real),
        reasoning_tokens=sum(part.reasoning_tokens for part in real),
        cost_pico=sum(part.cost_pico for part in real),
        known_cost_calls=sum(part.calls for part in real if part.is_known),
        unknown_cost_calls=sum(part.calls for part in real if part.is_unknown),
        p50_ms=p50,
        p95_ms=p95,
        simulated_runs=_count_runs(simulated),
        simulated=sum(part.calls for part in simulated),
        simulated_tokens=sum(part.total_tokens for part in simulated),
    )


def _count_runs(parts: Sequence[_Part]) -> int:
    return len(set().union(*(part.gathered.runs for part in parts)))


def _percentiles(parts: Sequence[list[int]], *shares: int) -> list[int | None]:
    """For each share, in percent, the least duration that this share of them does not exceed."""
    durations = sorted(chain.from_iterable(parts))
    return [durations[-(-len(durations) * share // 100) - 1] if durations else None for share in shares]


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


def _local_day(zone: tzinfo) -> Callable[[int], str]:
    """Quarter of an hour since 1970 -> YYYY-MM-DD in the zone. Clocks change on quarters, and there are few of them."""

    @cache
    def day_of(quarter: int) -> str:
        return datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).date().isoformat()

    return day_of


def _order(by: Sequence[str]) -> Callable[[tuple[Key, Figures]], tuple[object, ...]]:
    def names(group: tuple[Key, Figures]) -> tuple[object, ...]:
        return tuple(name or "" for name in group[0])

    def price_first(group: tuple[Key, Figures]) -> tuple[object, ...]:
        figures = group[1]
        return (-figures.cost_pico, -figures.total_tokens, -figures.simulated_tokens, *names(group))

    return names if "day" in by else price_first
