"""What a simulated model does: hand off, call tools, or answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation import handoffs
from fondation.messages import AssistantMessage, Message, ToolCall, ToolResult
from fondation.providers.base import ForcedTool, ModelRequest
from fondation.providers.simulated.decide import decide
from fondation.providers.simulated.turn import HANDOFF_TOOL, newest_turn
from tests.providers.simulated_requests import (
    DESKS,
    INVOICE,
    SEARCH,
    STATUS,
    TECHNICAL,
    WEATHER,
    called,
    handed_to,
    request,
    tool,
    user,
)

ASSISTANT = [WEATHER, SEARCH]
FORCED_HANDOFF = ForcedTool(HANDOFF_TOOL)


def decided(asked: ModelRequest, visited: tuple[str, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    calls = decide(asked, newest_turn(asked.messages), visited)
    return [(call.tool, call.arguments) for call in calls]


def target(asked: ModelRequest, visited: tuple[str, ...] = ()) -> str | None:
    """Whom the request is handed off to; None for none."""
    calls = decided(asked, visited)
    return calls[0][1]["targetAgent"] if calls and calls[0][0] == HANDOFF_TOOL else None


def test_the_handoff_tool_has_its_name() -> None:
    assert HANDOFF_TOOL == handoffs.TOOL_NAME


@pytest.mark.parametrize(
    ("text", "desk"),
    [
        ("Is my invoice INV-42 paid?", "BillingSupport"),
        ("I want a refund", "BillingSupport"),
        ("Ma facture INV-42 est-elle payée ?", "BillingSupport"),
        ("Is the system up?", "TechnicalSupport"),
        ("The app crashes when I configure it", "TechnicalSupport"),
    ],
)
def test_triage_hands_off_to_the_desk_that_fits(text: str, desk: str) -> None:
    assert target(request(text, handoffs=DESKS)) == desk
    assert target(request(text, handoffs=DESKS, tool_choice=FORCED_HANDOFF)) == desk


def test_a_handoff_says_why() -> None:
    (call,) = decided(request("Is my invoice paid?", handoffs=DESKS))
    assert call[1]["reason"] == "The message mentions “invoice”, “paid”."


@pytest.mark.parametrize(
    ("text", "tools", "calls"),
    [
        ("What's the weather in Lyon?", ASSISTANT, [("get_weather", {"location": "Lyon"})]),
        ("Quel temps fait-il à Lyon ?", ASSISTANT, [("get_weather", {"location": "Lyon"})]),
        ("Is the system up?", [STATUS], [("check_system_status", {})]),
        ("Is my invoice INV-42 paid?", [INVOICE, STATUS], [("check_invoice", {"invoiceId": "INV-42"})]),
        ("Who built the Eiffel Tower?", ASSISTANT, [("search_web", {"query": "Who built the Eiffel Tower?"})]),
        (
            "What's the weather in Lyon and Paris?",
            ASSISTANT,
            [("get_weather", {"location": "Lyon"}), ("get_weather", {"location": "Paris"})],
        ),
        (
            "Are INV-1 and INV-2 paid?",
            [tool("check_invoice", "The status of an invoice.", invoiceId="")],
            [("check_invoice", {"invoiceId": "INV-1"}), ("check_invoice", {"invoiceId": "INV-2"})],
        ),
        (
            "Is invoice INV-42 paid and is the system up?",
            [INVOICE, STATUS],
            [("check_invoice", {"invoiceId": "INV-42"}), ("check_system_status", {})],
        ),
        ("weather in Paris, France", ASSISTANT, [("get_weather", {"location": "Paris"})]),
    ],
)
def test_a_tool_that_fits_is_called_with_the_values_of_the_message(
    text: str, tools: list[Any], calls: list[tuple[str, dict[str, str]]]
) -> None:
    assert decided(request(text, tools)) == calls


@pytest.mark.parametrize("text", ["hello", "Tell me a joke", "How are you?", "What can you do?", "", "\x00", "🙂"])
def test_where_nothing_fits_it_answers(text: str) -> None:
    assert decided(request(text, [*ASSISTANT, INVOICE], DESKS)) == []


def test_among_tools_that_share_a_word_the_more_special_one_is_called() -> None:
    tools = [tool("list_invoices", "List invoices."), tool("pay_invoice", "Pay an invoice."), INVOICE]
    assert decided(request("list my invoices", tools))[0][0] == "list_invoices"
    assert decided(request("check invoice status", tools))[0][0] == "check_invoice"


def test_a_word_that_speaks_for_one_tool_alone_weighs_more() -> None:
    tools = [tool("one", "Lamps and chairs."), tool("two", "Lamps and chairs."), tool("mirrors")]
    assert decided(request("a mirror between lamps, chairs", tools))[0][0] == "mirrors"


def test_an_own_tool_goes_before_a_handoff_that_fits_alike() -> None:
    assert decided(request("a refund", [tool("refunds", "Refunds.")], {"Refunds": "Refunds."})) == [("refunds", {})]


def test_results_are_answered_from() -> None:
    conversation = [user("Is my invoice INV-42 paid?"), *called("check_invoice", {"status": "Paid"})]
    assert decided(request(conversation, [INVOICE], TECHNICAL)) == []


def test_only_the_newest_user_message_counts() -> None:
    conversation: list[Message] = [user("Is my invoice INV-42 paid?"), *called("check_invoice", {"status": "Paid"})]
    conversation.append(user("And is the system up?"))
    assert decided(request(conversation, [INVOICE, STATUS])) == [("check_system_status", {})]


@pytest.mark.parametrize("text", ["hello", "Is the system up?", ""])
def test_a_forced_tool_is_called_whatever_the_message(text: str) -> None:
    asked = request(text, [INVOICE, STATUS], DESKS, tool_choice=ForcedTool("check_invoice"))
    assert decided(asked) == [("check_invoice", {"invoiceId": "INV-42"})]


@pytest.mark.parametrize("text", ["hello", "Is the system up?", ""])
def test_required_calls_some_tool_also_after_results(text: str) -> None:
    tools = [INVOICE, STATUS]
    assert decided(request(text, tools, tool_choice="required"))
    conversation = [user(text), *called("check_invoice", {"status": "Paid"})]
    assert decided(request(conversation, tools, tool_choice="required"))


def test_a_forced_handoff_goes_to_the_first_target_where_none_fits() -> None:
    assert target(request("hello", handoffs=DESKS, tool_choice=FORCED_HANDOFF)) == "TechnicalSupport"


def test_a_handoff_tool_without_named_targets_is_called_by_its_schema() -> None:
    asked = request("hello", handoffs=DESKS, tool_choice=FORCED_HANDOFF)
    (call,) = decided(ModelRequest(asked.messages, asked.tools, asked.tool_choice))
    assert call[1]["targetAgent"] == "TechnicalSupport"


def test_none_never_calls() -> None:
    assert decided(request("Is my invoice INV-42 paid?", [INVOICE], DESKS, tool_choice="none")) == []


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    assert decided(request("hello", [INVOICE], tool_choice=ForcedTool("other"))) == []


def test_the_conversation_is_never_passed_back() -> None:
    conversation = [user("An invoice, and a technical issue"), *handed_to("BillingSupport", "an invoice, technical")]
    asked = request(conversation, handoffs=TECHNICAL)
    assert target(asked, visited=("TechnicalSupport", "BillingSupport")) is None


def test_a_forced_handoff_prefers_an_agent_that_has_not_had_the_conversation() -> None:
    asked = request("Is my invoice paid?", handoffs=DESKS, tool_choice=FORCED_HANDOFF)
    assert target(asked, visited=("BillingSupport",)) == "TechnicalSupport"
    assert target(asked, visited=("BillingSupport", "TechnicalSupport")) == "BillingSupport"


def test_just_handed_to_it_goes_on_only_for_the_same_words() -> None:
    refunds = {"Refunds": "Refunds of invoices."}
    conversation = [user("A refund for my broken app"), *handed_to("Support", "The message mentions “refund”.")]
    assert target(request(conversation, handoffs=refunds), visited=("Triage", "Support")) == "Refunds"
    assert target(request(conversation, handoffs=TECHNICAL), visited=("Triage", "Support")) is None


def test_just_handed_to_it_calls_its_tools_also_where_a_colleague_fits() -> None:
    conversation = [user("A technical issue: is INV-42 an invoice?"), *handed_to("BillingSupport", "invoice")]
    calls = decided(request(conversation, [INVOICE], TECHNICAL), visited=("Triage", "BillingSupport"))
    assert calls == [("check_invoice", {"invoiceId": "INV-42"})]


def test_after_a_handoff_earlier_results_do_not_stop_the_own_tools() -> None:
    conversation: list[Message] = [
        user("Is the system up, and is INV-42 paid?"),
        *called("check_system_status", {"status": "ok"}),
    ]
    conversation += handed_to("BillingSupport", "The message mentions “paid”.")
    assert decided(request(conversation, [INVOICE]))[0][0] == "check_invoice"


@pytest.mark.parametrize("arguments", ["", "[]", "{", '{"reason": 3}', '{"reason": null}'])
def test_a_handoff_without_a_readable_reason_is_read(arguments: str) -> None:
    call = AssistantMessage(tool_calls=(ToolCall("h", HANDOFF_TOOL, arguments),))
    conversation: list[Message] = [user("invoice"), call, ToolResult("h", HANDOFF_TOOL, "")]
    assert newest_turn(conversation).handoff_reason == ""


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80))
def test_any_text_is_decided_and_every_time_alike(text: str) -> None:
    asked = request(text, [WEATHER, SEARCH, INVOICE], DESKS)
    assert decided(asked) == decided(asked)
