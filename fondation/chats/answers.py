"""Answers meet the calls that wait for them: each call has one, from this chat, in time, and for its own arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from fondation.errors import RequestError
from fondation.messages import Json
from fondation.protocols.conversation import LONGEST_ID, ApprovalAnswer, ToolOutput
from fondation.stores.chats import WaitingCall
from fondation.tool_results import TOO_LATE


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
    waiting: Sequence[WaitingCall], approvals: Sequence[ApprovalAnswer], outputs: Sequence[ToolOutput], now: float
) -> tuple[CallAnswer, ...]:
    """An answer for every call that waits; `now` in Unix seconds.

    Raises `RequestError`: 409 where a call has none, or was altered on its way, or where an answer is to no call that
    waits; 400 for one that says neither yes nor no, or contradicts another.
    """
    _check_all_wait(waiting, approvals, outputs)
    approved = _approvals_by_id(approvals)
    given = _outputs_by_call(outputs)
    answers = [_answer(call, approved.get(call.id), given.get(call.call_id), now) for call in waiting]
    if missing := [call for call, answer in zip(waiting, answers, strict=True) if answer is None]:
        raise RequestError(409, _missing_text(missing))
    return tuple(answer for answer in answers if answer is not None)


def _check_all_wait(
    waiting: Sequence[WaitingCall], approvals: Iterable[ApprovalAnswer], outputs: Iterable[ToolOutput]
) -> None:
    asked, called = {call.id for call in waiting}, {call.call_id for call in waiting}
    unknown = [answer.id for answer in approvals if answer.id not in asked and not answer.is_history]
    unknown += [output.call_id for output in outputs if output.call_id not in called and not output.is_history]
    if unknown:
        raise RequestError(409, f"No call of this chat waits for {unknown[0][:LONGEST_ID]!r}: load the chat again")


def _approvals_by_id(approvals: Iterable[ApprovalAnswer]) -> dict[str, ApprovalAnswer]:
    """Each approval's answer; those of a posted message, which bring arguments to check, come last and stay."""
    known: dict[str, ApprovalAnswer] = {}
    for answer in approvals:
        before = known.get(answer.id, answer)
        if (before.approved, before.reason) != (answer.approved, answer.reason):
            raise _two_answers(answer.id)
        known[answer.id] = answer
    return known


def _outputs_by_call(outputs: Iterable[ToolOutput]) -> dict[str, ToolOutput]:
    """Each call's output: the body's own, else the last in a posted message, whose model may have used an id again."""
    known: dict[str, ToolOutput] = {}
    for output in sorted(outputs, key=lambda output: not output.is_history):
        before = known.get(output.call_id, output)
        if not before.is_history and before != output:
            raise _two_answers(output.call_id)
        known[output.call_id] = output
    return known


def _two_answers(id: str) -> RequestError:
    return RequestError(400, f"There are two different answers to {id[:LONGEST_ID]!r}: send one")


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
    if output is not None and (approval is None or not output.is_history):
        told = _told_as_output(call, output)
        if approval is not None and approval.approved != told.approved:
            raise _two_answers(call.id)
        approval = approval or told
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
