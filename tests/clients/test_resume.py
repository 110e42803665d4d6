"""A page that comes back to an answer that is under way, or was, and pages that read along."""

from __future__ import annotations

import pytest

from .harness import After, CallAnswer, Outcome, Turn
from .stage import Stage, as_shown, assert_answered, assert_kept, assert_lasts
from .upstream import HOLD, calls, says

pytestmark = pytest.mark.clients

LONG = says("Let me see. ", HOLD, "It is ", "clear.")
TEXT = "Let me see. It is clear."
LOST = Turn(send="Oslo?", cut_after=After(texts=1))
REPLAYING = ["ai-6", "ai-7"]
"""The clients that begin a message anew when they resume it; the others go on with what they have."""


def assert_read_along(outcome: Outcome, posts: int = 1) -> None:
    """Every reader has what the first page has, and its client is content."""
    assert_answered(outcome, posts)
    assert outcome.readers
    for reader in outcome.readers:
        assert_answered(reader, posts=0)
        assert [message.model_dump() for message in reader.messages] == [
            message.model_dump() for message in outcome.messages
        ]


@pytest.mark.parametrize("route", ["/api/chat", "/api/lasting", "/api/patient"])
def test_pages_read_along_from_the_start(stage: Stage, route: str) -> None:
    outcome = stage.play(LONG, route=route, turns=[Turn(send="Oslo?", readers=2)])
    assert outcome.last.text == TEXT
    assert_read_along(outcome)
    assert_lasts(stage, outcome, route)


def test_a_page_reads_along_what_a_later_turn_gives(stage: Stage) -> None:
    weather = calls(("get_weather", {"city": "Oslo"}), text="I look. ")
    turns = [Turn(send="Hello"), Turn(send="Oslo?", readers=1)]
    outcome = stage.play(says("Hello."), weather, LONG, turns=turns, body="turn")
    assert_read_along(outcome, posts=2)
    assert_lasts(stage, outcome)


@pytest.mark.parametrize("answer", ["output", "approval"])
def test_a_page_reads_along_an_answer_that_goes_on(stage: Stage, answer: str) -> None:
    """The message has its first step already when the run that is read begins."""
    asked = ("locate", {}) if answer == "output" else ("refund", {"order": stage.client.name})
    given = CallAnswer(output={"city": "Oslo"}) if answer == "output" else CallAnswer(approved=True)
    turns = [Turn(send="Please."), Turn(answers=[given], readers=1)]
    weather = ("get_weather", {"city": "Oslo"})
    outcome = stage.play(calls(weather, asked), LONG, route=desk(stage), turns=turns, body="turn")
    assert outcome.last.steps == [["tool-get_weather", f"tool-{asked[0]}"], ["text"]]
    assert_answered(outcome, posts=2)
    [reader] = outcome.readers
    assert_answered(reader, posts=0)
    assert [shown(message.model_dump()) for message in reader.messages] == [
        shown(message.model_dump()) for message in outcome.messages
    ]
    assert reader.last.metadata == outcome.last.metadata
    assert_lasts(stage, outcome, desk(stage))


def desk(stage: Stage) -> str:
    """The route that speaks the client's approvals."""
    return "/api/desk" if stage.client.name.startswith("ai-5") else "/api/desk6"


def shown(message: dict[str, object]) -> dict[str, object]:
    """Without an answered approval: no chunk that all majors know tells it."""
    told = as_shown(message)
    return {**told, "parts": [{n: v for n, v in part.items() if n != "approval"} for part in told["parts"]]}


def test_where_nothing_runs_there_is_nothing_to_resume(stage: Stage) -> None:
    outcome = stage.play(turns=[Turn(resume=True)], id="never-seen")
    assert (outcome.status, outcome.error, outcome.messages) == ("ready", None, [])
    assert [exchange.status for exchange in outcome.exchanges] == [204]
    done = stage.ask(says("Hello"))
    again = stage.reopen(done.chat_id, turns=[Turn(resume=True)])
    assert [exchange.status for exchange in again.exchanges] == [204]
    assert_kept(stage, again)
    assert_lasts(stage, done)


