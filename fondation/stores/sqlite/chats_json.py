"""Values as the JSON that the chat tables hold, and back, with nothing lost."""

from __future__ import annotations

import json
from typing import assert_never

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
    UserMessage,
    mend_text,
)

VERSION = 1
"""Of the form in which model messages are written."""


def write(value: Json) -> str:
    """A JSON value as text. Half a character, which no file can hold, is replaced."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return mend_text(json.dumps(value, ensure_ascii=False))


def read(text: str) -> Json:
    return msgspec.json.decode(text)


def write_messages(messages: tuple[Message, ...]) -> str:
    return write({"version": VERSION, "messages": [_from_message(message) for message in messages]})


def read_messages(text: str) -> tuple[Message, ...]:
    """Raises ValueError for what `write_messages` of this version does not write."""
    match read(text):
        case {"version": 1, "messages": [*messages]}:
            return tuple(_to_message(message) for message in messages)
        case other:
            version = other.get("version") if isinstance(other, dict) else None
            raise ValueError(f"model messages of the unknown version {version!r}")


def _from_message(message: Message) -> Json:
    match message:
        case SystemMessage(text):
            return {"role": "system", "text": text}
        case UserMessage(parts, id):
            return {"role": "user", "parts": [_from_part(part) for part in parts], "id": id}
        case AssistantMessage(text, calls, model, reasoning):
            return {
                "role": "assistant",
                "text": text,
                "tool_calls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls],
                "model": model,
                "reasoning_details": reasoning,
            }
        case ToolResult(call_id, name, content):
            return {"role": "tool", "call_id": call_id, "name": name, "content": content}
        case _:
            assert_never(message)


def _to_message(value: Json) -> Message:
    match value:
        case {"role": "system", "text": text}:
            return SystemMessage(text)
        case {"role": "user", "parts": parts, "id": id}:
            return UserMessage(tuple(_to_part(part) for part in parts), id)
        case {"role": "assistant", "text": text, "tool_calls": calls, "model": model, "reasoning_details": reasoning}:
            details = None if reasoning is None else tuple(reasoning)
            return AssistantMessage(text, tuple(ToolCall(**call) for call in calls), model, details)
        case {"role": "tool", "call_id": call_id, "name": name, "content": content}:
            return ToolResult(call_id, name, content)
        case _:
            raise ValueError("a model message of an unknown form")


def _from_part(part: TextPart | FilePart) -> Json:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case FilePart(url, media_type, filename):
            return {"type": "file", "url": url, "media_type": media_type, "filename": filename}
        case _:
            assert_never(part)


def _to_part(value: Json) -> TextPart | FilePart:
    match value:
        case {"type": "text", "text": text}:
            return TextPart(text)
        case {"type": "file", "url": url, "media_type": media_type, "filename": filename}:
            return FilePart(url, media_type, filename)
        case _:
            raise ValueError("a part of a user message of an unknown form")
