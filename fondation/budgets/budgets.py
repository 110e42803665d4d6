"""All budgets of a server: what a call is asked for, and what becomes of one that they have no room for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fondation.agents import Model
from fondation.budgets.budget import Budget
from fondation.budgets.estimates import Estimates
from fondation.budgets.known import LastKnown
from fondation.budgets.reserving import Counted, Reserving, Want
from fondation.budgets.statements import Statement
from fondation.calls import ModelCall, Reservation
from fondation.gate import Go, Proposal, UseModel, Verdict
from fondation.stores.budgets import BudgetStore, BudgetStoreError, Crossing
from fondation.stores.rows import Row
from fondation.usage.money import pico

log = logging.getLogger("fondation.budgets")

KNOWN_COSTS = ("billed", "priced", "estimated")
"""The sources of costs that say something of the next call."""
WARN_SECONDS = 0.25
"""How long a stream waits to hear whether the page was warned already."""


Tell: TypeAlias = Callable[[Sequence[Statement]], None]


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
        self._reserving = Reserving(budgets, store, self._known, self._estimates)
        self._warnings: set[asyncio.Task[None]] = set()

    async def ask(self, proposal: Proposal, lease: float) -> Answer:
        """Whether a call may be sent, and to which model. What is set aside for it is so for `lease` seconds at most.

        An exceeded budget that names another model is counted for that one, and not asked again; nor is it where that
        model is proposed at once. No model is tried twice.
        """
        want = Want(proposal, proposal.model, self._standing_in(proposal.model))
        tried, crossed = {proposal.model.name}, list[Statement]()
        while want.model.provider.name != "simulated":
            taken = await self._reserving.take(want, lease)
            crossed += [each.statement() for each in taken.crossed]
            if not taken.counted:
                break
            if not taken.refusing:
                verdict = _verdict(want, taken.reservation)
                return Answer(verdict, taken.reservation, taken.counted, tuple(crossed))
            stopping = _stopping(taken.refusing, tried)
            if stopping is not None:
                return Answer(stopping.statement().stop(), crossed=tuple(crossed))
            want = self._instead(want, taken.refusing, tried)  # the others are asked again: they may name another model
            tried.add(want.model.name)
        return Answer(_verdict(want, None), crossed=tuple(crossed))

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
        """A call has ended. Returns what may be beyond a `warn_at` now, as far as is known here."""
        assert call.reservation is not None
        cost = 0 if call.cost is None else pico(call.cost)
        self._known.settle(call.reservation, cost)
        if call.cost is not None:
            self._store.amend(call.reservation.token, cost)
        return [each for each in counted if self._may_cross(each, cost)]

    async def warn(self, crossing: Sequence[Counted], tell: Tell) -> None:
        """Tell of those that nobody was warned of before. A slow database holds up no stream: it is told later."""
        asking = asyncio.create_task(self._tell_of_new(crossing, tell))
        self._warnings.add(asking)
        asking.add_done_callback(self._warnings.discard)
        await asyncio.wait({asking}, timeout=WARN_SECONDS)

    def _instead(self, want: Want, refusing: Iterable[Counted], tried: set[str]) -> Want:
        """The call to the first model that is named and was not tried."""
        refusal = next(each for each in refusing if each.budget.use not in tried)
        model, sentence = self._models[refusal.budget.use or ""], refusal.statement().sentence()
        log.info("run %s: %s answers instead: %s", want.proposal.run.run_id, model.name, sentence)
        passed = want.unchecked - self._standing_in(want.proposal.model)
        return Want(want.proposal, model, passed | {refusal.budget.name})

    def _standing_in(self, model: Model) -> frozenset[str]:
        """The budgets for which a model answers that no other could stand in for."""
        return frozenset(budget.name for budget in self._budgets if budget.use == model.name)

    def _may_cross(self, counted: Counted, cost: int) -> bool:
        """Calls beside this one may have ended, and those that have not may cost more than they set aside."""
        warn_at = counted.claim.warn_at
        if warn_at is None or counted.standing.warned:
            return False
        seen = counted.standing.spent + counted.standing.reserved + cost
        return max(seen, self._known.total(counted.counter.key)) >= warn_at

    async def _tell_of_new(self, crossing: Sequence[Counted], tell: Tell) -> None:
        crossings = [
            Crossing(each.counter.key, each.claim.warn_at, self._known.costs_since(each.counter.key))
            for each in crossing
            if each.claim.warn_at is not None
        ]
        with contextlib.suppress(BudgetStoreError):  # the next reservation finds them
            spent = await self._store.warn(crossings)
            new = [each for each in crossing if each.counter.key in spent]
            tell([Statement(each.budget, each.counter, spent[each.counter.key]) for each in new])


def _stopping(refusing: Sequence[Counted], tried: set[str]) -> Counted | None:
    """The budget that ends the run; None where each names a model, and one of these was not tried."""
    stops = [each for each in refusing if each.budget.use is None]
    if stops:
        return stops[0]
    return refusing[0] if all(each.budget.use in tried for each in refusing) else None


def _verdict(want: Want, reservation: Reservation | None) -> Verdict:
    return Go(reservation) if want.model is want.proposal.model else UseModel(want.model, reservation)
