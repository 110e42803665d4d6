"""A handoff as the model sees it: one tool, whose call passes the conversation on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from fondation.messages import ToolCall, ToolSpec

TOOL_NAME = "handoff_to_agent"


@dataclass(frozen=True, slots=True)
class Handoff:
    call_id: str
    target: str
    reason: str | None = None


def handoff_tool(targets: Mapping[str, str]) -> ToolSpec:
    """The tool for an agent that may hand off to `targets` (name -> description)."""
    lines = [f"- {name}: {description}" if description else f"- {name}" for name, description in targets.items()]
    return ToolSpec(
        TOOL_NAME,
        "Pass the conversation on to another agent, who answers from here on. The agents:\n" + "\n".join(lines),
        {
            "type": "object",
            "properties": {
                "targetAgent": {
                    "type": "string",
                    "enum": [*targets],
                    "description": "The agent to pass the conversation to.",
                },
                "reason": {"type": "string", "description": "Why, in a few words."},
                "notes": {"type": "string", "description": "What the next agent should know."},
            },
            "required": ["targetAgent"],
            "additionalProperties": False,
        },
    )


def read_handoff(call: ToolCall, targets: Collection[str]) -> Handoff | str:
    """The handoff that a call asks for, or what to tell the model where it asks for none that exists."""
    try:
        arguments = msgspec.json.decode(call.arguments, type=dict[str, object])
    except (ValueError, RecursionError):
        arguments = {}
    target, reason = arguments.get("targetAgent"), arguments.get("reason")
    if not isinstance(target, str) or target not in targets:
        return f"There is no agent {target!r} to hand off to. targetAgent is one of: {', '.join(targets)}."
    return Handoff(call.id, target, reason if isinstance(reason, str) and reason else None)
