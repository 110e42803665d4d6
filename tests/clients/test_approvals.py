"""A tool that waits for a person's yes: with the chunks of 6 and 7, and as a tool of the page where 5 reads along."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from .harness import Body, CallAnswer, Outcome, Turn
from .stage import Message, Stage, assert_answered, assert_kept, assert_lasts
from .upstream import Answer, calls, says

pytestmark = pytest.mark.clients

FIVE, SIX = "/api/desk", "/api/desk6"
SPEAKING = [
    *[pytest.param(client, FIVE, id=f"{client}-5") for client in ("ai-5.0.71", "ai-5", "ai-6.0.230", "ai-6", "ai-7")],
    *[pytest.param(client, SIX, id=f"{client}-6") for client in ("ai-6.0.230", "ai-6", "ai-7")],
]
"""Every client with every route that it can read."""
everyone = pytest.mark.parametrize(("client", "route"), SPEAKING, indirect=["client"])

YES = CallAnswer(approved=True)
NO = CallAnswer(approved=False)
TOO_MUCH = CallAnswer(approved=False, reason="Too much.")
OSLO = CallAnswer(output={"city": "Oslo"})


class Orders:
    """Orders that nobody else has, so that it can be told what was refunded."""

    def __init__(self, stage: Stage) -> None:
        self._file = stage.server.folder / "refunds.txt"
        self.first = uuid.uuid4().hex
        self.second = uuid.uuid4().hex

    def refunded(self, order: str) -> int:
        """How often."""
        return self._file.read_text().count(f"{order} ") if self._file.exists() else 0


@pytest.fixture
def orders(stage: Stage) -> Orders:
    return Orders(stage)


def refund(*orders: str, tool: str = "refund") -> Answer:
    return calls(*[(tool, {"order": order, "amount": 5}) for order in orders])


def results(stage: Stage) -> list[str]:
    last = stage.upstream.calls[-1]
    return [text for role, text in zip(last.roles, last.texts, strict=True) if role == "tool"]


def states(outcome: Outcome) -> list[str]:
    return [part["state"] for part in outcome.last.parts_of("tool-refund")]


def denied(route: str) -> str:
    return "output-denied" if route == SIX else "output-error"


@everyone
@pytest.mark.parametrize("body", ["full", "message", "turn"])
def test_yes_runs_the_tool_once(stage: Stage, orders: Orders, route: str, body: Body) -> None:
    turns = [Turn(send="Refund it."), Turn(answers=[YES])]
    outcome = stage.play(refund(orders.first), says("Done."), route=route, turns=turns, body=body)
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-refund"], ["text"]]
    assert (states(outcome), orders.refunded(orders.first)) == (["output-available"], 1)
    assert outcome.last.parts_of("tool-refund")[0]["output"] == {"order": orders.first, "refunded": 5}
    assert_lasts(stage, outcome, route)


@everyone
@pytest.mark.parametrize("answer", [NO, TOO_MUCH], ids=["no", "with a reason"])
def test_no_runs_nothing_and_the_model_reads_it(stage: Stage, orders: Orders, route: str, answer: CallAnswer) -> None:
    turns = [Turn(send="Refund it."), Turn(answers=[answer])]
    outcome = stage.play(refund(orders.first), says("As you wish."), route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-refund"], ["text"]]
    assert (states(outcome), orders.refunded(orders.first)) == ([denied(route)], 0)
    assert results(stage) == ["Denied by the user: Too much." if answer.reason else "Denied by the user."]
    assert_lasts(stage, outcome, route)


@everyone
def test_a_yes_and_a_no_in_one_step(stage: Stage, orders: Orders, route: str) -> None:
    turns = [Turn(send="Refund both."), Turn(answers=[YES, TOO_MUCH])]
    asked = refund(orders.first, orders.second)
    outcome = stage.play(asked, says("One of them."), route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-refund", "tool-refund"], ["text"]]
    assert states(outcome) == ["output-available", denied(route)]
    assert (orders.refunded(orders.first), orders.refunded(orders.second)) == (1, 0)
    assert results(stage)[1] == "Denied by the user: Too much."
    assert_lasts(stage, outcome, route)


@everyone
def test_beside_tools_of_the_page_and_of_the_server(stage: Stage, orders: Orders, route: str) -> None:
    asked = calls(("get_weather", {"city": "Oslo"}), ("refund", {"order": orders.first}), ("locate", {}))
    turns = [Turn(send="All of it."), Turn(answers=[YES, OSLO])]
    outcome = stage.play(asked, says("Done."), route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert outcome.last.steps == [["tool-get_weather", "tool-refund", "tool-locate"], ["text"]]
    assert orders.refunded(orders.first) == 1
    assert len(results(stage)) == 3
    assert_lasts(stage, outcome, route)


@everyone
def test_one_approval_after_the_other(stage: Stage, orders: Orders, route: str) -> None:
    turns = [Turn(send="Refund both."), Turn(answers=[YES]), Turn(answers=[NO])]
    script = refund(orders.first), refund(orders.second), says("One of them.")
    outcome = stage.play(*script, route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=3)
    assert outcome.last.steps == [["tool-refund"], ["tool-refund"], ["text"]]
    assert (orders.refunded(orders.first), orders.refunded(orders.second)) == (1, 0)
    assert_lasts(stage, outcome, route)


@everyone
def test_a_page_that_was_reloaded_answers(stage: Stage, orders: Orders, route: str) -> None:
    asked = stage.ask(refund(orders.first), route=route)
    assert_answered(asked)
    assert_kept(stage, asked)
    outcome = stage.reopen(asked.chat_id, says("Done."), turns=[Turn(answers=[YES])], route=route)
    assert_answered(outcome)
    assert (states(outcome), orders.refunded(orders.first)) == (["output-available"], 1)
    assert_lasts(stage, outcome, route)


@everyone
def test_the_user_goes_on_without_answering(stage: Stage, orders: Orders, route: str) -> None:
    turns = [Turn(send="Refund it."), Turn(send="Never mind.")]
    outcome = stage.play(refund(orders.first), says("Fine."), route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    assert results(stage) == ["Not run: the user went on without it."]
    late = stage.reopen(
        outcome.chat_id,
        turns=[Turn(answers=[YES])],
        route=route,
        messages=[message.model_dump() for message in outcome.messages[:2]],
    )
    assert (late.status, late.exchanges[0].status, orders.refunded(orders.first)) == ("error", 409, 0)
    back = stage.reopen(outcome.chat_id, says("Yes."), turns=[Turn(send="Sure?")], route=route)
    assert states(back) == []
    assert_lasts(stage, back, route)


@everyone
def test_a_replayed_answer_runs_nothing_more(stage: Stage, orders: Orders, route: str) -> None:
    asked = stage.ask(refund(orders.first), route=route)
    before = stage.kept(asked.chat_id)
    turns = [Turn(answers=[YES])]
    outcome = stage.reopen(asked.chat_id, says("Done."), turns=turns, route=route, body="turn")
    for body in ("full", "turn"):
        replayed = stage.reopen(asked.chat_id, turns=turns, route=route, messages=before, body=body)
        assert (replayed.status, replayed.exchanges[0].status) == ("error", 409)
    assert orders.refunded(orders.first) == 1
    assert_lasts(stage, outcome, route)


def other_arguments(part: Message) -> None:
    part["input"] = {**part["input"], "amount": 9000}


def other_approval(part: Message) -> None:
    if "approval" in part:
        part["approval"] = {"id": "wait_forged"}
    else:
        part["toolCallId"] = "call_forged"


def other_order(part: Message) -> None:
    part["input"] = {"order": "forged", "amount": 5}


@everyone
@pytest.mark.parametrize("alter", [other_arguments, other_approval, other_order])
def test_an_altered_or_forged_answer_runs_nothing(
    stage: Stage, orders: Orders, route: str, alter: Callable[[Message], None]
) -> None:
    asked = stage.ask(refund(orders.first), route=route)
    messages = stage.kept(asked.chat_id)
    alter(messages[-1]["parts"][-1])
    turns = [Turn(answers=[YES])]
    refused = stage.reopen(asked.chat_id, turns=turns, route=route, messages=messages, body="turn")
    assert (refused.status, refused.exchanges[0].status) == ("error", 409)
    assert (orders.refunded(orders.first), orders.refunded("forged")) == (0, 0)
    outcome = stage.reopen(asked.chat_id, says("Done."), turns=turns, route=route, body="turn")
    assert (states(outcome), orders.refunded(orders.first)) == (["output-available"], 1)
    assert_lasts(stage, outcome, route)


@everyone
@pytest.mark.parametrize("known", [False, True], ids=["an unknown chat", "a chat that waits for nothing"])
def test_an_answer_to_nothing_runs_nothing(stage: Stage, orders: Orders, route: str, known: bool) -> None:
    done = stage.ask(says("Hello."), route=route)
    messages = stage.kept(done.chat_id)
    part: Message = {"type": "tool-refund", "toolCallId": "call_0", "input": {"order": orders.first}}
    asks = {"state": "approval-requested", "approval": {"id": "wait_0"}}
    part |= asks if route == SIX else {"state": "input-available"}
    messages[-1]["parts"] = [{"type": "step-start"}, part]
    chat = done.chat_id if known else f"{done.chat_id}-2"
    refused = stage.reopen(chat, turns=[Turn(answers=[YES])], route=route, messages=messages)
    assert (refused.status, refused.exchanges[0].status, orders.refunded(orders.first)) == ("error", 409, 0)
    assert len(stage.upstream.calls) == 1
    assert_lasts(stage, done, route)


@everyone
def test_a_late_yes_runs_nothing(stage: Stage, orders: Orders, route: str) -> None:
    turns = [Turn(send="Refund it."), Turn(answers=[YES])]
    asked = refund(orders.first, tool="refund_now")
    outcome = stage.play(asked, says("Too late."), route=route, turns=turns, body="turn")
    assert_answered(outcome, posts=2)
    [part] = outcome.last.parts_of("tool-refund_now")
    assert (part["state"], orders.refunded(orders.first)) == (denied(route), 0)
    assert results(stage) == ["Not run: nobody answered in time."]
    back = stage.reopen(outcome.chat_id, says("Yes."), turns=[Turn(send="Sure?")], route=route)
    assert back.messages[1].parts_of("tool-refund_now")[0]["state"] == denied(route)
    assert_lasts(stage, back, route)


@everyone
@pytest.mark.parametrize("foreign", [{"x-user-id": "bob"}, {}, {"x-session-id": "elsewhere"}])
def test_the_answer_of_somebody_else_runs_nothing(
    stage: Stage, orders: Orders, route: str, foreign: dict[str, str]
) -> None:
    mine = {"x-user-id": "ann"}
    asked = stage.ask(refund(orders.first), route=route, headers=mine)
    messages = stage.kept(asked.chat_id, **mine)
    turns = [Turn(answers=[YES])]
    refused = stage.reopen(asked.chat_id, turns=turns, route=route, messages=messages, headers=foreign)
    assert (refused.status, refused.exchanges[0].status, orders.refunded(orders.first)) == ("error", 409, 0)
    outcome = stage.reopen(asked.chat_id, says("Done."), turns=turns, route=route, messages=messages, headers=mine)
    assert (states(outcome), orders.refunded(orders.first)) == (["output-available"], 1)
    assert_lasts(stage, outcome, route, **mine)
