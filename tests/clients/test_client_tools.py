"""Tools that the page runs: the answer waits for it, and goes on in the same message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import Body, CallAnswer, Turn
from .stage import Stage, assert_answered, assert_kept, assert_lasts
from .upstream import calls, says

pytestmark = pytest.mark.clients

ROUTE = "/api/desk"
LOCATE = ("locate", {"exact": True})
PICK: tuple[str, dict[str, Any]] = ("pick_color", {})
WEATHER = ("get_weather", {"city": "Oslo"})
OSLO = CallAnswer(output={"city": "Oslo"})
RED = CallAnswer(output="red")
REFUSED = CallAnswer(error_text="The user does not say.")


def results(stage: Stage) -> list[str]:
    """What the model read of its tools."""
    last = stage.upstream.calls[-1]
    return [text for role, text in zip(last.roles, last.texts, strict=True) if role == "tool"]


@pytest.mark.parametrize("body", ["full", "message", "turn"])
def test_the_users_answer_goes_to_the_model(stage: Stage, body: Body) -> None:
    turns = [Turn(send="Where am I?"), Turn(answers=[OSLO])]
    outcome = stage.play(calls(LOCATE), says("In Oslo."), route=ROUTE, turns=turns, body=body)
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-locate"], ["text"]]
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert [json.loads(text) for text in results(stage)] == [{"city": "Oslo"}]
    assert_lasts(stage, outcome, ROUTE)


def test_a_tool_that_the_page_runs_at_once(stage: Stage) -> None:
    outcome = stage.ask(
        calls(LOCATE), says("In Oslo."), route=ROUTE, page_tools={"locate": OSLO}, send="Where am I?", body="turn"
    )
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-locate"], ["text"]]
    assert_lasts(stage, outcome, ROUTE)


@pytest.mark.parametrize("at_once", [False, True], ids=["by the user", "at once"])
def test_two_at_a_time(stage: Stage, at_once: bool) -> None:
    answers = [Turn(send="Where, and which?")] if at_once else [Turn(send="Hello"), Turn(answers=[OSLO, RED])]
    tools = {"locate": OSLO, "pick_color": RED} if at_once else {}
    outcome = stage.play(calls(LOCATE, PICK), says("Red Oslo."), route=ROUTE, turns=answers, page_tools=tools)
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-locate", "tool-pick_color"], ["text"]]
    assert results(stage) == ['{"city":"Oslo"}', "red"]
    assert_lasts(stage, outcome, ROUTE)


def test_one_after_the_other(stage: Stage) -> None:
    turns = [Turn(send="Hello"), Turn(answers=[OSLO]), Turn(answers=[RED])]
    outcome = stage.play(calls(LOCATE), calls(PICK), says("Red Oslo."), route=ROUTE, turns=turns, body="turn")
    assert_answered(outcome, posts=3)
    assert outcome.last.steps == [["tool-locate"], ["tool-pick_color"], ["text"]]
    assert results(stage) == ['{"city":"Oslo"}', "red"]
    assert_lasts(stage, outcome, ROUTE)


def test_a_tool_that_failed_on_the_page(stage: Stage) -> None:
    turns = [Turn(send="Where am I?"), Turn(answers=[REFUSED])]
    outcome = stage.play(calls(LOCATE), says("Somewhere."), route=ROUTE, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.parts_of("tool-locate")[0]["state"] == "output-error"
    assert results(stage) == ["Error: The user does not say."]
    assert_lasts(stage, outcome, ROUTE)


@pytest.mark.parametrize("at_once", [False, True], ids=["by the user", "at once"])
def test_beside_a_tool_of_the_server(stage: Stage, at_once: bool) -> None:
    turns = [Turn(send="Hello")] if at_once else [Turn(send="Hello"), Turn(answers=[OSLO])]
    slow = ("get_weather", {"city": "Oslo", "seconds": 0.02})
    tools = {"locate": OSLO} if at_once else {}
    outcome = stage.play(calls(slow, LOCATE), says("Clear."), route=ROUTE, turns=turns, page_tools=tools, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-get_weather", "tool-locate"], ["text"]]
    assert [json.loads(text) for text in results(stage)] == [{"city": "Oslo", "sky": "clear"}, {"city": "Oslo"}]
    assert_lasts(stage, outcome, ROUTE)


def test_a_page_that_was_reloaded_answers(stage: Stage) -> None:
    asked = stage.ask(calls(WEATHER, LOCATE), route=ROUTE)
    assert_kept(stage, asked)
    outcome = stage.reopen(asked.chat_id, says("In Oslo."), turns=[Turn(answers=[OSLO])], route=ROUTE)
    assert_answered(outcome)
    assert outcome.last.steps == [["tool-get_weather", "tool-locate"], ["text"]]
    assert_lasts(stage, outcome, ROUTE)


def test_the_user_goes_on_without_answering(stage: Stage) -> None:
    turns = [Turn(send="Where am I?"), Turn(send="Never mind.")]
    outcome = stage.play(calls(LOCATE), says("Fine."), route=ROUTE, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.text == "Fine."
    assert results(stage) == ["Not run: the user went on without it."]
    back = stage.reopen(outcome.chat_id, says("Yes."), turns=[Turn(send="Sure?")], route=ROUTE)
    assert back.messages[1].parts_of("tool-locate")[0]["state"] == "output-error"
    assert_lasts(stage, back, ROUTE)


def test_an_altered_call_is_refused(stage: Stage) -> None:
    asked = stage.ask(calls(LOCATE), route=ROUTE)
    messages = stage.kept(asked.chat_id)
    messages[-1]["parts"][-1]["input"] = {"exact": False}
    turns = [Turn(answers=[OSLO])]
    refused = stage.reopen(asked.chat_id, turns=turns, route=ROUTE, messages=messages, send_automatically=True)
    assert (refused.status, refused.exchanges[0].status) == ("error", 409)
    assert "arguments of locate" in (refused.error or "")
    outcome = stage.reopen(asked.chat_id, says("In Oslo."), turns=turns, route=ROUTE)
    assert_lasts(stage, outcome, ROUTE)
