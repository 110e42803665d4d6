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
    assert answer(PAY, ApprovalAnswer("w1", True), now=NOW + 1) == ("expired", "Nobody answered in time.")


def test_all_that_wait_are_answered_at_once() -> None:
    with pytest.raises(RequestError, match="toolCallId: c2") as caught:
        match_answers([PAY, LOCATE], [ApprovalAnswer("w1", True)], [], NOW)
    assert "w1" not in str(caught.value)
