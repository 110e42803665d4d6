"""Requests for the tests of the simulated provider: the support desk and the assistant of agents.yaml."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fondation.handoffs import handoff_tool
from fondation.messages import AssistantMessage, Json, Message, TextPart, ToolCall, ToolResult, ToolSpec, UserMessage
from fondation.providers.base import ModelRequest, ToolChoice


def tool(name: str, description: str = "", **parameters: str) -> ToolSpec:
    """A tool whose parameters are required texts: name -> description."""
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    return ToolSpec(
        name,
        description,
        {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False},
    )


WEATHER = tool("get_weather", "Get the current weather for a location.", location='City name, for example "Lyon".')
SEARCH = tool("search_web", "Search the web for information.", query="What to look for, in a few words.")
STATUS = tool("check_system_status", "Check whether all systems are operational.")
INVOICE = tool(
    "check_invoice", "Check the status of an invoice.", invoiceId='The number on the invoice, for example "INV-42".'
)
TECHNICAL = {"TechnicalSupport": "Technical issues, troubleshooting and configuration."}
BILLING = {"BillingSupport": "Invoices, payments and subscription questions."}
DESKS = {**TECHNICAL, **BILLING}


def user(text: str) -> UserMessage:
    return UserMessage((TextPart(text),))


def called(name: str, result: Json, arguments: Json = None) -> list[Message]:
    """A tool call and its result, as they stand in a conversation."""
    content = result if isinstance(result, str) else json.dumps(result)
    call = ToolCall("call_1", name, json.dumps(arguments or {}))
    return [AssistantMessage(tool_calls=(call,)), ToolResult("call_1", name, content)]


def handed_to(target: str, reason: str) -> list[Message]:
    return called("handoff_to_agent", f"Handed off: {target}.", {"targetAgent": target, "reason": reason})


def request(
    messages: str | Sequence[Message],
    tools: Sequence[ToolSpec] = (),
    handoffs: dict[str, str] | None = None,
    tool_choice: ToolChoice = "auto",
    settings: dict[str, Json] | None = None,
) -> ModelRequest:
    return ModelRequest(
        messages=[user(messages)] if isinstance(messages, str) else messages,
        tools=(*tools, handoff_tool(handoffs)) if handoffs else tuple(tools),
        tool_choice=tool_choice,
        settings=settings or {},
        handoffs=handoffs or {},
    )
