"""What a call will probably cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fondation.agents import Model
from fondation.budgets.estimates import Estimate, Estimates, characters_of
from fondation.calls import RunInfo
from fondation.config import Price
from fondation.gate import Proposal
from fondation.messages import (
    AssistantMessage,
    FilePart,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
)
from fondation.providers.base import ModelRequest
from fondation.stores.budgets import BudgetStoreError
from tests.support.scripted import Player, ScriptedProvider, build_route_on

PRICE = Price(input=4, output=2)
MICRO = 10**6


class Shelf:
    """A store that tells costs, once it can."""

    def __init__(self, *costs: int, fails: int = 0) -> None:
        self.costs_told = costs
        self.fails = fails
        self.asked: list[tuple[object, ...]] = []

    async def costs(self, *kind: object) -> Sequence[int]:
        self.asked.append(kind)
        if len(self.asked) <= self.fails:
            raise BudgetStoreError("locked")
        return self.costs_told


async def estimate(
    learned: Estimates,
    shelf: Shelf | None = None,
    request: ModelRequest | None = None,
    settings: dict[str, Any] | None = None,
    **fields: Any,
) -> Estimate:
    model = replace(Model("main", "acme/main", ScriptedProvider([]), retries=0, price=None), **fields)
    agent = replace(build_route_on(model, {"A": Player()}).agent, settings={"main": settings or {}})
    store: Any = shelf or Shelf()
    return await learned.of(Proposal(RunInfo("r", "s"), agent, model, request or ModelRequest(())), model, store)


async def test_a_call_will_cost_about_as_much_as_the_last_ones() -> None:
    estimates = Estimates()
    for cost in (1_000, 80, 120):
        estimates.learn("A", "acme/main", "answer", cost)
    assert await estimate(estimates) == Estimate(600, 120)


@pytest.mark.parametrize(
    ("costs", "least"),
    [([100] * 19 + [600_000], 100), ([100, 300], 100), ([1_000, 1_000, 1_000, 100], 775), ([700], 700)],
)
async def test_one_rare_cost_is_not_what_a_call_needs_at_least(costs: list[int], least: int) -> None:
    estimates = Estimates()
    for cost in costs:
        estimates.learn("A", "acme/main", "answer", cost)
    assert (await estimate(estimates)).least == least


async def test_only_the_last_twenty_count() -> None:
    estimates = Estimates()
    for cost in [1_000_000] * 5 + [100] * 20:
        estimates.learn("A", "acme/main", "answer", cost)
    assert await estimate(estimates) == Estimate(150, 100)


async def test_other_agents_models_and_purposes_say_nothing() -> None:
    estimates = Estimates()
    estimates.learn("B", "acme/main", "answer", 100)
    estimates.learn("A", "acme/other", "answer", 100)
    estimates.learn("A", "acme/main", "title", 100)
    assert await estimate(estimates) == Estimate(None, 1)


async def test_the_ledger_is_asked_once() -> None:
    estimates, shelf = Estimates(), Shelf(100, 300)
    assert [await estimate(estimates, shelf) for _ in range(2)] == [Estimate(300, 100)] * 2
    assert shelf.asked == [("A", "acme/main", "answer", 20)]


async def test_a_ledger_that_fails_is_asked_again() -> None:
    estimates, shelf = Estimates(), Shelf(100, fails=1)
    assert [await estimate(estimates, shelf) for _ in range(2)] == [Estimate(None, 1), Estimate(150, 100)]


async def test_what_was_learned_meanwhile_is_newer_than_the_ledger() -> None:
    estimates = Estimates()
    estimates.learn("A", "acme/main", "answer", 100)
    assert await estimate(estimates, Shelf(1_000_000)) == Estimate(150, 100)


async def test_a_first_call_is_taken_for_its_length_and_a_thousand_tokens() -> None:
    request = ModelRequest((SystemMessage("x" * 4_000),))
    told = await estimate(Estimates(), request=request, price=PRICE)
    assert told == Estimate((1_000 * 4 + 1_000 * 2) * MICRO, 1)


@pytest.mark.parametrize(
    ("settings", "tokens"), [({"max_tokens": 100}, 100), ({"max_completion_tokens": 5_000}, 1_000)]
)
async def test_its_settings_say_how_long_an_answer_may_be(settings: dict[str, Any], tokens: int) -> None:
    assert await estimate(Estimates(), settings=settings, price=PRICE) == Estimate(tokens * 2 * MICRO, 1)


async def test_a_model_of_the_kept_price_table_is_taken_for_its_price() -> None:
    told = await estimate(Estimates(), id="openai/gpt-4o-mini", estimates=True)
    assert told.amount is not None
    assert 0 < told.amount < 10**10


def test_all_that_a_model_reads_counts() -> None:
    messages = (
        SystemMessage("12345"),
        UserMessage((TextPart("123"), FilePart("data:image/png;base64," + "A" * 100_000, "image/png"))),
        AssistantMessage("12", (ToolCall("1", "look", "{}"),)),
        ToolResult("1", "look", "1234"),
    )
    tool = ToolSpec("look", "12345678", {})
    assert characters_of(ModelRequest(messages, (tool,))) == 5 + 3 + 4_000 + 2 + 6 + 8 + (4 + 8 + 2)
