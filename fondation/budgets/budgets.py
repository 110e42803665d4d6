"""All budgets of a server: what a call is asked for, and what becomes of one that they have no room for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from fondation.agents import Model
from fondation.budgets.budget import Budget, origin_of
from fondation.budgets.estimates import Estimate, Estimates
from fondation.budgets.known import LastKnown
from fondation.budgets.statements import Statement
from fondation.calls import ModelCall, Reservation
from fondation.gate import Go, Proposal, UseModel, Verdict
from fondation.stores.budgets import BudgetStore, BudgetStoreError, Claim, Counter, Decision
from fondation.stores.rows import Row
from fondation.tokens import new_token
from fondation.usage.money import pico

log = logging.getLogger("fondation.budgets")

PATIENCE = 2.0
"""Seconds that a call waits for others to settle."""
SLOW_SECONDS = 1.0
"""A database that takes longer than that, and longer than the patience, is not waited for."""
SHARE_OF_LIMIT = 10
"""A call whose price nobody knows is taken for this part of the limit."""
KNOWN_COSTS = ("billed", "priced", "estimated")
"""The sources of costs that say something of the next call."""
WARN_SECONDS = 0.25
"""How long a stream waits to hear whether the page was warned already."""


Tell: TypeAlias = Callable[[Sequence[Statement]], None]


class Counted(NamedTuple):
    """A counter that a call belongs to, and what was spent of it before."""

    budget: Budget
    counter: Counter
    spent: int
    warned: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """To a proposal."""

    verdict: Verdict
    reservation: Reservation | None = None
    counted: tuple[Counted, ...] = ()
    crossed: tuple[Statement, ...] = ()
    """The budgets that are found to be beyond their `warn_at`, for the first time anywhere."""


class Budgets:
    """Asks for money in the ledger's database; while that fails, goes by what it knows."""

    def __init__(self, budgets: Sequence[Budget], models: Mapping[str, Model], store: BudgetStore) -> None:
        self._budgets = budgets
        self._models = models
        self._store = store
        self._known = LastKnown()
        self._estimates = Estimates()
        self._warnings: set[asyncio.Task[None]] = set()

    async def ask(self, proposal: Proposal, lease: float) -> Answer:
        """Whether a call may be sent, and to which model. What is set aside for it is so for `lease` seconds at most.

        An exceeded budget that names another model is counted for that one, and not asked again.
        """
        model, passed, crossed = proposal.model, set[str](), list[Statement]()
        while True:
            if model.provider.name == "simulated":
                return Answer(_verdict(proposal, model, None), crossed=tuple(crossed))
            claims = await self._claims(proposal, model, passed)
            if not claims:
                return Answer(_verdict(proposal, model, None), crossed=tuple(crossed))
            token = new_token()
            decision = await self._reserve(token, [claim for _, claim in claims], lease)
            counted = tuple(_counted(claims, decision))
            crossed += [_statement(each) for each in counted if each.counter.key in decision.crossed]
            refusing = [each for each in counted if each.counter.key in decision.refused]
            if not refusing:
                reservation = Reservation(token, tuple(each.counter.key for each in counted))
                return Answer(_verdict(proposal, model, reservation), reservation, counted, tuple(crossed))
            stops = [each for each in refusing if each.budget.use is None]
            if stops:
                return Answer(_statement(stops[0]).stop(), crossed=tuple(crossed))
            passed.add(refusing[0].budget.name)  # the others are asked again: they may name another model
            model = self._models[refusing[0].budget.use or ""]
            log.info(
                "run %s: %s answers instead: %s", proposal.run.run_id, model.name, _statement(refusing[0]).sentence()
            )

    def learn(self, row: Row) -> None:
        """What a settled call has cost, as its row tells: the next one will cost about that."""
        values: dict[str, Any] = row
        if values["cost_source"] in KNOWN_COSTS:
            kind = values["agent_name"], values["requested_model"], values["purpose"]
            self._estimates.learn(*kind, pico(values["cost"]))

    def release(self, reservation: Reservation) -> None:
        """The call is not sent."""
        self._known.release(reservation.token)
        self._store.release(reservation.token)

    def settle(self, call: ModelCall, counted: Sequence[Counted]) -> Sequence[Counted]:
        """A call has ended. Returns what it took beyond a `warn_at`, as far as is known here."""
        assert call.reservation is not None
        cost = 0 if call.cost is None else pico(call.cost)
        self._known.settle(call.reservation, cost)
        return [each._replace(spent=each.spent + cost) for each in counted if _crosses(each, cost)]

    async def warn(self, crossing: Sequence[Counted], tell: Tell) -> None:
        """Tell of those that nobody was warned of before. A slow database holds up no stream: it is told later."""
        asking = asyncio.create_task(self._tell_of_new(crossing, tell))
        self._warnings.add(asking)
        asking.add_done_callback(self._warnings.discard)
        await asyncio.wait({asking}, timeout=WARN_SECONDS)

    async def _tell_of_new(self, crossing: Sequence[Counted], tell: Tell) -> None:
        with contextlib.suppress(BudgetStoreError):  # the next reservation finds them
            new = await self._store.warn([each.counter.key for each in crossing])
            tell([_statement(each) for each in crossing if each.counter.key in new])

    async def _claims(self, proposal: Proposal, model: Model, passed: set[str]) -> list[tuple[Budget, Claim]]:
        origin = origin_of(proposal.run, proposal.agent.name, model.id)
        counting = [budget for budget in self._budgets if budget.counts(origin)]
        if not counting:
            return []
        estimate, now = await self._estimates.of(proposal, model, self._store), time.time()
        return [
            (budget, _claim(budget, budget.counter(now, budget.bucket(origin)), estimate, budget.name in passed))
            for budget in counting
        ]

    async def _reserve(self, token: str, claims: Sequence[Claim], lease: float) -> Decision:
        try:
            async with asyncio.timeout(PATIENCE + SLOW_SECONDS):
                decision = await self._store.reserve(token, claims, lease, PATIENCE)
        except BudgetStoreError:  # the store has logged it
            return self._known.decide(token, claims)
        except TimeoutError:
            log.warning("the budgets' database does not answer: a call goes on by what this process knows of them")
            return self._known.decide(token, claims)
        self._known.learn(token, decision)
        return decision


def _claim(budget: Budget, counter: Counter, estimate: Estimate, is_passed: bool) -> Claim:
    amount = budget.limit // SHARE_OF_LIMIT if estimate.amount is None else estimate.amount
    limit = None if is_passed else budget.limit
    return Claim(counter, amount, estimate.least, limit, budget.warn_at, held=estimate.held)


def _counted(claims: Sequence[tuple[Budget, Claim]], decision: Decision) -> Iterator[Counted]:
    for budget, claim in claims:
        standing = decision.standings[claim.counter.key]
        yield Counted(budget, claim.counter, standing.spent, standing.warned)


def _crosses(counted: Counted, cost: int) -> bool:
    warn_at = counted.budget.warn_at
    return warn_at is not None and not counted.warned and counted.spent + cost >= warn_at


def _statement(counted: Counted) -> Statement:
    return Statement(counted.budget, counted.counter, counted.spent)


def _verdict(proposal: Proposal, model: Model, reservation: Reservation | None) -> Verdict:
    return Go(reservation) if model is proposal.model else UseModel(model, reservation)
