"""A request body to a conversation: what `useChat` posts, and the shorter shapes that people write by hand.

Accepted are `{message: "text", id}`, `{message: {role, content}}`, `{message: UIMessage}` and
`{messages: [UIMessage]}`. Whatever comes from a client is data: its fields are checked, what is unknown is ignored,
and it brings no instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from fondation.errors import RequestError
from fondation.messages import AssistantMessage, Json, Message, TextPart, ToolCall, ToolResult, UserMessage
from fondation.protocols.bodies import BodyReader
from fondation.protocols.conversation import Conversation

NO_MESSAGE = "No message provided"
UNANSWERED = "Not run: the user went on without it."


class UIPart(msgspec.Struct, rename="camel"):
    """Any part of a UI message; which fields it has depends on its type."""

    type: str
    text: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    state: str | None = None
    input: Json = None
    raw_input: Json = None
    output: Json = None
    error_text: str | None = None


class UIMessage(msgspec.Struct, rename="camel"):
    role: Literal["user", "assistant", "system"]
    id: str | None = None
    parts: list[UIPart] = []
    content: str | list[UIPart] | None = None
    metadata: dict[str, Json] | None = None


class Body(msgspec.Struct, rename="camel"):
    id: str | None = None
    message: str | UIMessage | None = None
    messages: list[UIMessage] | None = None
    context: dict[str, Json] | None = None
    agent_choice: str | None = None
    trigger: str | None = None
    message_id: str | None = None


_read = BodyReader(Body)


def decode(data: bytes) -> Conversation:
    """Read a request body. Raises `RequestError` (400) with what is wrong and where."""
    return conversation_of(_read(data))


def conversation_of(body: Body) -> Conversation:
    history = _history(body)
    messages = tuple(_messages(history, len(body.messages or [])))
    asked = next((message for message in reversed(history) if message.role == "user"), None)
    if asked is None or not (text := _text(asked)).strip():
        raise RequestError(400, NO_MESSAGE)
    last = history[-1]
    return Conversation(
        messages=messages,
        text=text,
        chat_id=body.id,
        user_message_id=asked.id,
        continues=last.id if last.role == "assistant" else None,
        last_agent=_last_agent(history),
        context=body.context or {},
        agent_choice=body.agent_choice,
    )


def _history(body: Body) -> list[UIMessage]:
    history = list(body.messages or [])
    message = body.message
    if isinstance(message, str):
        message = UIMessage(role="user", content=message)
    if message is not None and not (history and message.id is not None and history[-1].id == message.id):
        history.append(message)
    return history


def _parts(message: UIMessage) -> list[UIPart]:
    """The parts, also of a message that has `content` instead."""
    if message.parts or message.content is None:
        return message.parts
    if isinstance(message.content, str):
        return [UIPart(type="text", text=message.content)]
    return message.content


def _text(message: UIMessage) -> str:
    return "\n".join(part.text for part in _parts(message) if part.type == "text" and part.text)


def _last_agent(history: list[UIMessage]) -> str | None:
    for message in reversed(history):
        if message.role == "assistant":
            agent = (message.metadata or {}).get("agent")
            return agent if isinstance(agent, str) else None
    return None


def _messages(history: list[UIMessage], among_messages: int) -> Iterator[Message]:
    """The first `among_messages` came in the body's `messages`, one more perhaps in its `message`."""
    for position, message in enumerate(history):
        path = f"messages[{position}]" if position < among_messages else "message"
        match message.role:
            case "system":
                raise RequestError(400, f"{path}.role: a client sends no system message; agents.yaml does")
            case "user":
                if parts := _user_parts(message, path):
                    yield UserMessage(parts, message.id)
            case "assistant":
                yield from _assistant_messages(message, path)


def _user_parts(message: UIMessage, path: str) -> tuple[TextPart, ...]:
    texts = []
    for position, part in enumerate(_parts(message)):
        if part.type == "text" and part.text:
            texts.append(TextPart(part.text))
        elif part.type == "file":
            raise RequestError(400, f"{path}.parts[{position}]: files cannot be sent yet; send text")
    return tuple(texts)


def _assistant_messages(message: UIMessage, path: str) -> Iterator[Message]:
    """An answer as the model gave it: each of its steps, and behind it the results of its tools."""
    step: list[UIPart] = []
    for part in [*_parts(message), UIPart(type="step-start")]:
        if part.type != "step-start":
            step.append(part)
        elif step:
            yield from _step_messages(step, path)
            step = []


def _step_messages(step: list[UIPart], path: str) -> Iterator[Message]:
    calls = [part for part in step if _is_tool(part) and part.state != "input-streaming"]
    text = "".join(part.text for part in step if part.type == "text" and part.text)
    if text or calls:
        yield AssistantMessage(text, tuple(_tool_call(part, path) for part in calls))
    for part in calls:
        yield ToolResult(part.tool_call_id or "", _tool_name(part), _result_text(part))


def _is_tool(part: UIPart) -> bool:
    return part.type == "dynamic-tool" or part.type.startswith("tool-")


def _tool_name(part: UIPart) -> str:
    return (part.tool_name or "") if part.type == "dynamic-tool" else part.type.removeprefix("tool-")


def _tool_call(part: UIPart, path: str) -> ToolCall:
    name = _tool_name(part)
    if not part.tool_call_id or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise RequestError(400, f"{path}: a tool part needs a toolCallId and a tool's name")
    arguments = part.input if part.input is not None else part.raw_input
    if isinstance(arguments, str):
        return ToolCall(part.tool_call_id, name, arguments)
    return ToolCall(part.tool_call_id, name, msgspec.json.encode(arguments or {}).decode())


def _result_text(part: UIPart) -> str:
    match part.state:
        case "output-available":
            return part.output if isinstance(part.output, str) else msgspec.json.encode(part.output).decode()
        case "output-error":
            return f"Error: {part.error_text or 'the tool failed.'}"
        case _:
            return UNANSWERED
