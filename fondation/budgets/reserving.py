"""How money is set aside for one call, in every budget that counts it: an estimate, and some patience with others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fondation.agents import Model
from fondation.budgets.budget import Budget, origin_of
from fondation.budgets.estimates import Estimate, Estimates
from fondation.budgets.known import LastKnown
from fondation.budgets.statements import Statement
from fondation.calls import Reservation
from fondation.gate import Proposal
from fondation.stores.budgets import BudgetStore, BudgetStoreError, Claim, Counter, Decision, Standing, may_fit_later
from fondation.tokens import new_token

log = logging.getLogger("fondation.budgets")

PATIENCE = 2.0
"""Seconds that a call waits for others to settle."""
LOOK_SECONDS = 0.25
"""A call that waits is estimated anew so often: others that end meanwhile tell what it will cost."""
PAUSE_SECONDS = 0.05
"""Between two looks at what this process knows, while the database fails."""
SLOW_SECONDS = 1.0
"""A database that takes longer than that, and longer than the patience, is not waited for."""
SHARE_OF_LIMIT = 10
"""A call whose price nobody knows is taken for this part of the limit."""


class Counted(NamedTuple):
    """A budget that a call belongs to, and how its counter stood before."""

    budget: Budget
    claim: Claim
    standing: Standing

    @property
    def counter(self) -> Counter:
        return self.claim.counter

    def statement(self) -> Statement:
        """How much was spent, and what leaves no room where it is not that."""
        spent, reserved = self.standing.used, self.standing.reserved
        is_crowded = self.claim.granted(spent, reserved) is None and self.claim.granted(spent, 0) is not None
        set_aside = reserved if is_crowded else 0
        return Statement(self.budget, self.counter, self.standing.spent, set_aside, self.standing.held)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for one call."""

    token: str
    counted: tuple[Counted, ...]
    """Empty where no budget counts the call."""
    refusing: tuple[Counted, ...] = ()
    """Those without room; nothing is set aside then."""
    crossed: tuple[Counted, ...] = ()
    """Those that are found beyond their `warn_at`, for the first time anywhere."""

    @property
    def reservation(self) -> Reservation:
        return Reservation(self.token, tuple(each.counter.key for each in self.counted))


@dataclass(frozen=True, slots=True)
class Want:
    """A call to a model, which may be another than the proposed one."""

    proposal: Proposal
    model: Model
    unchecked: frozenset[str] = frozenset()
    """The budgets that only count it."""


class Reserving:
    """Asks the ledger's database; while that fails, goes by what this process knows."""

    def __init__(self, budgets: Sequence[Budget], store: BudgetStore, known: LastKnown, estimates: Estimates) -> None:
        self._budgets = budgets
        self._store = store
        self._known = known
        self._estimates = estimates

    async def take(self, want: Want, lease: float) -> Taken:
        """Set money aside, at all budgets or at none, for at most `lease` seconds."""
        token, give_up_at = new_token(), time.monotonic() + PATIENCE
        crossed: set[str] = set()
        claims = await self._claims(want)
        while claims:
            decision = await self._look(token, [claim for _, claim in claims], lease, give_up_at)
            crossed.update(decision.crossed)
            if not decision.refused or time.monotonic() >= give_up_at:
                return _taken(token, claims, decision, crossed)
            newer = await self._claims(want)
            if newer == claims and not may_fit_later([claim for _, claim in claims], decision):
                return _taken(token, claims, decision, crossed)
            claims = newer
        return Taken(token, ())

    async def _claims(self, want: Want) -> list[tuple[Budget, Claim]]:
        origin = origin_of(want.proposal.run, want.proposal.agent.name, want.model.id)
        counting = [budget for budget in self._budgets if budget.counts(origin)]
        if not counting:
            return []
        estimate, now = await self._estimates.of(want.proposal, want.model, self._store), time.time()
        return [
            (budget, _claim(budget, budget.counter(now, budget.bucket(origin)), estimate, want)) for budget in counting
        ]

    async def _look(self, token: str, claims: Sequence[Claim], lease: float, give_up_at: float) -> Decision:
        left = max(0.0, give_up_at - time.monotonic())
        try:
            async with asyncio.timeout(left + SLOW_SECONDS):
                decision = await self._store.reserve(token, claims, lease, min(LOOK_SECONDS, left))
        except BudgetStoreError:  # the store has logged it
            return await self._look_alone(token, claims)
        except TimeoutError:
            log.warning("the budgets' database does not answer: a call goes on by what this process knows of them")
            return self._known.decide(token, claims)
        self._known.learn(token, decision)
        return decision

    async def _look_alone(self, token: str, claims: Sequence[Claim]) -> Decision:
        decision = self._known.decide(token, claims)
        if decision.refused and may_fit_later(claims, decision):
            await asyncio.sleep(PAUSE_SECONDS)
        return decision


def _claim(budget: Budget, counter: Counter, estimate: Estimate, want: Want) -> Claim:
    amount = budget.limit // SHARE_OF_LIMIT if estimate.amount is None else estimate.amount
    limit = None if budget.name in want.unchecked else budget.limit
    return Claim(counter, amount, estimate.least, limit, budget.warn_at, held=estimate.held)


def _taken(token: str, claims: Sequence[tuple[Budget, Claim]], decision: Decision, crossed: set[str]) -> Taken:
    counted = tuple(Counted(budget, claim, decision.standings[claim.counter.key]) for budget, claim in claims)
    return Taken(
        token,
        counted,
        refusing=tuple(each for each in counted if each.counter.key in decision.refused),
        crossed=tuple(each for each in counted if each.counter.key in crossed),
    )
