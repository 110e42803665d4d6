"""A chat's title and suggestions, as the published clients read them."""

from __future__ import annotations

import pytest

from .harness import Turn
from .stage import Stage, assert_answered
from .upstream import says

pytestmark = pytest.mark.clients

TITLE = {"title": "Weather in Lyon"}
PROMPTS = {"prompts": ["Tell me more about: Weather in Lyon", "Can you give me an example?"]}


def test_a_title_is_kept_in_the_message_and_suggestions_are_not(stage: Stage) -> None:
    outcome = stage.ask(says(*"Sunny.", pause=0.1), route="/api/beside", send="What is the weather in Lyon?")
    assert_answered(outcome)
    assert (outcome.last.text, outcome.types[-2:]) == ("Sunny.", ["data-suggestions", "finish"])
    [title] = outcome.last.parts_of("data-chat-title")
    [exchange] = outcome.exchanges
    assert exchange.body is not None
    assert title["data"] == {**TITLE, "chatId": exchange.body["id"]}
    assert outcome.last.parts_of("data-suggestions") == []
    assert outcome.data_of("data-suggestions") == [PROMPTS]


def test_the_chat_goes_on_behind_them(stage: Stage) -> None:
    turns = [Turn(send="What is the weather in Lyon?"), Turn(send="And tomorrow?")]
    outcome = stage.play(says(*"Sunny.", pause=0.1), says("Rain."), turns=turns, route="/api/beside")
    assert_answered(outcome, posts=2)
    told = [chunk.chunk["type"] for exchange in outcome.exchanges for chunk in exchange.chunks]
    assert (told.count("data-chat-title"), told.count("data-suggestions")) == (1, 2)
    said = [message["content"] for message in stage.upstream.calls[-1].body["messages"][1:]]
    assert said == ["What is the weather in Lyon?", "Sunny.", "And tomorrow?"]
