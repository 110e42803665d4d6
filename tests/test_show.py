"""`show`: what of a run a route's page is sent."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from fondation import events
from fondation.events import Event
from fondation.providers.base import AnswerEnd, ReasoningPiece, SourcePiece, TextPiece
from fondation.show import show
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Player, ScriptedProvider, build_route, build_run

PIECES = [ReasoningPiece("hm"), TextPiece("Yes"), SourcePiece("https://example.com", "Example")]
REASONING = (events.ReasoningStarted, events.ReasoningDelta, events.ReasoningEnded)


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
