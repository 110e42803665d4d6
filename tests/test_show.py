"""`show`: what of a run a route's page is sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from fondation import events
from fondation.agents import Model
from fondation.context import RunContext
from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.events import Event
from fondation.messages import Json
from fondation.providers.base import AnswerEnd, ReasoningPiece, Receipt, Receipts, SourcePiece, TextPiece
from fondation.show import show
from tests.support.grammar import assert_well_formed
from tests.support.scripted import (
    Answer,
    FunctionTool,
    Player,
    ScriptedProvider,
    build_route,
    build_route_on,
    build_run,
    calls,
    text,
)

HALF: Answer = [[TextPiece("half")], ProviderUnavailable("cut off")]
PIECES = [ReasoningPiece("hm"), TextPiece("Yes"), SourcePiece("https://example.com", "Example")]
REASONING = (events.ReasoningStarted, events.ReasoningDelta, events.ReasoningEnded)


class NoReceipts:
    async def find(self, generation_id: str) -> Receipt | None:
        return None


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.attempts.FIRST_PAUSE", 0.0)


async def told(shown: Collection[str]) -> list[Event]:
    provider = ScriptedProvider([[PIECES, [AnswerEnd("stop")]]])
    run = build_run(build_route(provider, {"A": Player()}))
    batches = [batch async for batch in show(run.events(), shown)]
    assert all(batches), "no empty batches"
    return [event for batch in batches for event in batch]


@pytest.mark.parametrize(
    ("shown", "reasoning", "sources", "usage"),
    [([], 0, 0, 0), (["reasoning"], 3, 0, 0), (["sources"], 0, 1, 0), (["usage", "sources"], 0, 1, 1)],
)
async def test_a_page_is_sent_what_its_route_shows(shown: list[str], reasoning: int, sources: int, usage: int) -> None:
    kinds = [type(event) for event in await told(shown)]
    assert sum(kind in REASONING for kind in kinds) == reasoning
    assert kinds.count(events.SourceCited) == sources
    assert kinds.count(events.DataSent) == usage
    assert kinds.count(events.TextDelta) == 1


@pytest.mark.parametrize("shown", [[], ["reasoning", "sources", "usage"]])
async def test_what_is_left_is_a_well_formed_run(shown: list[str]) -> None:
    assert_well_formed(await told(shown))


async def test_usage_tells_what_each_call_took() -> None:
    [part] = [event for event in await told(["usage"]) if isinstance(event, events.DataSent)]
    assert (part.name, part.transient) == ("usage", True)
    assert part.data == {
        "agent": "A",
        "model": "acme/main-2026",
        "promptTokens": 10,
        "completionTokens": 5,
        "totalTokens": 15,
        "cost": 0.25,
        "costSource": "billed",
    }


async def told_by_steps(*script: Answer, receipts: Receipts | None = None) -> list[Any]:
    """What the usage parts of a run say, whose model may be asked twice and has a fallback."""
    provider = ScriptedProvider([*script], receipts=receipts)
    cheap = Model("cheap", "acme/cheap", provider, retries=0, price=None)
    main = Model("main", "acme/main", provider, retries=1, price=None, fallbacks=[cheap])
    run = build_run(build_route_on(main, {"A": Player(tools=[FunctionTool("look", look)])}))
    told = [event async for batch in show(run.events(), ["usage"]) for event in batch]
    assert_well_formed(told)
    return [event.data for event in told if isinstance(event, events.DataSent)]


async def look(arguments: dict[str, Json], context: RunContext) -> Json:
    return "seen"


async def test_each_step_tells_its_own() -> None:
    parts = await told_by_steps(calls(("c1", "look", {})), text("Done."))
    assert [(part["totalTokens"], part["cost"]) for part in parts] == [(15, 0.25), (15, 0.25)]


async def test_a_step_tells_all_of_its_attempts_and_the_model_that_answered() -> None:
    refused, down = AuthenticationFailed("no"), ProviderUnavailable("down")
    (part,) = await told_by_steps([down], [refused], text("From the fallback."))
    assert (part["model"], part["cost"], part["costSource"]) == ("acme/cheap-2026", 0.25, "unknown")


async def test_a_step_that_fails_tells_what_its_attempts_took_before_the_end() -> None:
    (part,) = await told_by_steps(HALF)
    assert part == {"agent": "A", "model": "acme/main", "costSource": "unknown"}


async def test_a_step_whose_cost_is_asked_for_later_is_pending_and_not_free() -> None:
    (part,) = await told_by_steps([AuthenticationFailed("no")], HALF, receipts=NoReceipts())
    assert part == {"agent": "A", "model": "acme/cheap", "costSource": "pending"}
