"""Answers meet the calls that wait for them: each call has one, from this chat, in time, and for its own arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from fondation.errors import RequestError
from fondation.messages import Json
from fondation.protocols.conversation import ApprovalAnswer, ToolOutput
from fondation.stores.chats import WaitingCall

TOO_LATE = "Nobody answered in time."


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What became of a call that waited."""

    call: WaitingCall
    state: Literal["approved", "denied", "answered", "expired"]
    reason: str | None = None
    """Why it was denied."""
    output: ToolOutput | None = None
    """What the page's tool gave."""


def match_answers(
    waiting: Sequence[WaitingCall], approvals: Iterable[ApprovalAnswer], outputs: Iterable[ToolOutput], now: float
) -> tuple[CallAnswer, ...]:
    """An answer for every call that waits; `now` in Unix seconds.

    Raises `RequestError`: 409 where a call has none, or was altered on its way; 400 for one that says neither yes nor
    no.
    """
    approved = {answer.id: answer for answer in approvals}
    given = {output.call_id: output for output in outputs}
    answers = [_answer(call, approved.get(call.id), given.get(call.call_id), now) for call in waiting]
    if missing := [call for call, answer in zip(waiting, answers, strict=True) if answer is None]:
        raise RequestError(409, _missing_text(missing))
    return tuple(answer for answer in answers if answer is not None)


def _answer(
    call: WaitingCall, approval: ApprovalAnswer | None, output: ToolOutput | None, now: float
) -> CallAnswer | None:
    if call.expires_at is not None and call.expires_at <= now:
        return CallAnswer(call, "expired", TOO_LATE)
    if call.kind == "client":
        if output is None:
            return None
        _check_unaltered(call, output.input)
        return CallAnswer(call, "answered", output=output)
    if approval is None and output is not None:
        approval = _told_as_output(call, output)
    if approval is None:
        return None
    _check_unaltered(call, approval.input)
    return CallAnswer(call, "approved" if approval.approved else "denied", approval.reason)


def _told_as_output(call: WaitingCall, output: ToolOutput) -> ApprovalAnswer:
    """The answer of a page that knows no approvals: it answers as the tool would."""
    match output.output:
        case _ if output.error is not None:
            return ApprovalAnswer(call.id, False, output.error, output.input)
        case {"approved": bool(approved), "reason": str(reason)}:
            return ApprovalAnswer(call.id, approved, reason, output.input)
        case {"approved": bool(approved)}:
            return ApprovalAnswer(call.id, approved, None, output.input)
        case _:
            raise RequestError(400, f"{call.tool} waits for a yes or no: answer {{approved: true}} or false")


def _check_unaltered(call: WaitingCall, sent: Json) -> None:
    """What runs is what the server keeps; whoever agreed to something else did not agree to that."""
    if sent is not None and not _same(sent, msgspec.json.decode(call.arguments or "{}")):
        raise RequestError(409, f"The arguments of {call.tool} are not those that wait: load the chat again")


def _same(sent: Json, kept: Json) -> bool:
    """Whether a page was given `kept`: for it every number is a double."""
    if isinstance(sent, bool) or isinstance(kept, bool):
        return sent is kept
    if isinstance(sent, int | float) and isinstance(kept, int | float):
        return float(sent) == float(kept)
    if isinstance(sent, dict) and isinstance(kept, dict):
        return sent.keys() == kept.keys() and all(_same(sent[name], kept[name]) for name in sent)
    if isinstance(sent, list) and isinstance(kept, list):
        return len(sent) == len(kept) and all(map(_same, sent, kept))
    return bool(sent == kept)


def _missing_text(calls: Sequence[WaitingCall]) -> str:
    """Which calls are to be answered, and how."""
    wanted = [
        f"approvals: [{{id: {call.id}, approved: true}}] for {call.tool}"
        if call.kind == "approval"
        else f"toolOutputs: [{{toolCallId: {call.call_id}, output: ...}}] for {call.tool}"
        for call in calls
    ]
    return f"The chat waits for all of its calls to be answered: send {'; '.join(wanted)}; or a new message"
