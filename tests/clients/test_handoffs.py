"""Several agents, one message."""

from __future__ import annotations

import pytest

from .stage import Stage, assert_answered
from .upstream import calls, hands_off, says

pytestmark = pytest.mark.clients


def test_a_handoff_is_one_message_of_two_agents(stage: Stage) -> None:
    outcome = stage.ask(
        hands_off("BillingSupport", "an invoice"),
        calls(("check_invoice", {"invoiceId": "INV-42"})),
        says("Yes, INV-42 is paid", " (99.99)."),
        route="/api/chat-multi",
        send="Is my invoice INV-42 paid?",
    )
    assert_answered(outcome)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.text == "Yes, INV-42 is paid (99.99)."
    assert "handoff_to_agent" not in outcome.exchanges[0].raw
    assert outcome.data_of("data-agent-handoff") == [
        {"from": "Triage", "to": "BillingSupport", "reason": "an invoice", "routingStrategy": "llm"}
    ]
    statuses = outcome.data_of("data-agent-status")
    assert (statuses[0]["status"], statuses[0]["agent"]) == ("routing", "Triage")
    assert {"status": "executing", "agent": "BillingSupport", "agentName": "BillingSupport"} in statuses
    metadata = outcome.last.metadata
    assert metadata is not None
    assert metadata["agent"] == "BillingSupport"
    assert metadata["handoffChain"] == ["Triage", "BillingSupport"]
    assert metadata["usage"]["totalTokens"] == 45
    assert len(stage.upstream.calls) == 3


def test_text_before_a_handoff_stays(stage: Stage) -> None:
    outcome = stage.ask(
        hands_off("BillingSupport", "an invoice", text="One moment. "), says("It is paid."), route="/api/tech"
    )
    assert_answered(outcome)
    assert outcome.last.steps == [["text"], ["text"]]
    assert outcome.last.text == "One moment. It is paid."
    assert len(stage.upstream.calls) == 2


def test_a_tool_beside_a_handoff_is_run_first(stage: Stage) -> None:
    handoff = ("handoff_to_agent", {"targetAgent": "BillingSupport"})
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"}), handoff), says("Clear, and paid."), route="/api/tech")
    assert_answered(outcome)
    assert outcome.last.steps == [["tool-get_weather"], ["text"]]
    assert outcome.last.parts_of("tool-get_weather")[0]["state"] == "output-available"
    assert outcome.data_of("data-agent-handoff")[0]["to"] == "BillingSupport"
    assert len(stage.upstream.calls) == 2


def test_an_agent_that_only_routes_is_never_heard(stage: Stage) -> None:
    outcome = stage.ask(
        hands_off("BillingSupport", "an invoice", text="You are being transferred."),
        says("It is paid."),
        route="/api/chat-multi",
    )
    assert_answered(outcome)
    assert "transferred" not in outcome.exchanges[0].raw
    assert outcome.last.text == "It is paid."


def test_a_handoff_to_nobody_is_never_seen(stage: Stage) -> None:
    outcome = stage.ask(hands_off("Legal", "a contract"), says("I can help with that."), route="/api/tech")
    assert_answered(outcome)
    assert "Legal" not in outcome.exchanges[0].raw
    assert outcome.last.text == "I can help with that."


def test_the_page_may_choose_the_agent(stage: Stage) -> None:
    outcome = stage.ask(says("Yes."), route="/api/chat-multi", extra={"agentChoice": "BillingSupport"})
    assert_answered(outcome)
    assert outcome.data_of("data-agent-handoff") == [
        {"from": "Triage", "to": "BillingSupport", "routingStrategy": "explicit"}
    ]
    assert len(stage.upstream.calls) == 1
