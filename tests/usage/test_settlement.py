from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from fondation.agents import Model
from fondation.calls import ModelCall, TokenUsage
from fondation.config.models import Price
from fondation.errors import AuthenticationFailed, ProviderError, ProviderTimeout, ProviderUnavailable, RateLimited
from fondation.providers.base import Receipt
from fondation.stores.base import Outcome, Unsettled, UnsettledCall
from fondation.stores.rows import Row
from fondation.usage import settlement
from fondation.usage.settlement import Settler
from tests.support.scripted import ScriptedProvider
from tests.usage.test_recorder import Diary

BILLED = Receipt(TokenUsage(10, 5, cost=0.25), "acme/one-2026", "stop")


@dataclass
class Desk(Diary):
    """A store whose unsettled calls are given in rounds; it remembers what came of them."""

    rounds: list[Unsettled] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    looks: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there are no more rounds."""

    async def unsettled(self, most: int) -> Unsettled:
        self.looks += 1
        if self.rounds:
            return self.rounds.pop(0)
        self.idle.set()
        return Unsettled()

    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
        self.outcomes += outcomes
        return [
            {"agent_name": unsettled.call.agent, "cost": unsettled.call.cost, "cost_source": unsettled.call.cost_source}
            for unsettled, retry_in in outcomes
            if retry_in is None
        ]


@dataclass(eq=False)
class Shelf:
    """Receipts that play a script: a receipt, None, or an error."""

    script: list[Receipt | ProviderError | None]
    asked: list[str] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def find(self, generation_id: str) -> Receipt | None:
        self.asked.append(generation_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def model(id: str = "acme/one", receipts: Shelf | None = None, provider: str = "openrouter", **fields: Any) -> Model:
    return Model(
        "main", id, ScriptedProvider([], name=provider, receipts=receipts), **{"retries": 0, "price": None, **fields}
    )


def waiting(tries: int = 1, age: float = 0.0, **fields: Any) -> UnsettledCall:
    call = ModelCall("Billing", fields.pop("provider", "openrouter"), "acme/one", ())
    for name, value in {"status": "aborted", "generation_id": "gen-1", **fields}.items():
        setattr(call, name, value)
    return UnsettledCall(7, call, tries, time.time() - age)


@asynccontextmanager
async def running(settler: Settler) -> AsyncIterator[None]:
    task = asyncio.create_task(settler.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def settle(
    *calls: UnsettledCall, models: Sequence[Model], told: Callable[[Row], None] = lambda row: None
) -> Desk:
    """One round of these calls, and what came of it."""
    store = Desk(rounds=[Unsettled(calls)])
    async with running(Settler(store, models, told)), asyncio.timeout(5):
        await store.idle.wait()
    return store


async def test_a_receipt_settles_the_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fondation.usage")
    shelf = Shelf([BILLED])
    told: list[Row] = []
    store = await settle(waiting(), models=[model(receipts=shelf)], told=told.append)
    ((unsettled, retry_in),) = store.outcomes
    call = unsettled.call
    assert (shelf.asked, retry_in) == (["gen-1"], None)
    assert (call.cost, call.cost_source, call.cost_note, call.usage) == (0.25, "billed", None, BILLED.usage)
    assert (call.model, call.finish_reason) == ("acme/one-2026", "stop")
    assert [row["cost_source"] for row in told] == ["billed"]
    assert caplog.messages == ["[Usage] Billing: settled later, $0.2500"]


async def test_what_the_call_knew_itself_stays() -> None:
    store = await settle(waiting(model="acme/two", finish_reason="length"), models=[model(receipts=Shelf([BILLED]))])
    call = store.outcomes[0].unsettled.call
    assert (call.model, call.finish_reason) == ("acme/two", "length")


@pytest.mark.parametrize(("is_byok", "cost"), [(True, 2.25), (False, 0.25), (None, 0.25)])
async def test_the_upstreams_own_bill_counts_only_with_ones_own_key(is_byok: bool | None, cost: float) -> None:
    receipt = Receipt(TokenUsage(cost=0.25, upstream_cost=2.0, is_byok=is_byok))
    store = await settle(waiting(), models=[model(receipts=Shelf([receipt]))])
    assert store.outcomes[0].unsettled.call.cost == cost


async def test_a_call_that_cost_nothing_is_billed_too() -> None:
    store = await settle(waiting(), models=[model(receipts=Shelf([Receipt(TokenUsage(cost=0.0))]))])
    call = store.outcomes[0].unsettled.call
    assert (call.cost, call.cost_source) == (0.0, "billed")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        ProviderUnavailable("down"),
        RateLimited("later"),
        AuthenticationFailed("no"),
        Receipt(TokenUsage(cost=1e9)),
    ],
)
async def test_where_nothing_is_told_it_is_asked_again_ever_more_rarely(
    answer: Receipt | ProviderError | None,
) -> None:
    tries = [1, 2, 3, 8, 12, 13, 14, 30, 4000]
    calls = [waiting(number) for number in tries]
    store = await settle(*calls, models=[model(receipts=Shelf([answer]))])
    assert [outcome.retry_in for outcome in store.outcomes] == [1, 2, 4, 128, 2048, 3600, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (None, "not_found"),
        (ProviderUnavailable("down"), "unavailable"),
        (RateLimited("later"), "unavailable"),
        (AuthenticationFailed("no"), "refused"),
    ],
)
async def test_after_a_day_the_cost_is_unknown_and_says_why(
    answer: ProviderError | None, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = await settle(waiting(40, age=24 * 3600 + 1), models=[model(receipts=Shelf([answer]))])
    unsettled, retry_in = store.outcomes[0]
    assert (unsettled.call.cost_source, unsettled.call.cost_note, retry_in) == ("unknown", note, None)
    assert f"What a call of Billing cost stays unknown: {note} (gen-1)" in caplog.text


async def test_the_last_question_is_asked_when_the_day_is_over() -> None:
    store = await settle(waiting(40, age=24 * 3600 - 100), models=[model(receipts=Shelf([None]))])
    assert store.outcomes[0].retry_in == pytest.approx(100, abs=5)


async def test_a_receipt_after_a_day_still_counts() -> None:
    store = await settle(waiting(40, age=10 * 24 * 3600), models=[model(receipts=Shelf([BILLED]))])
    assert store.outcomes[0].unsettled.call.cost_source == "billed"


async def test_what_was_not_told_at_last_is_priced_by_the_tokens_that_are_known() -> None:
    price = Price(input=1.0, output=2.0)
    late = waiting(40, age=25 * 3600, usage=TokenUsage(1_000_000, 500_000))
    store = await settle(late, models=[model(receipts=Shelf([None]), price=price)])
    call = store.outcomes[0].unsettled.call
    assert (call.cost, call.cost_source, call.cost_note) == (2.0, "priced", None)


@pytest.mark.parametrize(
    ("fields", "note"), [({"generation_id": None}, "no_generation_id"), ({"provider": "openai"}, "no_receipts")]
)
async def test_who_cannot_be_asked_is_not(fields: dict[str, Any], note: str) -> None:
    shelf = Shelf([BILLED])
    models = [model(receipts=shelf), model(provider="openai")]
    store = await settle(waiting(**fields), models=models)
    unsettled, retry_in = store.outcomes[0]
    assert (unsettled.call.cost_source, unsettled.call.cost_note, retry_in) == ("unknown", note, None)
    assert shelf.asked == []


async def test_what_has_no_id_is_not_waited_for_whatever_the_file_names() -> None:
    store = await settle(waiting(generation_id=None), models=[])
    assert store.outcomes[0].retry_in is None


async def test_a_simulated_call_that_was_lost_is_simulated() -> None:
    store = await settle(waiting(provider="simulated", status="lost"), models=[])
    call = store.outcomes[0].unsettled.call
    assert (call.cost_source, call.cost_note) == ("simulated", None)


async def test_a_provider_that_the_file_names_no_more_may_come_back() -> None:
    store = await settle(waiting(), waiting(40, age=25 * 3600), models=[model(provider="openai")])
    soon, late = store.outcomes
    assert soon.retry_in == 1
    assert (late.retry_in, late.unsettled.call.cost_note) == (None, "no_model")


async def test_the_account_of_the_calls_own_model_is_asked() -> None:
    own, other = Shelf([BILLED]), Shelf([BILLED])
    await settle(waiting(), models=[model("acme/two", other), model("acme/one", own)])
    assert (own.asked, other.asked) == (["gen-1"], [])


async def test_without_the_calls_own_model_each_account_of_its_provider_is_asked_once() -> None:
    first, second = Shelf([None]), Shelf([BILLED])
    models = [model("acme/two", first), model("acme/three", first), model("acme/four", second)]
    store = await settle(waiting(), models=models)
    assert (first.asked, second.asked) == (["gen-1"], ["gen-1"])
    assert store.outcomes[0].unsettled.call.cost_source == "billed"


async def test_a_receipt_that_breaks_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Shelf):
        async def find(self, generation_id: str) -> Receipt | None:
            if generation_id == "gen-1":
                raise RuntimeError("a bug")
            return await super().find(generation_id)

    calls = [waiting(), waiting(generation_id="gen-2")]
    store = await settle(*calls, models=[model(receipts=Broken([BILLED]))])
    assert [outcome.retry_in for outcome in store.outcomes] == [1, None]
    assert "a bug" in caplog.text


async def test_few_questions_are_under_way_at_once() -> None:
    shelf = Shelf([BILLED])
    store = await settle(*(waiting() for _ in range(30)), models=[model(receipts=shelf)])
    assert len(store.outcomes) == 30
    assert shelf.most_under_way == settlement.AT_ONCE


async def test_who_does_not_answer_holds_up_no_others() -> None:
    silent, other = Shelf([ProviderTimeout("no response")]), Shelf([BILLED])
    calls = [waiting() for _ in range(30)] + [waiting(provider="router")]
    models = [model(receipts=silent), model(receipts=other, provider="router")]
    store = await settle(*calls, models=models)
    assert len(silent.asked) <= settlement.AT_ONCE
    assert [outcome.retry_in for outcome in store.outcomes] == [1] * 30 + [None]


async def test_a_listener_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(row: Row) -> None:
        raise RuntimeError("no")

    shelf = Shelf([BILLED])
    store = Desk(rounds=[Unsettled((waiting(),)), Unsettled((waiting(),))])
    async with running(Settler(store, [model(receipts=shelf)], fail)):
        await asyncio.wait_for(store.idle.wait(), 5)
    assert len(store.outcomes) == 2
    assert "a settled call cannot be told" in caplog.text


async def test_a_call_that_ends_is_asked_for_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "FIRST_PAUSE", 0.01)
    store = Desk()
    settler = Settler(store, [], lambda row: None)
    async with running(settler), asyncio.timeout(5):
        await store.idle.wait()
        store.idle.clear()
        settler.wake()
        await store.idle.wait()
    assert store.looks == 2


async def test_a_call_whose_row_comes_late_is_looked_for_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Desk):
        async def unsettled(self, most: int) -> Unsettled:
            if self.looks == 4:
                self.rounds = [Unsettled((waiting(),))]
            return await super().unsettled(most)

    monkeypatch.setattr(settlement, "FIRST_PAUSE", 0.001)
    store, settled = Late(), asyncio.Event()
    settler = Settler(store, [model(receipts=Shelf([BILLED]))], lambda row: settled.set())
    async with running(settler), asyncio.timeout(5):
        await store.idle.wait()
        settler.wake()
        await settled.wait()


async def test_what_is_due_later_is_looked_for_then() -> None:
    store = Desk(rounds=[Unsettled((), 0.01)])
    async with running(Settler(store, [], lambda row: None)), asyncio.timeout(5):
        await store.idle.wait()
    assert store.looks == 2


async def test_it_is_quiet_where_nothing_waits() -> None:
    store = Desk()
    async with running(Settler(store, [], lambda row: None)):
        await store.idle.wait()
        for _ in range(20):
            await asyncio.sleep(0)
    assert store.looks == 1


async def test_a_minute_without_an_answer_is_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    await settle(waiting(7), waiting(8), waiting(9), models=[model(receipts=Shelf([None]))])
    assert caplog.messages == ["What the call gen-1 cost is still not known (not_found); it is asked on"]


async def test_a_bug_ends_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Buggy(Desk):
        async def unsettled(self, most: int) -> Unsettled:
            if not self.looks:
                self.looks = 1
                raise RuntimeError("a bug")
            return await super().unsettled(most)

    monkeypatch.setattr(settlement, "LOOK_SECONDS", 0.01)
    store = Buggy()
    async with running(Settler(store, [], lambda row: None)), asyncio.timeout(5):
        await store.idle.wait()
    assert "a bug" in caplog.text


async def test_what_is_being_kept_when_it_ends_is_kept_and_told() -> None:
    class Slow(Desk):
        async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
            keeping.set()
            await asyncio.sleep(0.02)
            return await super().conclude(outcomes)

    keeping = asyncio.Event()
    told: list[Row] = []
    store = Slow(rounds=[Unsettled((waiting(),))])
    async with running(Settler(store, [model(receipts=Shelf([BILLED]))], told.append)), asyncio.timeout(5):
        await keeping.wait()
    assert len(store.outcomes) == len(told) == 1


async def test_what_is_being_asked_for_when_it_ends_is_free_for_the_next_process_at_once() -> None:
    class SlowShelf(Shelf):
        async def find(self, generation_id: str) -> Receipt | None:
            asked.set()
            await asyncio.sleep(60)
            return BILLED

    asked = asyncio.Event()
    shelf = SlowShelf([BILLED])
    store = Desk(rounds=[Unsettled((waiting(),))])
    async with running(Settler(store, [model(receipts=shelf)], lambda row: None)), asyncio.timeout(5):
        await asked.wait()
    assert [outcome.retry_in for outcome in store.outcomes] == [0.0]


async def test_what_is_being_claimed_when_it_ends_is_free_for_the_next_process_at_once() -> None:
    class Slow(Desk):
        async def unsettled(self, most: int) -> Unsettled:
            claimed.set()
            await go_on.wait()
            return await super().unsettled(most)

    claimed, go_on = asyncio.Event(), asyncio.Event()
    store = Slow(rounds=[Unsettled((waiting(),))])
    settling = asyncio.create_task(Settler(store, [], lambda row: None).run())
    await claimed.wait()
    settling.cancel()
    go_on.set()
    async with asyncio.timeout(5):
        await asyncio.wait({settling})
    assert settling.cancelled()
    assert [outcome.retry_in for outcome in store.outcomes] == [0.0]


async def test_a_bug_does_not_keep_it_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    class Buggy(Desk):
        async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
            keeping.set()
            await asyncio.sleep(0.01)
            raise RuntimeError("a bug")

    keeping = asyncio.Event()
    store = Buggy(rounds=[Unsettled((waiting(),))])
    async with asyncio.timeout(5), running(Settler(store, [model(receipts=Shelf([BILLED]))], lambda row: None)):
        await keeping.wait()
    gc.collect()
    assert "a bug" in caplog.text
