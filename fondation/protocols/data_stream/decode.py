"""A request body to a conversation: what `useChat` of major 4 posts, and what people write by hand.

Its messages are told as those of the UI message stream, and read on as such: so both protocols accept the same
conversations, and say the same of a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from fondation.messages import Json
from fondation.protocols.bodies import BodyReader
from fondation.protocols.conversation import Conversation
from fondation.protocols.data_stream.encode import METADATA
from fondation.protocols.ui_message_stream.content import ContentPart, read_content
from fondation.protocols.ui_message_stream.decode import Asked, Body, UIMessage, conversation_of
from fondation.protocols.ui_message_stream.parts import PlacedPart, UIPart

STATES = {"partial-call": "input-streaming", "call": "input-available", "result": "output-available"}


class ToolInvocation(msgspec.Struct, rename="camel"):
    tool_call_id: str
    tool_name: str
    state: Literal["partial-call", "call", "result"] = "call"
    step: int | None = None
    args: Json = None
    result: Json = None


class Part(msgspec.Struct, rename="camel"):
    """Any part of a message; which fields it has depends on its type."""

    type: str
    text: str | None = None
    reasoning: str | None = None
    tool_invocation: ToolInvocation | None = None
    url: str | None = None
    media_type: str | None = None
    mime_type: str | None = None
    data: Json = None
    filename: str | None = None


class Attachment(msgspec.Struct, rename="camel"):
    url: str
    content_type: str | None = None
    name: str | None = None


class DataStreamMessage(msgspec.Struct, rename="camel"):
    role: Literal["user", "assistant", "system", "data"]
    id: str | None = None
    content: str | list[ContentPart] | None = None
    parts: list[Part] | None = None
    tool_invocations: list[ToolInvocation] | None = None
    attachments: list[Attachment] | None = msgspec.field(default=None, name="experimental_attachments")
    annotations: list[Json] | None = None


class DataStreamBody(Asked):
    message: str | DataStreamMessage | None = None
    messages: list[DataStreamMessage] | None = None


_read = BodyReader(DataStreamBody)


def decode(data: bytes) -> Conversation:
    """Read a request body. Raises `RequestError` (400; 413 for a file) with what is wrong and where."""
    body = _read(data)
    message = body.message
    return conversation_of(
        Body(
            id=body.id,
            message=_ui_message(message, "message") if isinstance(message, DataStreamMessage) else message,
            messages=[*_ui_messages(body.messages or [])],
            context=body.context,
            agent_choice=body.agent_choice,
            trigger=body.trigger,
            message_id=body.message_id,
            approvals=body.approvals,
            tool_outputs=body.tool_outputs,
        )
    )


def _ui_messages(messages: Iterable[DataStreamMessage]) -> Iterator[UIMessage]:
    for position, message in enumerate(messages):
        if (read := _ui_message(message, f"messages[{position}]")) is not None:
            yield read


def _ui_message(message: DataStreamMessage, path: str) -> UIMessage | None:
    """None for the role `data`: that is a page's own note, and nobody's words."""
    if message.role == "data":
        return None
    return UIMessage(message.role, message.id, [*_parts(message, path)], metadata=_metadata(message))


def _parts(message: DataStreamMessage, path: str) -> Iterator[UIPart]:
    """Its parts; a step ends where text follows a tool, or a tool that says to be of another step."""
    before: ToolInvocation | None = None
    for position, part in enumerate(message.parts or _parts_of_fields(message)):
        match part:
            case Part(type="tool-invocation", tool_invocation=ToolInvocation() as invocation):
                if before is not None and before.step != invocation.step:
                    yield UIPart("step-start")
                yield _tool_part(invocation)
                before = invocation
            case Part(type="text" | "reasoning" | "step-start"):
                if before is not None:
                    yield UIPart("step-start")
                yield UIPart(part.type, text=part.text or part.reasoning)
                before = None
            case Part(type="file"):
                yield _file_part(part, f"{path}.parts[{position}]")
    if isinstance(message.content, list) and not message.parts:
        if before is not None:
            yield UIPart("step-start")
        yield from read_content(message.content, path)
    for position, attachment in enumerate(message.attachments or []):
        yield PlacedPart(
            "file",
            url=attachment.url,
            media_type=attachment.content_type,
            filename=attachment.name,
            place=f"{path}.experimental_attachments[{position}]",
            type_field="contentType",
        )


def _parts_of_fields(message: DataStreamMessage) -> list[Part]:
    """The parts of a message that has none: its tools come before its text."""
    tools = [Part("tool-invocation", tool_invocation=invocation) for invocation in message.tool_invocations or []]
    return (
        [*tools, Part("text", text=message.content)] if message.content and isinstance(message.content, str) else tools
    )


def _file_part(part: Part, place: str) -> UIPart:
    """A file by its address, as later majors tell it, or by its content, as the stream gave it."""
    url = part.url
    if url is None and isinstance(part.data, str):
        url = f"data:{part.mime_type or ''};base64,{part.data}"
    media_type = part.media_type or part.mime_type
    return PlacedPart("file", url=url, media_type=media_type, filename=part.filename, place=place)


def _tool_part(invocation: ToolInvocation) -> UIPart:
    part = UIPart(f"tool-{invocation.tool_name}", tool_call_id=invocation.tool_call_id, input=invocation.args)
    part.state = STATES[invocation.state]
    match invocation.result:
        case {"error": str(text), **more} if invocation.state == "result" and not more:
            part.state, part.error_text = "output-error", text  # the encoder told the failure so
        case result:
            part.output = result
    return part


def _metadata(message: DataStreamMessage) -> dict[str, Json] | None:
    """The last that the server wrote of itself among the message's annotations."""
    for annotation in reversed(message.annotations or []):
        if isinstance(annotation, dict) and annotation.get("type") == METADATA:
            return annotation
    return None
