"""An answer given anew and a question asked otherwise: what follows is gone, on the page and on the server."""

from __future__ import annotations

import pytest

from .harness import Body, Turn
from .stage import Stage, assert_answered, assert_lasts
from .upstream import calls, says

pytestmark = pytest.mark.clients

BODIES: tuple[Body, ...] = ("full", "message", "turn", "trigger")
TWO_TURNS = [Turn(send="One?"), Turn(send="Two?")]
TWO_ANSWERS = says("One."), says("Two.")


@pytest.mark.parametrize("body", BODIES)
def test_the_last_answer_anew(stage: Stage, body: Body) -> None:
    turns = [*TWO_TURNS, Turn(regenerate=True)]
    outcome = stage.play(*TWO_ANSWERS, says("Two again."), turns=turns, body=body)
    assert_answered(outcome, posts=3)
    assert [message.text for message in outcome.messages] == ["One?", "One.", "Two?", "Two again."]
    assert stage.upstream.calls[-1].texts[1:] == ["One?", "One.", "Two?"]
    assert_lasts(stage, outcome)


@pytest.mark.parametrize("message", [0, 1], ids=["by its question", "by itself"])
@pytest.mark.parametrize("body", BODIES)
def test_an_earlier_answer_anew(stage: Stage, body: Body, message: int) -> None:
    turns = [*TWO_TURNS, Turn(regenerate=True, message=message)]
    outcome = stage.play(*TWO_ANSWERS, says("One again."), turns=turns, body=body)
    assert_answered(outcome, posts=3)
    assert [message.text for message in outcome.messages] == ["One?", "One again."]
    assert stage.upstream.calls[-1].texts[1:] == ["One?"]
    assert_lasts(stage, outcome)


def test_an_answer_with_tools_anew(stage: Stage) -> None:
    weather = calls(("get_weather", {"city": "Oslo"}))
    turns = [Turn(send="Oslo?"), Turn(regenerate=True)]
    outcome = stage.play(weather, says("Clear."), weather, says("Clear again."), turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-get_weather"], ["text"]]
    assert stage.upstream.calls[2].roles == ["system", "user"]
    assert_lasts(stage, outcome)


@pytest.mark.parametrize("place", [0, 2], ids=["first", "last"])
@pytest.mark.parametrize("body", ["full", "message", "turn"])
def test_a_question_asked_otherwise(stage: Stage, body: Body, place: int) -> None:
    turns = [*TWO_TURNS, Turn(send="Three?", message=place)]
    outcome = stage.play(*TWO_ANSWERS, says("Three."), turns=turns, body=body)
    assert_answered(outcome, posts=3)
    before = ["One?", "One."][:place]
    assert [message.text for message in outcome.messages] == [*before, "Three?", "Three."]
    assert stage.upstream.calls[-1].texts[1:] == [*before, "Three?"]
    assert_lasts(stage, outcome)


def test_a_page_that_is_behind_is_told_to_load_the_chat_again(stage: Stage) -> None:
    outcome = stage.play(*TWO_ANSWERS, turns=TWO_TURNS, body="turn")
    behind = stage.kept(outcome.chat_id)
    anew = Turn(regenerate=True, message=1)
    changed = stage.reopen(outcome.chat_id, says("One again."), turns=[anew], body="turn")
    assert_answered(changed)
    refused = stage.reopen(outcome.chat_id, turns=[anew], messages=behind, body="turn")
    assert (refused.status, refused.exchanges[0].status) == ("error", 409)
    assert "load the chat again" in (refused.error or "")
    assert_lasts(stage, changed)
