"""A budget: which calls it counts, in which bucket and period, and how much they may cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Literal, TypeAlias
from zoneinfo import ZoneInfo

from fondation.budgets.periods import Every, Period, period_of
from fondation.stores.budgets import Column, Counter, Scope

if TYPE_CHECKING:
    from fondation.calls import RunInfo
    from fondation.config import BudgetConfig, Config

Per: TypeAlias = Literal["run", "session", "user", "agent", "model"]
Origin: TypeAlias = Mapping[Column, str | None]
"""Whom a call belongs to, in the columns of its row."""

ANONYMOUS = "anonymous"
"""The bucket of all who are no user."""
COLUMNS: Mapping[Per, Column] = {
    "run": "run_id",
    "session": "session_id",
    "user": "user_id",
    "agent": "agent_name",
    "model": "requested_model",
}
"""What a budget is `per` -> the column that names its buckets."""

DAY = 86_400.0
KEPT_FOR = 40 * DAY
"""A counter without an end, and without use, is kept so long; that of a run for a day."""


def origin_of(run: RunInfo, agent: str, model_id: str) -> Origin:
    """Of a call of an agent to a model, which is known by its provider's name for it."""
    return {
        "run_id": run.run_id,
        "session_id": run.session_id,
        "user_id": run.user_id,
        "agent_name": agent,
        "requested_model": model_id,
    }


@dataclass(frozen=True, slots=True)
class Budget:
    """Amounts are in millionths of a millionth of a dollar."""

    name: str
    limit: int
    zone: tzinfo
    """Its periods are of this time zone."""
    per: Per | None = None
    """None: everyone has one bucket together."""
    where: Mapping[Column, tuple[str | None, ...]] = field(default_factory=dict)
    """Column -> the values that are counted."""
    every: Every | None = None
    """None: it never begins anew."""
    warn_at: int | None = None
    use: str | None = None
    """The model of the file that answers instead once it is exceeded; None: nothing does."""
    on_warn: str | None = None
    """An entry point."""
    _mark: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_mark", _mark_of(self))

    def counts(self, origin: Origin) -> bool:
        return all(origin[column] in allowed for column, allowed in self.where.items())

    def period(self, moment: float) -> Period | None:
        """The period of a unix time; None where there is but one."""
        return None if self.every is None else period_of(self.every, moment, self.zone)

    def bucket(self, origin: Origin) -> str:
        return "" if self.per is None else origin[COLUMNS[self.per]] or ANONYMOUS

    def scope(self, moment: float, bucket: str | None = None) -> Scope:
        """The rows of the period of a unix time, in one bucket or in all."""
        return self._scope(self.period(moment), bucket)

    def counter(self, moment: float, bucket: str) -> Counter:
        """What counts one bucket in the period of a unix time."""
        period = self.period(moment)
        return Counter(
            key=f"{self._prefix(period)}{bucket}",
            budget=self.name,
            bucket=bucket,
            scope=self._scope(period, bucket),
            kept_for=DAY if self.per == "run" or self.every is not None else KEPT_FOR,
        )

    def counter_prefix(self, moment: float) -> str:
        """What the keys of all counters of a period begin with, their bucket being the rest: the budget's name, the
        period's start, and a mark of what the budget counts.
        """
        return self._prefix(self.period(moment))

    def _scope(self, period: Period | None, bucket: str | None) -> Scope:
        matches = dict(self.where)
        if self.per is not None and bucket is not None:
            matches[COLUMNS[self.per]] = _values(self.per, bucket)
        return Scope(matches) if period is None else Scope(matches, *period)

    def _prefix(self, period: Period | None) -> str:
        start = "always" if period is None else utc_text(period.starts)
        return f"{self.name} {start} {self._mark} "


def _mark_of(budget: Budget) -> str:
    where = {column: sorted(str(value) for value in allowed) for column, allowed in budget.where.items()}
    scope = json.dumps([budget.per, budget.every, where, str(budget.zone)], sort_keys=True)
    return hashlib.sha256(scope.encode()).hexdigest()[:8]


def utc_text(moment: float) -> str:
    """A unix time as ISO 8601 in UTC: `2026-11-24T00:00:00Z`."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def budgets_of(config: Config) -> tuple[Budget, ...]:
    """The budgets of a file, in its order."""
    return tuple(_budget(budget, config) for budget in config.budgets)


def _budget(budget: BudgetConfig, config: Config) -> Budget:
    return Budget(
        name=budget.name,
        limit=budget.limit,
        zone=ZoneInfo(config.usage.timezone),
        per=budget.per,
        where=dict(_where(budget, config)),
        every=budget.every,
        warn_at=None if budget.warn_at is None else int(budget.limit * budget.warn_at),
        use=budget.substitute,
        on_warn=budget.on_warn,
    )


def _where(budget: BudgetConfig, config: Config) -> Iterator[tuple[Column, tuple[str | None, ...]]]:
    if (where := budget.where) is None:
        return
    if where.agent is not None:
        yield "agent_name", tuple(where.agent)
    if where.model is not None:
        yield "requested_model", tuple(config.models[name].id for name in where.model)
    if where.user is not None:
        yield "user_id", tuple(value for user in where.user for value in _values("user", user))


def _values(per: Per, bucket: str) -> tuple[str | None, ...]:
    """What the column holds in the rows of a bucket."""
    return (bucket, None) if per == "user" and bucket == ANONYMOUS else (bucket,)
