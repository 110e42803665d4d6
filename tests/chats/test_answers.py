"""Answers and the calls that wait for them."""

from __future__ import annotations

from typing import Any

import pytest

from fondation.chats import match_answers
from fondation.errors import RequestError
from fondation.protocols.conversation import ApprovalAnswer, ToolOutput
from fondation.stores.chats import WaitingCall

NOW = 1000.0
PAY = WaitingCall("w1", "a1", "c1", "pay", '{"n": 1, "to": ["x", 2.5], "now": true}', "Ann", "approval", (), NOW + 1)
LOCATE = WaitingCall("w2", "a1", "c2", "locate", "{}", "Ann", "client")
SENT = {"n": 1.0, "to": ["x", 2.5], "now": True}


def answer(call: WaitingCall, *given: Any, now: float = NOW) -> tuple[str, str | None]:
    approvals = [each for each in given if isinstance(each, ApprovalAnswer)]
    outputs = [each for each in given if isinstance(each, ToolOutput)]
    [matched] = match_answers([call], approvals, outputs, now)
    return matched.state, matched.reason


@pytest.mark.parametrize(
    ("call", "given", "state"),
    [
        (PAY, ApprovalAnswer("w1", True), ("approved", None)),
        (PAY, ApprovalAnswer("w1", True, input=SENT), ("approved", None)),
        (PAY, ApprovalAnswer("w1", False, "No."), ("denied", "No.")),
        (PAY, ToolOutput("c1", {"approved": True}), ("approved", None)),
        (PAY, ToolOutput("c1", {"approved": False, "reason": "No."}), ("denied", "No.")),
        (PAY, ToolOutput("c1", error="Not now."), ("denied", "Not now.")),
        (LOCATE, ToolOutput("c2", None), ("answered", None)),
        (LOCATE, ToolOutput("c2", error="Off."), ("answered", None)),
    ],
)
def test_a_call_has_its_answer(call: WaitingCall, given: Any, state: Any) -> None:
    assert answer(call, given) == state


@pytest.mark.parametrize(
    ("call", "given", "status"),
    [
        (PAY, ApprovalAnswer("w2", True), 409),
        (PAY, ToolOutput("c2", {"approved": True}), 409),
        (PAY, ToolOutput("c1", "yes"), 400),
        (PAY, ToolOutput("c1", {"approved": 1}), 400),
        (PAY, ApprovalAnswer("w1", True, input={**SENT, "n": 2}), 409),
        (PAY, ApprovalAnswer("w1", True, input={**SENT, "n": True}), 409),
        (PAY, ApprovalAnswer("w1", True, input={"n": 1}), 409),
        (PAY, ApprovalAnswer("w1", True, input={**SENT, "to": ["x"]}), 409),
        (LOCATE, ApprovalAnswer("w2", True), 409),
    ],
)
def test_an_answer_to_something_else_is_refused(call: WaitingCall, given: Any, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        answer(call, given)
    assert caught.value.status == status


def test_a_late_answer_is_none() -> None:
    assert answer(PAY, ApprovalAnswer("w1", True), now=NOW + 1) == ("expired", "Not run: nobody answered in time.")


def test_all_that_wait_are_answered_at_once() -> None:
    with pytest.raises(RequestError, match="toolCallId: c2") as caught:
        match_answers([PAY, LOCATE], [ApprovalAnswer("w1", True)], [], NOW)
    assert "w1" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ((ApprovalAnswer("w1", False), ApprovalAnswer("w1", True)), 400),
        ((ApprovalAnswer("w1", True), ApprovalAnswer("w1", False)), 400),
        ((ApprovalAnswer("w1", False), ApprovalAnswer("w1", True, is_history=True)), 400),
        ((ToolOutput("c1", {"approved": False}), ToolOutput("c1", {"approved": True})), 400),
        ((ApprovalAnswer("w1", True), ToolOutput("c1", {"approved": False})), 400),
        ((ApprovalAnswer("w1", True), ApprovalAnswer("w9", True)), 409),
        ((ApprovalAnswer("w1", True), ToolOutput("c9", 1)), 409),
    ],
)
def test_answers_that_contradict_each_other_or_are_to_nothing_are_refused(given: Any, status: int) -> None:
    with pytest.raises(RequestError) as caught:
        answer(PAY, *given)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "given",
    [
        (ApprovalAnswer("w1", True), ApprovalAnswer("w1", True)),
        (ApprovalAnswer("w1", True), ToolOutput("c1", {"approved": True})),
        (ApprovalAnswer("w9", False, is_history=True), ApprovalAnswer("w1", True)),
        (ToolOutput("c9", 1, is_history=True), ApprovalAnswer("w1", True)),
        (ApprovalAnswer("w1", True), ToolOutput("c1", "of an earlier call", is_history=True)),
    ],
)
def test_an_answer_may_be_repeated_and_history_comes_along(given: Any) -> None:
    assert answer(PAY, *given) == ("approved", None)


def test_of_a_call_id_that_was_used_again_the_last_output_of_the_message_counts() -> None:
    outputs = [ToolOutput("c2", city, is_history=True) for city in ("Paris", "Lyon")]
    [matched] = match_answers([LOCATE], [], outputs, NOW)
    assert matched.output is not None
    assert matched.output.output == "Lyon"
