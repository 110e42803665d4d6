"""One turn after the other: what a client keeps of an answer must be fit to come back."""

from __future__ import annotations

import pytest

from .harness import Turn
from .stage import Stage, assert_answered
from .upstream import Answer, calls, hands_off, refuses, says

pytestmark = pytest.mark.clients


def test_the_next_turn_has_the_whole_conversation(stage: Stage) -> None:
    turns = [Turn(send="Oslo?"), Turn(send="Thanks.")]
    outcome = stage.play(calls(("get_weather", {"city": "Oslo"})), says("Clear."), says("Bye."), turns=turns)
    assert_answered(outcome, posts=2)
    assert [message.role for message in outcome.messages] == ["user", "assistant"] * 2
    last = stage.upstream.calls[-1]
    assert last.roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert last.body["messages"][-2]["content"] == "Clear."
    assert len({message.id for message in outcome.messages}) == 4


def test_the_next_turn_begins_with_the_agent_that_answered(stage: Stage) -> None:
    turns = [Turn(send="Is INV-42 paid?"), Turn(send="And INV-43?")]
    outcome = stage.play(
        hands_off("BillingSupport", "an invoice"), says("Yes."), says("No."), route="/api/chat-multi", turns=turns
    )
    assert_answered(outcome, posts=2)
    assert len(stage.upstream.calls) == 3
    metadata = outcome.last.metadata
    assert metadata is not None
    assert metadata["agent"] == "BillingSupport"


@pytest.mark.parametrize(
    "first",
    [
        refuses(401, "no"),
        says("Hello", ending="drop"),
        Answer(calls(("get_weather", {"city": "Oslo"})).deltas[:2], ending="drop"),
    ],
    ids=["before the answer", "in text", "in arguments"],
)
def test_after_an_error_the_chat_goes_on(stage: Stage, first: Answer) -> None:
    turns = [Turn(send="Hello"), Turn(send="Once more.")]
    outcome = stage.play(first, says("Here I am."), turns=turns, send_automatically=False)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Here I am."


@pytest.mark.parametrize(
    "call",
    [
        ("functions.get_weather", {"city": "Oslo"}),
        ("get weather!", {"city": "Oslo"}),
        ("get_weather", '{"city": '),
        ("get_weather", "null"),
        ("show_progress", {}),
    ],
    ids=["dotted name", "spaced name", "broken arguments", "null arguments", "null result"],
)
def test_whatever_a_model_called_the_chat_goes_on(stage: Stage, call: tuple[str, dict[str, str] | str]) -> None:
    turns = [Turn(send="Hello"), Turn(send="And now?")]
    outcome = stage.play(calls(call), says("Sorry."), says("Well."), turns=turns)
    assert_answered(outcome, posts=2)
    assert outcome.last.text == "Well."


def test_a_regenerated_answer_replaces_the_last(stage: Stage) -> None:
    outcome = stage.play(says("One."), says("Two."), turns=[Turn(send="Hello"), Turn(regenerate=True)])
    assert_answered(outcome, posts=2)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.text == "Two."
    assert stage.upstream.calls[1].roles == ["system", "user"]


def test_the_last_message_alone_is_enough(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"), body="message", id="chat-1")
    assert_answered(outcome)
    assert outcome.last.text == "Hello"


def test_unknown_fields_and_headers_do_no_harm(stage: Stage) -> None:
    extra, headers = {"theme": "dark", "data": None}, {"x-session-id": "session-7", "x-user-id": "user-7"}
    outcome = stage.ask(says("Hello"), extra=extra, headers=headers)
    assert_answered(outcome)
    assert outcome.exchanges[0].response_headers["x-session-id"] == "session-7"
