"""A request body to a conversation: what `useChat` posts, and the shorter shapes that people write by hand.

Accepted are `{message: "text", id}`, `{message: {role, content}}`, `{message: UIMessage}` and
`{messages: [UIMessage]}`; for a chat that the server keeps also `{approvals}`, `{toolOutputs}` and
`{trigger: "regenerate-message"}` without a message. Whatever comes from a client is data: its fields are
checked, what is unknown is ignored, and it brings no instructions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

import msgspec

from fondation.errors import RequestError
from fondation.messages import FilePart, Json, Message, UserMessage
from fondation.protocols.bodies import BodyReader
from fondation.protocols.conversation import NO_MESSAGE, ApprovalAnswer, Conversation, SentMessage, ToolOutput
from fondation.protocols.ui_message_stream.content import ContentPart, read_content
from fondation.protocols.ui_message_stream.parts import (
    UIPart,
    assistant_messages,
    believed_parts,
    close_calls,
    fit_files,
    text_of,
    user_parts,
    without_unfit_files,
)


class UIMessage(msgspec.Struct, rename="camel"):
    role: Literal["user", "assistant", "system"]
    id: str | None = None
    parts: list[UIPart] = []
    content: str | list[ContentPart] | None = None
    metadata: dict[str, Json] | None = None


class Approval(msgspec.Struct):
    id: str
    approved: bool
    reason: str | None = None


class Output(msgspec.Struct, rename="camel"):
    tool_call_id: str
    output: Json = None
    error_text: str | None = None


class Asked(msgspec.Struct, rename="camel"):
    """What a body says besides its messages, whatever form those have."""

    id: str | None = None
    context: dict[str, Json] | None = None
    agent_choice: str | None = None
    trigger: str | None = None
    message_id: str | None = None
    approvals: list[Approval] | None = None
    tool_outputs: list[Output] | None = None


class Body(Asked):
    message: str | UIMessage | None = None
    messages: list[UIMessage] | None = None


REGENERATE = "regenerate-message"
TRIGGERS = (None, "submit-message", REGENERATE)

_read = BodyReader(Body)


def decode(data: bytes) -> Conversation:
    """Read a request body. Raises `RequestError` (400; 413 for a file) with what is wrong and where."""
    return conversation_of(_read(data))


def conversation_of(body: Body) -> Conversation:
    if body.trigger not in TRIGGERS:
        raise RequestError(400, f'trigger: expected "submit-message" or "{REGENERATE}"')
    history = _history(body)
    sent = tuple(_sent(history, len(body.messages or [])))
    asked = next((message for message in reversed(sent) if message.role == "user"), None)
    last = history[-1] if history else None
    goes_on = last is not None and last.role == "assistant"
    answered = last.parts if last is not None and goes_on else []
    approvals = (*_approvals(body), *_approvals_among(answered))
    tool_outputs = (*_tool_outputs(body), *_tool_outputs_among(answered))
    answers = bool(approvals or tool_outputs)
    if not (asked is not None and _says_something(asked)) and not _needs_no_message(body, last, answers=answers):
        raise RequestError(400, NO_MESSAGE)
    return Conversation(
        messages=tuple(chain.from_iterable(message.messages for message in sent)),
        text=asked.text if asked else "",
        chat_id=body.id,
        user_message_id=asked.id if asked else None,
        continues=last.id if last is not None and goes_on else None,
        last_agent=_last_agent(history),
        context=body.context or {},
        agent_choice=body.agent_choice,
        sent=sent,
        is_whole=bool(body.messages),
        regenerates=body.trigger == REGENERATE,
        message_id=body.message_id or None,
        approvals=approvals,
        tool_outputs=tool_outputs,
    )


def _needs_no_message(body: Body, last: UIMessage | None, *, answers: bool) -> bool:
    """Whether a body asks for something else than an answer to a message of its own; `answers`: it has some for calls
    that wait.
    """
    if last is not None and last.role == "user":
        return False
    if answers or body.trigger == REGENERATE:
        return True
    return bool(body.message_id) and last is not None


def _says_something(message: SentMessage) -> bool:
    return bool(message.text.strip()) or any(
        isinstance(part, FilePart) for read in message.messages if isinstance(read, UserMessage) for part in read.parts
    )


def _history(body: Body) -> list[UIMessage]:
    history = [_with_parts(message, f"messages[{position}]") for position, message in enumerate(body.messages or [])]
    message = body.message
    if isinstance(message, str):
        message = UIMessage(role="user", content=message)
    if message is not None and not (history and message.id is not None and history[-1].id == message.id):
        history.append(_with_parts(message, "message"))
    return history


def _with_parts(message: UIMessage, path: str) -> UIMessage:
    """The same with parts, also of a message that has `content` instead."""
    if message.parts or message.content is None:
        return message
    if isinstance(message.content, str):
        return msgspec.structs.replace(message, parts=[UIPart("text", text=message.content)])
    return msgspec.structs.replace(message, parts=read_content(message.content, path))


def _last_agent(history: list[UIMessage]) -> str | None:
    for message in reversed(history):
        if message.role == "assistant":
            agent = (message.metadata or {}).get("agent")
            return agent if isinstance(agent, str) else None
    return None


def _sent(history: list[UIMessage], among_messages: int) -> Iterator[SentMessage]:
    """The first `among_messages` came in the body's `messages`, one more perhaps in its `message`.

    A page keeps a message that was refused for its files, and sends it along ever after: without them.
    """
    asked = max((position for position, message in enumerate(history) if message.role == "user"), default=None)
    for position, message in enumerate(history):
        path = f"messages[{position}]" if position < among_messages else "message"
        parts = message.parts
        read: tuple[Message, ...]
        match message.role:
            case "system":
                raise RequestError(400, f"{path}.role: a client sends no system message; agents.yaml does")
            case "user":
                parts = fit_files(parts, path) if position == asked else without_unfit_files(parts)
                of_user = user_parts(parts)
                read = (UserMessage(of_user, message.id),) if of_user else ()
            case "assistant":
                parts = without_unfit_files(parts)
                read = tuple(close_calls(assistant_messages(parts, path)))
        kept = believed_parts(parts, of_user=message.role == "user")
        yield SentMessage(message.role, message.id or None, kept, text_of(parts), read)


def _approvals(body: Body) -> Iterator[ApprovalAnswer]:
    for approval in body.approvals or []:
        yield ApprovalAnswer(approval.id, approval.approved, approval.reason)


def _approvals_among(parts: Sequence[UIPart]) -> Iterator[ApprovalAnswer]:
    for part in parts:
        if part.is_tool and part.approval is not None and part.approval.approved is not None:
            approval = part.approval
            yield ApprovalAnswer(approval.id, part.approval.approved, approval.reason, part.input, is_history=True)


def _tool_outputs(body: Body) -> Iterator[ToolOutput]:
    for output in body.tool_outputs or []:
        yield ToolOutput(output.tool_call_id, output.output, output.error_text)


def _tool_outputs_among(parts: Sequence[UIPart]) -> Iterator[ToolOutput]:
    for part in parts:
        if not part.is_tool or part.tool_call_id is None:
            continue
        if part.state == "output-available":
            yield ToolOutput(part.tool_call_id, part.output, input=part.input, is_history=True)
        elif part.state == "output-error":
            error = part.error_text or "the tool failed."
            yield ToolOutput(part.tool_call_id, error=error, input=part.input, is_history=True)
