"""A model request as the JSON body of a chat-completions call."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import assert_never
from urllib.parse import unquote_to_bytes

import msgspec

from fondation.messages import (
    AssistantMessage,
    FilePart,
    Json,
    Message,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
    UserMessage,
    mend,
)
from fondation.providers.base import ForcedTool, ModelRequest
from fondation.providers.untyped import is_object


def encode_body(
    request: ModelRequest, model: str, extras: Mapping[str, Json], *, with_reasoning: bool = False
) -> bytes:
    """`extras` are fields of the provider's own; `with_reasoning` sends the model's reasoning blocks back to it."""
    body: dict[str, Json] = {
        **request.settings,
        "model": model,
        "messages": [
            encoded
            for message in request.messages
            for encoded in _encode_message(message, model if with_reasoning else None)
        ],
        "stream": True,
        **extras,
        **_tool_fields(request),
    }
    if "tools" not in body:
        body.pop("parallel_tool_calls", None)  # OpenAI refuses it without tools
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # lone surrogates
        tools = body.pop("tools", None)
        return msgspec.json.encode({**mend(body), **({} if tools is None else {"tools": tools})})


def _tool_fields(request: ModelRequest) -> dict[str, Json]:
    """Messages that hold tool calls need `tools` even where none is offered any more."""
    if request.tools:
        fields: dict[str, Json] = {"tools": _encode_tools(request.tools)}
        match request.tool_choice:
            case "auto":
                pass
            case ForcedTool(name):
                fields["tool_choice"] = {"type": "function", "function": {"name": name}}
            case choice:
                fields["tool_choice"] = choice
        return fields
    names = {call.name for call in _calls(request.messages)}
    if not names:
        return {}
    tools = [_encode_tool(ToolSpec(name, "No longer available.")) for name in sorted(names)]
    return {"tools": tools, "tool_choice": "none"}


@lru_cache(maxsize=256)
def _encode_tools(tools: tuple[ToolSpec, ...]) -> msgspec.Raw:
    """Encoded once for each set of tools: specs are compared by identity and made once."""
    return msgspec.Raw(msgspec.json.encode(mend([_encode_tool(tool) for tool in tools])))


def _encode_tool(tool: ToolSpec) -> dict[str, Json]:
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
    }


def _calls(messages: Sequence[Message]) -> Iterator[ToolCall]:
    for message in messages:
        if isinstance(message, AssistantMessage):
            yield from message.tool_calls


def call_ids(messages: Sequence[Message]) -> Iterator[str]:
    """The ids of all tool calls so far."""
    return (call.id for call in _calls(messages))


def _encode_message(message: Message, reasoning_model: str | None) -> Iterator[dict[str, Json]]:
    """None or one."""
    match message:
        case SystemMessage(text):
            if text:
                yield {"role": "system", "content": text}
        case UserMessage():
            yield {"role": "user", "content": _user_content(message)}
        case AssistantMessage():
            if message.text or message.tool_calls:
                yield _encode_assistant(message, reasoning_model)
        case ToolResult():
            yield {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
        case never:
            assert_never(never)


def _encode_assistant(message: AssistantMessage, reasoning_model: str | None) -> dict[str, Json]:
    # null, not "": some models refuse an empty text
    encoded: dict[str, Json] = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        encoded["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call)},
            }
            for call in message.tool_calls
        ]
    if reasoning_model is not None and message.model == reasoning_model and message.reasoning_details is not None:
        encoded["reasoning_details"] = list(message.reasoning_details)
    return encoded


def _arguments(call: ToolCall) -> str:
    """As the model wrote them; servers parse them and refuse a conversation with broken ones."""
    return call.arguments if is_object(call.arguments) else "{}"


def _user_content(message: UserMessage) -> Json:
    if all(isinstance(part, TextPart) for part in message.parts):
        return message.text
    return [_encode_part(part) for part in message.parts]


def _encode_part(part: TextPart | FilePart) -> dict[str, Json]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case FilePart():
            return _encode_file(part)
        case never:
            assert_never(never)


def _encode_file(file: FilePart) -> dict[str, Json]:
    kind, _, subtype = file.media_type.partition("/")
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": file.url}}
    if kind == "video":
        return {"type": "video_url", "video_url": {"url": file.url}}
    data = _inline_data(file.url)
    if kind == "audio" and data is not None:
        format = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "mp4": "m4a"}.get(subtype, subtype)
        return {"type": "input_audio", "input_audio": {"data": base64.b64encode(data).decode(), "format": format}}
    if data is not None and (kind == "text" or file.media_type == "application/json"):
        text = data.decode("utf-8", "replace")
        return {"type": "text", "text": f"{file.filename}:\n\n{text}" if file.filename else text}
    return {"type": "file", "file": {"filename": file.filename or "file", "file_data": file.url}}


def _inline_data(url: str) -> bytes | None:
    """The bytes of a `data:` URL; None for another one, or a broken one."""
    if not url.startswith("data:"):
        return None
    head, _, data = url[5:].partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return None
