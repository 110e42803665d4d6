"""What is spent of each budget in its present period, added up from the ledger's rows: they are the truth, and need no
server and no counter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import add, sub
from typing import NamedTuple

from fondation.budgets.budget import ANONYMOUS, COLUMNS, Budget
from fondation.budgets.periods import Period
from fondation.stores.sqlite.budget_tables import condition_of
from fondation.usage.reading import calls_of, one_moment

_FIGURES = (
    "COALESCE(SUM(cost_pico), 0)",
    "COUNT(*) FILTER (WHERE status IS NOT 'refused')",
    "COUNT(*) FILTER (WHERE COALESCE(cost_source, cost_pico <> 0, 0) IN ('unknown', 0) "
    "OR (cost_pico IS NULL AND cost_source <> 'pending'))",
    "COUNT(*) FILTER (WHERE cost_source = 'pending')",
    "MAX(timestamp)",
)
"""Where another program wrote the row and says nothing of the cost, what costs nothing may cost anything."""


class Amounts(NamedTuple):
    """Of one bucket, or of several together. Money is in millionths of a millionth of a dollar."""

    spent: int = 0
    reserved: int = 0
    """Set aside for calls under way."""
    calls: int = 0
    """Model calls that were sent, without the refused and the simulated ones."""
    unknown_cost_calls: int = 0
    """Those of them whose cost nobody knows; it is not in what is spent."""
    pending_cost_calls: int = 0
    """Those whose cost is not known yet; it is not in what is spent either."""

    def plus(self, other: Amounts) -> Amounts:
        return Amounts(*map(add, self, other))

    def minus(self, other: Amounts) -> Amounts:
        return Amounts(*map(sub, self, other))


class Bucket(NamedTuple):
    name: str | None
    """Of the run, session, user, agent or model; None where the budget has but one bucket, or rows name none."""
    amounts: Amounts
    last_call: int = 0
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Others:
    """The buckets that are not shown, together."""

    buckets: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Spending:
    """What is spent of a budget in one period."""

    budget: Budget
    period: Period | None
    """None where it never begins anew."""
    buckets: Sequence[Bucket]
    """The most spent first, the newest among equals. A budget without `per` has always one, the others those that have
    a call, or money set aside."""
    others: Others | None
    total: Amounts

    def left(self, amounts: Amounts) -> int:
        """What a bucket may still spend, never below zero."""
        return max(self.budget.limit - amounts.spent - amounts.reserved, 0)


def spendings(
    connection: sqlite3.Connection | None, budgets: Sequence[Budget], now: float, top: int
) -> Sequence[Spending]:
    """Each budget as of a unix time, with `top` buckets of it; all of one moment. Without a ledger nothing is spent."""
    if connection is None:
        return [_spending(budget, (), now, top) for budget in budgets]
    with one_moment(connection):
        return [_spending(budget, _buckets(connection, budget, now), now, top) for budget in budgets]


def _spending(budget: Budget, found: Iterable[Bucket], now: float, top: int) -> Spending:
    tally = _Tally()
    shown = nlargest(top, tally.counted(found), key=_spent_most)
    if budget.per is None and not shown:
        shown = [Bucket(None, Amounts())]
    rest = tally.total
    for bucket in shown:
        rest = rest.minus(bucket.amounts)
    others = Others(tally.count - len(shown), rest) if tally.count > len(shown) else None
    return Spending(budget, budget.period(now), shown, others, tally.total)


class _Tally:
    """Counts buckets that go by: of a budget per run there may be a million."""

    def __init__(self) -> None:
        self.count = 0
        self.total = Amounts()

    def counted(self, buckets: Iterable[Bucket]) -> Iterator[Bucket]:
        for bucket in buckets:
            self.count += 1
            self.total = self.total.plus(bucket.amounts)
            yield bucket


def _spent_most(bucket: Bucket) -> tuple[int, int, str]:
    return bucket.amounts.spent + bucket.amounts.reserved, bucket.last_call, bucket.name or ""


def _buckets(connection: sqlite3.Connection, budget: Budget, now: float) -> Iterator[Bucket]:
    """The buckets of the period that have a call, then those that have money set aside alone."""
    reserved = _reserved(connection, budget, now)
    condition, values = condition_of(budget.scope(now))
    rows = connection.execute(
        f"SELECT {_name(budget)}, {', '.join(_FIGURES)} FROM {calls_of(connection)} "
        f"WHERE {condition} AND cost_source IS NOT 'simulated' GROUP BY 1",
        values,
    )
    for name, spent, calls, unknown, pending, last_call in rows:
        yield Bucket(name, Amounts(spent, reserved.pop(name, 0), calls, unknown, pending), last_call)
    for name, amount in reserved.items():
        yield Bucket(name, Amounts(reserved=amount))


def _name(budget: Budget) -> str:
    """The bucket of a row, in SQL."""
    match budget.per:
        case None:
            return "NULL"
        case "user":
            return f"COALESCE(user_id, '{ANONYMOUS}')"
        case per:
            return COLUMNS[per]


def _reserved(connection: sqlite3.Connection, budget: Budget, now: float) -> dict[str | None, int]:
    """What calls under way have set aside, by bucket; nothing where an older, or another, program made the ledger."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage_reservations'").fetchone():
        return {}
    prefix = budget.counter_prefix(now)
    rows = connection.execute(
        "SELECT substr(counter, length(:prefix) + 1), SUM(amount_pico) FROM usage_reservations "
        "WHERE substr(counter, 1, length(:prefix)) = :prefix AND lease_until > :now GROUP BY counter",
        {"prefix": prefix, "now": now},
    )
    return {bucket or None: amount for bucket, amount in rows}
