"""The account of a run: what its calls are asked for, at several budgets at once, and what its page is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fondation.agents import Model
from fondation.budgets import budgets as budgets_module
from fondation.budgets import reserving
from fondation.budgets.account import BudgetAccount
from fondation.budgets.budget import Budget
from fondation.budgets.budgets import Budgets
from fondation.budgets.warnings import BudgetEvent, Warnings
from fondation.calls import ModelCall, Purpose, Reservation, RunInfo
from fondation.events import Batch, CallEnded, CallStarted, DataSent, RunFinished, RunStarted, StepStarted
from fondation.gate import Go, Proposal, Stop, UseModel
from fondation.providers.base import ModelRequest
from fondation.run_request import RunRequest, Start
from fondation.server.ledger import telling
from fondation.stores.budgets import BudgetStoreError, Claim, Crossing, Decision, Standing, decide
from fondation.summary import summarize
from tests.support.scripted import Player, ScriptedProvider, build_route_on

CENT = 10**10
RUN = RunInfo("run_1", "s1", user_id="ada")


class Till:
    """A budget store in memory."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.reserved: dict[str, dict[str, int]] = {}
        """Token -> budget -> amount."""
        self.limits: list[dict[str, int | None]] = []
        """What each question was checked against."""
        self.released: list[str] = []
        self.warned: set[str] = set()
        self.fails = False
        self.hangs = False
        self.answers = asyncio.Event()
        """Whether it says who was warned."""
        self.answers.set()

    async def reserve(self, token: str, claims: Sequence[Claim], lease: float, patience: float) -> Decision:
        if self.hangs:
            await asyncio.sleep(60)
        if self.fails:
            raise BudgetStoreError("locked")
        self.limits.append({claim.counter.budget: claim.limit for claim in claims})
        standings = {
            claim.counter.key: Standing(
                self.spent.get(claim.counter.budget, 0),
                sum(held.get(claim.counter.key, 0) for held in self.reserved.values()),
                claim.counter.budget in self.warned,
            )
            for claim in claims
        }
        crossed = [claim for claim in claims if claim.warn_at is not None and self._crosses(claim)]
        self.warned.update(claim.counter.budget for claim in crossed)
        decision = decide(claims, standings, tuple(claim.counter.key for claim in crossed))
        if decision.granted:
            self.reserved[token] = dict(decision.granted)
        return decision

    def _crosses(self, claim: Claim) -> bool:
        budget = claim.counter.budget
        return claim.warn_at is not None and self.spent.get(budget, 0) >= claim.warn_at and budget not in self.warned

    def amend(self, token: str, amount: int) -> None:
        pass

    def release(self, token: str) -> None:
        self.released.append(token)
        self.reserved.pop(token, None)

    async def warn(self, crossings: Sequence[Crossing]) -> Mapping[str, int]:
        await self.answers.wait()
        if self.fails:
            raise BudgetStoreError("locked")
        spent = {each.key: self._spent(each) for each in crossings if self._spent(each) >= each.warn_at}
        new = {key: amount for key, amount in spent.items() if key.partition(" ")[0] not in self.warned}
        self.warned.update(key.partition(" ")[0] for key in new)
        return new

    def _spent(self, crossing: Crossing) -> int:
        """With what is in no row yet: here none ever is."""
        return self.spent.get(crossing.key.partition(" ")[0], 0) + sum(
            cost for token, cost in crossing.costs.items() if token in self.reserved
        )

    async def costs(self, agent: str, model: str, purpose: Purpose, most: int) -> Sequence[int]:
        return [CENT]

    async def tidy(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


MODELS = {
    name: Model(name, f"acme/{name}", ScriptedProvider([]), retries=0, price=None)
    for name in ("main", "cheap", "cheaper")
}
FREE = Model("free", "acme/free", ScriptedProvider([], name="simulated"), retries=0, price=None)
ROUTE = build_route_on(MODELS["main"], {"Ann": Player()})


def budget(name: str, limit: int = 10, **fields: Any) -> Budget:
    return replace(Budget(name, limit * CENT, ZoneInfo("UTC")), **fields)


def account(till: Till, *budgets: Budget) -> BudgetAccount:
    return BudgetAccount(Budgets(budgets, {**MODELS, "free": FREE}, till), Warnings({}), RUN, 60)


def proposal(model: str = "main") -> Proposal:
    return Proposal(RUN, ROUTE.agent, MODELS[model], ModelRequest(()))


def first_request() -> RunRequest:
    return RunRequest(RUN, ROUTE, Start(ROUTE.agent), (), "msg_1")


def call_of(reservation: Reservation | None, cost: float | None = None) -> ModelCall:
    call = ModelCall("Ann", "openrouter", "acme/main", ("Ann",), reservation=reservation)
    if cost is not None:
        call.cost, call.cost_source, call.status, call.ended = cost, "billed", "done", call.started + 1
    return call


async def told(of: BudgetAccount, *batches: Batch) -> list[Batch]:
    async def events() -> Any:
        for batch in batches:
            yield batch

    return [batch async for batch in of.watch(events())]


def finished() -> RunFinished:
    return RunFinished(summarize("run_1", "msg_1", ["Ann"], [], 1, None))


async def test_money_is_set_aside_at_every_budget_that_counts_the_call() -> None:
    till = Till()
    counted = account(till, budget("a"), budget("b", per="user"), budget("c", where={"agent_name": ("Bob",)}))
    verdict = await counted.gate(proposal())
    assert isinstance(verdict, Go)
    assert verdict.reservation is not None
    assert [key.split(" ")[0::3] for key in verdict.reservation.counters] == [["a", ""], ["b", "ada"]]
    assert till.reserved == {verdict.reservation.token: dict.fromkeys(verdict.reservation.counters, CENT * 3 // 2)}


async def test_a_call_that_no_budget_counts_is_asked_for_nothing() -> None:
    till = Till()
    assert await account(till, budget("a", where={"agent_name": ("Bob",)})).gate(proposal()) == Go()
    assert till.limits == []


async def test_the_first_that_stops_is_named() -> None:
    till = Till()
    till.spent = {"a": 10 * CENT, "b": 10 * CENT, "c": 10 * CENT}
    verdict = await account(till, budget("a", use="cheap"), budget("b"), budget("c")).gate(proposal())
    assert isinstance(verdict, Stop)
    assert verdict.details["budget"]["budget"] == "b"


async def test_one_model_after_another_answers_until_a_budget_stops() -> None:
    till = Till()
    dear = budget("dear", where={"requested_model": ("acme/main",)}, use="cheap")
    some = budget("some", 20, where={"requested_model": ("acme/main", "acme/cheap")}, use="cheaper")
    every = budget("every", 30)
    counted = account(till, dear, some, every)
    for spent, expected in ((0, "main"), (10, "cheap"), (20, "cheaper"), (30, None)):
        till.limits = []
        till.spent = {"dear": min(spent, 10) * CENT, "some": min(spent, 20) * CENT, "every": spent * CENT}
        verdict = await counted.gate(proposal())
        if expected is None:
            assert isinstance(verdict, Stop)
            assert verdict.details["budget"]["budget"] == "every"
        else:
            model = verdict.model if isinstance(verdict, UseModel) else MODELS["main"]
            assert model is MODELS[expected]
            assert not isinstance(verdict, Stop)
        counted.close()


async def test_what_is_exceeded_is_counted_for_the_model_that_answers_instead_and_the_others_are_asked() -> None:
    till = Till()
    till.spent = {"all": 10 * CENT}
    verdict = await account(till, budget("all", use="cheap"), budget("more", 50)).gate(proposal())
    assert isinstance(verdict, UseModel)
    assert verdict.reservation is not None
    assert till.limits == [{"all": 10 * CENT, "more": 50 * CENT}, {"all": None, "more": 50 * CENT}]
    assert len(till.reserved[verdict.reservation.token]) == 2


async def test_budgets_that_name_each_other_stop_the_run() -> None:
    till = Till()
    till.spent = {"dear": 10 * CENT, "small": 10 * CENT}
    dear = budget("dear", where={"requested_model": ("acme/main",)}, use="cheap")
    small = budget("small", where={"requested_model": ("acme/cheap",)}, use="main")
    for model, refusing in (("main", "small"), ("cheap", "dear")):
        verdict = await account(till, dear, small).gate(proposal(model))
        assert isinstance(verdict, Stop)
        assert verdict.details["budget"]["budget"] == refusing
    assert till.reserved == {}


async def test_an_agent_whose_own_model_stands_in_goes_on_with_it() -> None:
    till = Till()
    till.spent = {"all": 10 * CENT}
    assert isinstance(await account(till, budget("all", use="main")).gate(proposal()), Go)
    assert till.limits == [{"all": None}]


async def test_of_several_models_the_first_that_was_not_tried_answers() -> None:
    till = Till()
    till.spent = {"a": 10 * CENT, "b": 10 * CENT}
    verdict = await account(till, budget("a", use="main"), budget("b", use="cheap")).gate(proposal())
    assert isinstance(verdict, Stop), "a has no other model for it"
    of_main = budget("a", use="main", where={"requested_model": ("acme/main",)})
    assert isinstance(await account(till, of_main, budget("b", use="cheap")).gate(proposal()), UseModel)


async def test_a_simulated_model_that_answers_instead_needs_nothing() -> None:
    till = Till()
    till.spent = {"all": 10 * CENT}
    verdict = await account(till, budget("all", use="free")).gate(proposal())
    assert verdict == UseModel(FREE)


async def test_what_is_set_aside_before_the_run_is_the_first_calls() -> None:
    till = Till()
    counted = account(till, budget("a"))
    assert await counted.admit(first_request()) is None
    verdicts = [await counted.gate(proposal()) for _ in range(2)]
    assert len(till.limits) == 2, "one for the admission, one for the second call"
    assert {verdict.reservation.token for verdict in verdicts if isinstance(verdict, Go) and verdict.reservation} == {
        *till.reserved
    }
    assert till.released == []


async def test_a_first_call_to_another_model_is_asked_anew() -> None:
    till = Till()
    counted = account(till, budget("a"))
    await counted.admit(first_request())
    (booked,) = till.reserved
    await counted.gate(proposal("cheap"))
    assert till.released == [booked]


async def test_a_run_that_may_not_begin_is_told_why() -> None:
    till = Till()
    till.spent = {"a": 10 * CENT}
    stop = await account(till, budget("a")).admit(first_request())
    assert stop is not None
    assert stop.http_status == 402
    assert till.reserved == {}


async def test_a_run_that_may_not_begin_warns_without_its_id() -> None:
    till, events = Till(), list[BudgetEvent]()
    till.spent = {"a": 10 * CENT}
    warnings = Warnings({"a": events.append})
    counted = BudgetAccount(Budgets([budget("a", warn_at=CENT)], MODELS, till), warnings, RUN, 60)
    async with telling(warnings):
        assert await counted.admit(first_request()) is not None
    assert [(event["budget"], event["runId"], event["userId"]) for event in events] == [("a", None, "ada")]


async def test_what_was_never_sent_is_free_at_the_end() -> None:
    till = Till()
    counted = account(till, budget("a", 100))
    await counted.admit(first_request())
    sent, withdrawn, never = [await counted.gate(proposal()) for _ in range(3)]
    calls = [call_of(verdict.reservation) for verdict in (sent, withdrawn) if isinstance(verdict, Go)]
    await told(counted, [CallStarted(calls[0])], [CallStarted(calls[1])])
    calls[0].ended = 1.0  # its row says what becomes of it
    counted.close()
    counted.close()
    assert isinstance(never, Go)
    assert calls[1].reservation is not None
    assert never.reservation is not None
    assert sorted(till.released) == sorted([calls[1].reservation.token, never.reservation.token])


async def test_a_call_that_crosses_the_line_warns_behind_its_end() -> None:
    till = Till()
    counted = account(till, budget("a", warn_at=3 * CENT))
    verdicts = [await counted.gate(proposal()) for _ in range(2)]
    calls = [call_of(verdict.reservation, 0.03) for verdict in verdicts if isinstance(verdict, Go)]
    started = RunStarted("run_1", "msg_1", "Ann")
    batches = await told(counted, [started], [CallEnded(calls[0]), StepStarted()], [CallEnded(calls[1]), finished()])
    part = DataSent("budget", {"budget": "a", "spent": 0.03, "limit": 0.1, "reset": None})
    assert batches == [[started], [CallEnded(calls[0]), StepStarted(), part], [CallEnded(calls[1]), finished()]]


class Crowded(Till):
    """Others hold all there is until it was asked once."""

    async def reserve(self, token: str, claims: Sequence[Claim], lease: float, patience: float) -> Decision:
        self.reserved = {} if self.limits else {"other": {claims[0].counter.key: 10 * CENT}}
        return await super().reserve(token, claims, lease, patience)


async def test_what_is_crossed_while_a_call_waits_is_told() -> None:
    till = Crowded()
    till.spent = {"a": 5 * CENT}
    counted = account(till, budget("a", warn_at=CENT))
    assert isinstance(await counted.gate(proposal()), Go)
    assert len(till.limits) == 2
    (batch,) = await told(counted, [StepStarted()])
    assert [type(event) for event in batch] == [StepStarted, DataSent]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
async def test_calls_side_by_side_warn_together(order: Sequence[int]) -> None:
    """None of them alone crosses the line, and none is in the ledger yet."""
    till = Till()
    counted = account(till, budget("a", 100, warn_at=9 * CENT))
    verdicts = [await counted.gate(proposal()) for _ in range(3)]
    calls = [call_of(verdict.reservation, 0.03) for verdict in verdicts if isinstance(verdict, Go)]
    ends: list[Batch] = [[CallEnded(calls[number])] for number in order]
    batches = await told(counted, *ends)
    assert [len(batch) for batch in batches] == [1, 1, 2]
    assert batches[2][1] == DataSent("budget", {"budget": "a", "spent": 0.09, "limit": 1.0, "reset": None})


async def test_a_warning_of_the_last_call_comes_before_the_outcome() -> None:
    till = Till()
    counted = account(till, budget("a", warn_at=3 * CENT))
    verdict = await counted.gate(proposal())
    assert isinstance(verdict, Go)
    (batch,) = await told(counted, [CallEnded(call_of(verdict.reservation, 0.03)), finished()])
    assert [type(event) for event in batch] == [DataSent, CallEnded, RunFinished]


async def test_what_is_asked_beside_a_run_warns_in_the_runs_stream() -> None:
    till = Till()
    counted = account(till, budget("a", warn_at=3 * CENT))
    aside = counted.beside()
    verdict = await aside.gate(proposal())
    assert isinstance(verdict, Go)
    call = call_of(verdict.reservation, 0.03)
    assert await told(aside, [CallEnded(call)]) == [[CallEnded(call)]]  # type: ignore[arg-type]
    aside.close()
    (batch,) = await told(counted, [StepStarted()])
    assert [type(event) for event in batch] == [StepStarted, DataSent]


async def test_a_warning_that_takes_its_time_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "WARN_SECONDS", 0.01)
    till = Till()
    till.answers.clear()
    counted = account(till, budget("a", warn_at=3 * CENT))
    verdict = await counted.gate(proposal())
    assert isinstance(verdict, Go)
    call = call_of(verdict.reservation, 0.03)
    assert await told(counted, [CallEnded(call)]) == [[CallEnded(call)]]
    till.answers.set()
    await asyncio.gather(*counted._budgets._warnings)
    (batch,) = await told(counted, [StepStarted()])
    assert [type(event) for event in batch] == [StepStarted, DataSent]


async def test_a_database_that_fails_holds_up_no_call() -> None:
    till = Till()
    counted = account(till, budget("a", 3, warn_at=CENT))
    till.fails = True
    verdicts = [await counted.gate(proposal()) for _ in range(3)]
    assert [type(verdict) for verdict in verdicts] == [Go, Go, Stop]
    assert isinstance(verdicts[0], Go)
    assert verdicts[0].reservation is not None
    assert verdicts[0].reservation.counters, "its row is counted when it is written"
    await told(counted, [CallEnded(call_of(verdicts[0].reservation, 0.0))])
    assert isinstance(await counted.gate(proposal()), Go)


async def test_while_the_database_fails_calls_of_this_process_are_waited_for() -> None:
    till = Till()
    counted = account(till, budget("a", 2))
    till.fails = True
    first = await counted.gate(proposal())
    assert isinstance(first, Go)
    waiting = asyncio.create_task(counted.gate(proposal()))
    await asyncio.wait({waiting}, timeout=0.2)
    assert not waiting.done()
    await told(counted, [CallEnded(call_of(first.reservation, 0.005))])
    assert isinstance(await waiting, Go)


async def test_a_database_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "PATIENCE", 0.01)
    monkeypatch.setattr(reserving, "SLOW_SECONDS", 0.01)
    till = Till()
    till.hangs = True
    assert isinstance(await account(till, budget("a")).gate(proposal()), Go)
