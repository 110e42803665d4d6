"""The handoff tool: what a model is told, and what is understood of its call."""

from __future__ import annotations

import msgspec
import pytest

from fondation.handoffs import TOOL_NAME, Handoff, handoff_tool, read_handoff
from fondation.messages import Json, ToolCall

TARGETS = {"Billing": "Invoices and payments.", "Tech": ""}


def call(arguments: Json) -> ToolCall:
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return ToolCall("h1", TOOL_NAME, text)


def test_the_tool_lists_each_target_with_its_description() -> None:
    spec = handoff_tool(TARGETS)
    assert spec.name == "handoff_to_agent"
    assert spec.description.splitlines()[1:] == ["- Billing: Invoices and payments.", "- Tech"]


def test_the_target_is_one_of_the_names_and_alone_required() -> None:
    parameters = handoff_tool(TARGETS).parameters
    assert parameters["properties"]["targetAgent"]["enum"] == ["Billing", "Tech"]
    assert [*parameters["properties"]] == ["targetAgent", "reason", "notes"]
    assert parameters["required"] == ["targetAgent"]


def test_a_handoff_has_its_target_and_reason() -> None:
    asked = call({"targetAgent": "Billing", "reason": "an invoice", "notes": "INV-42"})
    assert read_handoff(asked, TARGETS) == Handoff("h1", "Billing", "an invoice")


@pytest.mark.parametrize("reason", [None, "", 7, ["x"]])
def test_a_reason_that_is_no_text_is_none(reason: Json) -> None:
    assert read_handoff(call({"targetAgent": "Tech", "reason": reason}), TARGETS) == Handoff("h1", "Tech")


@pytest.mark.parametrize(
    "arguments",
    [
        {"targetAgent": "Nobody"},
        {"targetAgent": "billing"},
        {"targetAgent": ["Billing"]},
        {"agent": "Billing"},
        {},
        "[]",
        "",
        "{broken",
        pytest.param("[" * 100_000, id="nested without end"),
        pytest.param('{"targetAgent": ' + "[" * 100_000 + "]" * 100_000 + "}", id="a target nested without end"),
    ],
)
def test_what_names_no_target_is_answered_with_the_names_that_exist(arguments: Json) -> None:
    told = read_handoff(call(arguments), TARGETS)
    assert isinstance(told, str)
    assert told.endswith("targetAgent is one of: Billing, Tech.")
