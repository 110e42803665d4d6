"""Retries and fallbacks: which calls one turn makes, and when it gives up."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from fondation import events
from fondation.agents import Model
from fondation.calls import ModelCall
from fondation.errors import AuthenticationFailed, ContextTooLong, ProviderError, ProviderUnavailable, RateLimited
from fondation.events import Event
from fondation.gate import UseModel, Verdict
from fondation.providers.base import TextPiece
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Player, ScriptedProvider, Step, build_route_on, build_run, play
from tests.support.scripted import text as answer


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, not waited for."""
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("fondation.attempts.sleep", sleep)
    return taken


def model(
    provider: ScriptedProvider, *, name: str = "main", retries: int = 2, fallbacks: list[Model] | None = None
) -> Model:
    return Model(name, f"acme/{name}", provider, retries=retries, price=None, fallbacks=fallbacks or [])


async def run(main: Model) -> tuple[list[Event], list[ModelCall]]:
    told = await play(build_run(build_route_on(main, {"A": Player()})))
    assert_well_formed(told)
    return told, [event.call for event in told if isinstance(event, events.CallEnded)]


async def test_an_overloaded_provider_is_asked_again_with_growing_pauses(pauses: list[float]) -> None:
    provider = ScriptedProvider([[ProviderUnavailable("503")], [ProviderUnavailable("503")], answer("ok")])
    told, made = await run(model(provider))
    assert isinstance(told[-1], events.RunFinished)
    assert [call.status for call in made] == ["error", "error", "done"]
    assert [call.attempt for call in made] == [1, 2, 3]
    assert 0.3 < pauses[0] < pauses[1] < 1.5


async def test_retries_are_counted(pauses: list[float]) -> None:
    provider = ScriptedProvider([[ProviderUnavailable("503")]] * 3)
    told, made = await run(model(provider, retries=2))
    assert isinstance(told[-1], events.RunFailed)
    assert len(made) == 3


@pytest.mark.parametrize(
    "error", [AuthenticationFailed("401"), ContextTooLong("400"), RateLimited("daily", retryable=False)]
)
async def test_what_cannot_succeed_is_not_tried_again(error: ProviderError, pauses: list[float]) -> None:
    told, made = await run(model(ScriptedProvider([[error]])))
    assert isinstance(told[-1], events.RunFailed)
    assert len(made) == 1
    assert not pauses


async def test_the_pause_that_a_provider_asks_for_is_kept(pauses: list[float]) -> None:
    await run(model(ScriptedProvider([[RateLimited("429", retry_after=3.0)], answer("ok")])))
    assert pauses == [3.0]


async def test_a_pause_that_is_too_long_is_not_waited_for(pauses: list[float]) -> None:
    other = ScriptedProvider([answer("other")])
    first = ScriptedProvider([[RateLimited("429", retry_after=3600.0)]])
    told, _ = await run(model(first, fallbacks=[model(other, name="other")]))
    assert isinstance(told[-1], events.RunFinished)
    assert not pauses


async def test_a_dead_connection_is_retried_at_once_and_costs_no_retry(pauses: list[float]) -> None:
    stale = ProviderUnavailable("reset", stale_connection=True, charged=False)
    told, made = await run(model(ScriptedProvider([[stale], answer("ok")]), retries=0))
    assert isinstance(told[-1], events.RunFinished)
    assert [call.cost_source for call in made] == ["none", "billed"]
    assert not pauses


async def test_dead_connections_for_ever_end(pauses: list[float]) -> None:
    stale = ProviderUnavailable("reset", stale_connection=True, charged=False)
    told, made = await run(model(ScriptedProvider([[stale]] * 9), retries=1))
    assert isinstance(told[-1], events.RunFailed)
    assert len(made) == 3


async def test_fallbacks_are_tried_in_order_each_with_its_own_retries(pauses: list[float]) -> None:
    main, second = (
        ScriptedProvider([[AuthenticationFailed("401")]]),
        ScriptedProvider([[ProviderUnavailable("503")]] * 2),
    )
    third = ScriptedProvider([answer("third")])
    fallbacks = [model(second, name="second", retries=1), model(third, name="third")]
    told, made = await run(model(main, fallbacks=fallbacks))
    assert [call.requested_model for call in made] == ["acme/main", "acme/second", "acme/second", "acme/third"]
    finished = told[-1]
    assert isinstance(finished, events.RunFinished)
    assert finished.summary.model == "acme/third-2026"


async def test_after_the_first_token_nothing_is_tried_again(pauses: list[float]) -> None:
    other = ScriptedProvider([answer("other")])
    first = ScriptedProvider([[[TextPiece("So far")], ProviderUnavailable("reset")]])
    told, made = await run(model(first, fallbacks=[model(other, name="other")]))
    assert isinstance(told[-1], events.RunFailed)
    assert [call.status for call in made] == ["error"]
    assert not other.requests


async def test_the_gate_can_name_another_model() -> None:
    cheap = model(ScriptedProvider([answer("cheap")]), name="cheap")
    main = model(ScriptedProvider([]), fallbacks=[cheap])

    async def use_cheap(*_: object) -> Verdict:
        return UseModel(cheap)

    told = await play(build_run(build_route_on(main, {"A": Player()}), gate=use_cheap))
    assert [event.call.requested_model for event in told if isinstance(event, events.CallEnded)] == ["acme/cheap"]


async def test_a_call_whose_provider_keeps_receipts_can_be_asked_for_later() -> None:
    class Shelf:
        async def find(self, generation_id: str) -> None:
            """Nothing is asked for here."""

    broken: list[Step] = [[TextPiece("Hal")], ProviderUnavailable("cut")]
    _, (with_receipts,) = await run(model(ScriptedProvider([broken], receipts=Shelf())))
    _, (without,) = await run(model(ScriptedProvider([broken])))
    assert (with_receipts.status, with_receipts.cost_source) == ("error", "pending")
    assert (without.cost_source, without.cost_note) == ("unknown", "no_usage")


async def test_a_call_whose_run_ends_before_it_is_sent_costs_nothing() -> None:
    provider = ScriptedProvider([answer("ok")])
    run = build_run(build_route_on(model(provider), {"A": Player()}))
    made: list[ModelCall] = []
    async with contextlib.aclosing(run.events()) as batches:
        async for batch in batches:
            made += [event.call for event in batch if isinstance(event, events.CallEnded)]
            if any(isinstance(event, events.CallStarted) for event in batch):
                run.deadline.expire("left")
    assert provider.requests == []
    assert [(call.status, call.cost, call.cost_source) for call in made] == [("aborted", 0.0, "none")]
