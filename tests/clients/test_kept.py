"""Whatever an answer holds and however it ended: the chat that the server keeps is the one that the page shows."""

from __future__ import annotations

import pytest

from .harness import After, Body, CallAnswer, Turn
from .stage import Stage, assert_answered, assert_lasts
from .upstream import HOLD, Answer, calls, hands_off, refuses, says

pytestmark = pytest.mark.clients

CITED = {"type": "url_citation", "url_citation": {"url": "https://example.com/a", "title": "A"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
LOCATE = calls(("locate", {}))


def test_all_that_an_answer_can_hold(stage: Stage) -> None:
    thinking = Answer([{"reasoning": "Let me"}, {"reasoning": " think."}, *calls(("show_progress", {})).deltas])
    failing = calls(("find_city", {"name": "Atlantis"}), ("crash", {}), ("get_weather", '{"city": '), ("no_tool", {}))
    last = Answer([{"content": "Look", "annotations": [CITED]}, {"images": [IMAGE]}])
    outcome = stage.ask(thinking, failing, last, body="turn")
    assert_answered(outcome)
    kinds = [kind for step in outcome.last.steps for kind in step]
    assert {"reasoning", "data-report", "tool-crash", "tool-no_tool", "source-url", "file"} <= {*kinds}
    assert_lasts(stage, outcome)


def test_a_handoff(stage: Stage) -> None:
    script = hands_off("BillingSupport", "an invoice"), calls(("check_invoice", {"invoiceId": "INV-42"})), says("Paid.")
    outcome = stage.ask(*script, route="/api/chat-multi", body="turn")
    assert_answered(outcome)
    assert_lasts(stage, outcome, "/api/chat-multi")
    again = stage.kept(outcome.chat_id)[-1]
    assert again["metadata"]["handoffChain"] == ["BillingSupport"]


@pytest.mark.parametrize("body", ["full", "turn", "trigger"])
@pytest.mark.parametrize("first", [refuses(401, "no"), says("Hello", ending="drop")], ids=["at once", "in text"])
def test_an_answer_that_failed_is_given_anew(stage: Stage, first: Answer, body: Body) -> None:
    failed = stage.play(first, turns=[Turn(send="Hello")], body=body)
    assert failed.status == "error"
    assert stage.kept(failed.chat_id)[-1]["metadata"]["status"] == "failed"
    outcome = stage.reopen(failed.chat_id, says("Here I am."), turns=[Turn(regenerate=True)], body=body)
    assert_answered(outcome)
    assert [message.text for message in outcome.messages] == ["Hello", "Here I am."]
    assert_lasts(stage, outcome)


def test_a_question_that_was_lost_on_its_way_is_sent_again(stage: Stage) -> None:
    """The page has it, the server does not: what a page does after a failed post is to ask for the answer anew."""
    lost = {"id": f"lost-{stage.client.name}", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}
    begun = stage.ask(says("Hello."), send="Hi")
    messages = [*stage.kept(begun.chat_id), lost]
    outcome = stage.reopen(begun.chat_id, says("Here."), turns=[Turn(regenerate=True)], messages=messages, body="turn")
    assert_answered(outcome)
    assert [message.text for message in outcome.messages] == ["Hi", "Hello.", "Hello?", "Here."]
    assert_lasts(stage, outcome)


@pytest.mark.parametrize("turn", [Turn(regenerate=True), Turn(send="Rome?", message=0)], ids=["anew", "otherwise"])
@pytest.mark.parametrize("body", ["full", "turn"])
def test_an_answer_that_waits_is_given_up(stage: Stage, turn: Turn, body: Body) -> None:
    turns = [Turn(send="Oslo?"), turn]
    outcome = stage.play(LOCATE, says("Clear."), route="/api/desk", turns=turns, body=body)
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["text"]]
    assert stage.upstream.calls[1].roles == ["system", "user"]
    assert_lasts(stage, outcome, "/api/desk")


def test_a_stop_while_a_tool_runs(stage: Stage) -> None:
    slow = calls(("get_weather", {"city": "Oslo", "seconds": 20}))
    outcome = stage.play(slow, turns=[Turn(send="Oslo?", stop_after=After(tools=1))], body="turn")
    assert outcome.status == "ready"
    stage.until_ended(outcome.chat_id)
    back = stage.reopen(outcome.chat_id, says("Fine."), turns=[Turn(send="Never mind.")], body="turn")
    assert_answered(back)
    [tool] = back.messages[1].parts_of("tool-get_weather")
    assert (tool["state"], tool["input"]["city"]) == ("output-error", "Oslo")
    assert stage.upstream.calls[-1].roles == ["system", "user", "assistant", "tool", "user"]
    assert_lasts(stage, back)


def test_a_stop_in_an_answer_that_goes_on(stage: Stage) -> None:
    """What the page's tool gave stays with what was said after it."""
    turns = [Turn(send="Where?", stop="run", stop_after=After(texts=1))]
    tools = {"locate": CallAnswer(output="Oslo")}
    answer = says("In Oslo", HOLD, ".")
    outcome = stage.play(LOCATE, answer, turns=turns, page_tools=tools, route="/api/desk", body="turn")
    assert (outcome.status, outcome.last.steps, outcome.last.text) == ("ready", [["tool-locate"], ["text"]], "In Oslo")
    assert_lasts(stage, outcome, "/api/desk")
