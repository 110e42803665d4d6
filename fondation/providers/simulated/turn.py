"""What the simulation looks at: the newest user message and what happened since; nothing before it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fondation.messages import AssistantMessage, FilePart, Message, ToolResult, UserMessage

HANDOFF_TOOL = "handoff_to_agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation, as far as it has come."""

    text: str
    """What the user wrote."""
    files: tuple[FilePart, ...]
    results: tuple[ToolResult, ...]
    """What tools returned in this turn, for any agent."""
    has_own_results: bool
    """Whether a tool returned something since the conversation came to this agent."""
    handoff_reason: str | None
    """Why the conversation came to this agent; None where no model passed it on in this turn."""


def newest_turn(messages: Sequence[Message]) -> Turn:
    user = UserMessage(parts=())
    since: list[Message] = []
    for message in messages:
        if isinstance(message, UserMessage):
            user, since = message, []
        else:
            since.append(message)
    results = [message for message in since if isinstance(message, ToolResult)]
    handoffs = [index for index, result in enumerate(results) if result.name == HANDOFF_TOOL]
    arrival = handoffs[-1] + 1 if handoffs else 0
    return Turn(
        text=user.text,
        files=tuple(part for part in user.parts if isinstance(part, FilePart)),
        results=tuple(result for result in results if result.name != HANDOFF_TOOL),
        has_own_results=len(results) > arrival,
        handoff_reason=_reason_of(since, results[arrival - 1]) if handoffs else None,
    )


def _reason_of(messages: Sequence[Message], handoff: ToolResult) -> str:
    """The reason in the call that this result answers; "" where the call gives none."""
    for message in messages:
        for call in message.tool_calls if isinstance(message, AssistantMessage) else ():
            if call.id == handoff.call_id:
                return _text_at(call.arguments, "reason")
    return ""


def _text_at(arguments: str, key: str) -> str:
    try:
        value = json.loads(arguments)[key]
    except (ValueError, LookupError, TypeError):
        return ""
    return value if isinstance(value, str) else ""
