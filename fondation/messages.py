"""A conversation as values, in the shape that models read: one system message, then turns, each tool result
after its call."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list or dict with string keys."""
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A tool's name as every API takes it."""


def mend_text(text: str) -> str:
    """The same text with every lone surrogate, which no UTF-8 can carry, replaced, and each pair of them joined."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def mend(value: Json) -> Json:
    """The same value with all its texts mended."""
    if isinstance(value, str):
        return mend_text(value)
    if isinstance(value, list):
        return [mend(item) for item in value]
    if isinstance(value, dict):
        return {mend(key): mend(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """The agent's instructions, rendered. A conversation holds one, first."""

    text: str


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class FilePart:
    url: str
    """A `data:` URL, or one that the model's provider fetches."""
    media_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class UserMessage:
    parts: tuple[TextPart | FilePart, ...]
    id: str | None = None
    """The client's id of the message."""

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str
    """JSON text; "{}" for none. What the model sent, also where it is no JSON."""


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    model: str | None = None
    """The requested model that made it: reasoning goes back to that one only."""
    reasoning_details: tuple[Json, ...] | None = None
    """The provider's own reasoning blocks, sent back unchanged; None when it sent none at all."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    call_id: str
    name: str
    content: str
    """Text for the model; JSON where the tool returned more than text."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What a model may read instead of the oldest messages of a conversation."""

    text: str
    messages: int
    """How many it stands for; a message of the user follows."""


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True, slots=True, eq=False)
class ToolSpec:
    """What a model is told of a tool. Compared by identity: an agent's specs are made once."""

    name: str
    description: str
    parameters: dict[str, Json] = field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of the arguments, an object."""
