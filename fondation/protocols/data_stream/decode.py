"""A request body to a conversation: what `useChat` of major 4 posts, and what people write by hand.

Its messages are told as those of the UI message stream, and read on as such: so both protocols accept the same
conversations, and say the same of a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from fondation.messages import Json
from fondation.protocols.bodies import BodyReader
from fondation.protocols.conversation import Conversation
from fondation.protocols.data_stream.encode import METADATA
from fondation.protocols.ui_message_stream.decode import Body, conversation_of

STATES = {"partial-call": "input-streaming", "call": "input-available", "result": "output-available"}
STEP: dict[str, Json] = {"type": "step-start"}


class ToolInvocation(msgspec.Struct, rename="camel"):
    tool_call_id: str
    tool_name: str
    state: Literal["partial-call", "call", "result"] = "call"
    step: int | None = None
    args: Json = None
    result: Json = None


class Part(msgspec.Struct, rename="camel"):
    type: str
    text: str | None = None
    reasoning: str | None = None
    tool_invocation: ToolInvocation | None = None


class Attachment(msgspec.Struct, rename="camel"):
    url: str
    content_type: str | None = None
    name: str | None = None


class DataStreamMessage(msgspec.Struct, rename="camel"):
    role: Literal["user", "assistant", "system", "data"]
    id: str | None = None
    content: str | None = None
    parts: list[Part] | None = None
    tool_invocations: list[ToolInvocation] | None = None
    attachments: list[Attachment] | None = msgspec.field(default=None, name="experimental_attachments")
    annotations: list[Json] | None = None


class DataStreamBody(msgspec.Struct, rename="camel"):
    id: str | None = None
    message: str | DataStreamMessage | None = None
    messages: list[DataStreamMessage] | None = None
    context: dict[str, Json] | None = None
    agent_choice: str | None = None


_read = BodyReader(DataStreamBody)


def decode(data: bytes) -> Conversation:
    """Read a request body. Raises `RequestError` (400) with what is wrong and where."""
    body = _read(data)
    message = body.message
    told = {
        "id": body.id,
        "message": _ui_message(message) if isinstance(message, DataStreamMessage) else message,
        "messages": [_ui_message(message) for message in body.messages or [] if message.role != "data"],
        "context": body.context,
        "agentChoice": body.agent_choice,
    }
    return conversation_of(msgspec.convert(told, Body))


def _ui_message(message: DataStreamMessage) -> dict[str, Json]:
    told: dict[str, Json] = {"role": message.role, "parts": [*_parts(message)]}
    if message.id is not None:
        told["id"] = message.id
    if (metadata := _metadata(message)) is not None:
        told["metadata"] = metadata
    return told


def _parts(message: DataStreamMessage) -> Iterator[dict[str, Json]]:
    """Its parts; a step ends where text follows a tool, or a tool that says to be of another step."""
    before: ToolInvocation | None = None
    for part in message.parts or _parts_of_fields(message):
        match part:
            case Part(type="tool-invocation", tool_invocation=ToolInvocation() as invocation):
                if before is not None and before.step != invocation.step:
                    yield STEP
                yield _tool_part(invocation)
                before = invocation
            case Part(type="text" | "reasoning" | "step-start"):
                if before is not None:
                    yield STEP
                yield {"type": part.type, "text": part.text or part.reasoning or ""}
                before = None
    for attachment in message.attachments or []:
        yield _file_part(attachment)


def _parts_of_fields(message: DataStreamMessage) -> list[Part]:
    """The parts of a message that has none: its tools come before its text."""
    tools = [Part("tool-invocation", tool_invocation=invocation) for invocation in message.tool_invocations or []]
    return [*tools, Part("text", text=message.content)] if message.content else tools


def _tool_part(invocation: ToolInvocation) -> dict[str, Json]:
    told: dict[str, Json] = {
        "type": f"tool-{invocation.tool_name}",
        "toolCallId": invocation.tool_call_id,
        "input": invocation.args,
    }
    match invocation.result:
        case {"error": str(text), **more} if invocation.state == "result" and not more:
            return {**told, "state": "output-error", "errorText": text}  # the encoder told the failure so
        case result:
            return {**told, "state": STATES[invocation.state], "output": result}


def _file_part(attachment: Attachment) -> dict[str, Json]:
    told = {"type": "file", "url": attachment.url}
    if attachment.content_type is not None:
        told["mediaType"] = attachment.content_type
    if attachment.name is not None:
        told["filename"] = attachment.name
    return told


def _metadata(message: DataStreamMessage) -> dict[str, Json] | None:
    """The last that the server wrote of itself among the message's annotations."""
    for annotation in reversed(message.annotations or []):
        if isinstance(annotation, dict) and annotation.get("type") == METADATA:
            return annotation
    return None