@pytest.mark.parametrize("route", ["/api/lasting", "/api/patient"])
def test_a_page_opened_after_a_cut_gets_the_whole_answer(stage: Stage, route: str) -> None:
    lost = stage.play(LONG, route=route, turns=[LOST], body="turn")
    assert (lost.status, lost.finishes[-1].is_disconnect, lost.last.text) == ("error", True, "Let me see. ")
    back = stage.reopen(lost.chat_id, turns=[Turn(resume=True)], route=route)
    assert_answered(back, posts=0)
    assert [message.text for message in back.messages] == ["Oslo?", TEXT]
    assert back.last.id == lost.last.id
    assert not stage.upstream.calls[0].was_cut()
    assert_lasts(stage, back, route)


@pytest.mark.parametrize("client", REPLAYING, indirect=True)
def test_the_same_page_goes_on_after_a_cut(stage: Stage) -> None:
    outcome = stage.play(LONG, route="/api/lasting", turns=[LOST, Turn(resume=True)], body="turn")
    assert (outcome.status, outcome.problems) == ("ready", [])
    assert outcome.last.text == TEXT
    assert_lasts(stage, outcome, "/api/lasting")


@pytest.mark.parametrize("client", REPLAYING, indirect=True)
def test_the_same_page_goes_on_after_a_cut_in_an_answer_that_goes_on(stage: Stage) -> None:
    turns = [
        Turn(send="Please."),
        Turn(answers=[CallAnswer(approved=True)], cut_after=After(texts=1)),
        Turn(resume=True),
    ]
    refund = calls(("refund", {"order": stage.client.name}))
    outcome = stage.play(refund, LONG, route="/api/desk6", turns=turns, body="turn")
    assert (outcome.status, outcome.problems) == ("ready", [])
    assert outcome.last.steps == [["tool-refund"], ["text"]]
    assert outcome.last.text == TEXT
    stage.rows(outcome.chat_id, 2)


def test_an_answer_that_ended_meanwhile_is_in_the_chat(stage: Stage) -> None:
    lost = stage.play(says("Let me see. ", "Clear.", pause=0.02), route="/api/lasting", turns=[LOST], body="turn")
    stage.until_ended(lost.chat_id, "/api/lasting")
    turns = [Turn(resume=True), Turn(send="Thanks.")]
    back = stage.reopen(lost.chat_id, says("Bye."), turns=turns, route="/api/lasting", body="turn")
    assert_lasts(stage, back, "/api/lasting")
    assert [message.text for message in back.messages] == ["Oslo?", "Let me see. Clear.", "Thanks.", "Bye."]


def test_a_cut_ends_the_run_where_nobody_else_reads(stage: Stage) -> None:
    lost = stage.play(LONG, turns=[LOST], body="turn")
    assert stage.upstream.calls[0].was_cut()
    stage.until_ended(lost.chat_id)
    back = stage.reopen(lost.chat_id, says("Clear."), turns=[Turn(send="Well?")], body="turn")
    assert_answered(back)
    assert [message.text for message in back.messages] == ["Oslo?", "Let me see. ", "Well?", "Clear."]
    assert_lasts(stage, back)


def test_another_user_finds_nothing_to_resume(stage: Stage) -> None:
    mine, yours = {"x-user-id": "ann"}, {"x-user-id": "bob"}
    lost = stage.play(LONG, route="/api/lasting", turns=[LOST], headers=mine)
    turns = [Turn(resume=True)]
    other = stage.reopen(lost.chat_id, turns=turns, route="/api/lasting", messages=[], headers=yours)
    assert ([exchange.status for exchange in other.exchanges], other.messages) == ([204], [])
    back = stage.reopen(lost.chat_id, turns=turns, route="/api/lasting", headers=mine)
    assert back.last.text == TEXT
    assert_lasts(stage, back, "/api/lasting", **mine)
