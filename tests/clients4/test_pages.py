"""Pages written for AI SDK 4, unchanged: what they show of runs, and what they post."""

from __future__ import annotations

import asyncio
import json

import pytest

from fondation.context import RunContext
from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.messages import AssistantMessage, Json, ToolResult
from fondation.providers.base import AnswerEnd, FilePiece, ReasoningPiece, SourcePiece, TextPiece
from fondation.tools.base import Wait
from tests.support.scenes import ANN, DESK
from tests.support.scripted import Answer, FunctionTool, Player, calls, handoff, text

from .harness import Action, Browser, Outcome, gone, press, send, wait
from .serving import Kitchen

pytestmark = pytest.mark.clients


def play(pages: Browser, kitchen: Kitchen, page: str, *actions: Action) -> Outcome:
    outcome = pages.play(page, kitchen.url, *actions)
    assert outcome.stuck is None, outcome.views[-5:]
    assert [problem for exchange in outcome.exchanges for problem in exchange.problems] == []
    return outcome


def test_text_streams_into_one_message(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, text("Hello", ", ", "world."))
    outcome = play(pages, kitchen, "simple", *send("Hi"), wait("world."), gone("Assistant is typing..."))
    assert outcome.showed("Assistant is typing...")
    assert outcome.showed("Hello")
    assert outcome.showed("Hello, ")
    assert outcome.lines == ["You", "Hi", "Assistant", "Hello, world.", "Send"]


def test_the_page_posts_the_whole_conversation_without_ids(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, text("One."), text("Two."))
    outcome = play(pages, kitchen, "simple", *send("First"), wait("One."), *send("Second"), wait("Two."))
    first, second = kitchen.conversations
    assert (first.text, second.text) == ("First", "Second")
    assert first.chat_id == second.chat_id == outcome.exchanges[0].body["id"]
    assert second.messages[1] == AssistantMessage("One.")
    assert all("id" not in message for message in outcome.exchanges[1].body["messages"])


def test_every_character_arrives_as_the_model_sent_it(pages: Browser, kitchen: Kitchen) -> None:
    told = 'tab\t"quoted" \\ é 漢 🙂 \u2028\u2029 3:"no" d:{}'
    kitchen.play(ANN, text(*told))
    outcome = play(pages, kitchen, "simple", *send("Hi"), wait("d:{}"))
    assert told in outcome.lines


def test_a_tool_and_its_result_are_shown(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, calls(("c1", "weather", {"city": "Lyon"}), before="Let me see. "), text("21 degrees."))
    outcome = play(pages, kitchen, "advanced", *send("Lyon?"), wait("21 degrees."), wait("Send"))
    assert outcome.showed("Assistant is thinking...")
    assert outcome.showed("🔧 weather")
    result = json.dumps({"city": "Lyon", "degrees": 21}, indent=2)
    assert f"<div>Let me see. 21 degrees.</div><div><div><div>🔧 weather</div><pre>{result}</pre>" in outcome.html


def test_parallel_tools_and_a_failing_one_have_their_results_each(pages: Browser, kitchen: Kitchen) -> None:
    wanted = [("c1", "refuse", {}), ("c2", "weather", {"city": "Paris"}), ("c3", "weather", "{broken")]
    kitchen.play(ANN, calls(*wanted), text("Sorry."))
    outcome = play(pages, kitchen, "advanced", *send("Hi"), wait("Sorry."), wait("Send"))
    assert outcome.html.count("<pre>") == 3
    assert "There is no such city." in outcome.html
    assert '"city": "Paris"' in outcome.html


def test_the_page_sends_its_headers(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, text("Hello."))
    [exchange] = play(pages, kitchen, "advanced", *send("Hi"), wait("Hello.")).exchanges
    assert exchange.headers["x-session-id"] == "session-1"
    assert exchange.headers["x-user-id"] == "user-1"


@pytest.mark.parametrize("before", [[], [[TextPiece("So far")]]])
def test_a_failure_is_shown_and_tried_again(pages: Browser, kitchen: Kitchen, before: list[list[TextPiece]]) -> None:
    error = ProviderUnavailable("reset") if before else AuthenticationFailed("401: sk-secret")
    kitchen.play(ANN, [*before, error], text("Now it works."))
    outcome = play(
        pages, kitchen, "advanced", *send("Hi"), wait("(run run_1)"), press("Retry"), wait("works."), wait("Send")
    )
    assert any("Error: The model provider" in view for view in outcome.views)
    assert outcome.showed("So far") == bool(before)
    assert outcome.lines == ["Messages: 2", "You", "Hi", "Assistant", "Now it works.", "Send"]
    assert [message["content"] for message in outcome.exchanges[1].body["messages"]] == ["Hi"]
    assert "sk-secret" not in str(outcome)


def test_stop_ends_the_run_and_keeps_what_came(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, [[TextPiece("So far")], lambda: asyncio.sleep(60)], text("Gladly."))
    actions = [*send("Hi"), wait("So far"), press("Stop"), *send("Go on"), wait("Gladly."), wait("Send")]
    outcome = play(pages, kitchen, "advanced", *actions)
    assert kitchen.provider.closed == 2
    first, second = ["You", "Hi", "Assistant", "So far"], ["You", "Go on", "Assistant", "Gladly."]
    assert outcome.lines == ["Messages: 4", *first, *second, "Send"]
    assert kitchen.conversations[1].messages[1] == AssistantMessage("So far")


def test_the_current_agent_is_the_last_items_of_data(pages: Browser, kitchen: Kitchen) -> None:
    invoice = calls(("c1", "check_invoice", {"invoiceId": "INV-42"}))
    kitchen.play(DESK, handoff("BillingSupport", reason="an invoice"), invoice, text("It is paid."))
    outcome = play(pages, kitchen, "agents", *send("Is INV-42 paid?"), wait("It is paid."))
    agents = [line for view in outcome.views if "Current Agent: " in view for line in view.split("\n")[1:2]]
    assert list(dict.fromkeys(agents)) == ["Triage", "BillingSupport"]
    assert outcome.lines[:2] == ["Current Agent: ", "BillingSupport"]


def test_the_current_agent_stays_known_when_a_tool_sends_data(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, calls(("c1", "chart", {})), text("A chart."))
    outcome = play(pages, kitchen, "agents", *send("Draw"), wait("A chart."))
    assert not outcome.showed("Unknown")
    assert outcome.lines[:2] == ["Current Agent: ", "Ann"]


def test_the_next_question_goes_to_the_agent_that_answered(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(DESK, handoff("BillingSupport"), text("Paid."), text("Yesterday."))
    play(pages, kitchen, "agents", *send("Paid?"), wait("Paid."), *send("When?"), wait("Yesterday."))
    assert kitchen.conversations[1].last_agent == "BillingSupport"


def test_every_part_is_one_of_the_message(pages: Browser, kitchen: Kitchen) -> None:
    source, file = SourcePiece("https://a.example", "A"), FilePiece("data:image/png;base64,AA==", "image/png")
    thoughts: Answer = [[ReasoningPiece("Hm. ")], [ReasoningPiece("Yes.")]]
    kitchen.play(ANN, [*thoughts, [TextPiece("See "), source, file], [AnswerEnd("stop")]])
    outcome = play(pages, kitchen, "parts", *send("Hi"), wait("finishReason"))
    assert '<article title="msg_1">' in outcome.html
    shown = '<hr><em>Hm. Yes.</em><p>See </p><a href="https://a.example">A</a><img src="data:image/png;base64,AA==">'
    assert shown in outcome.html


def test_what_is_kept_of_a_run_stands_in_the_messages_annotations(pages: Browser, kitchen: Kitchen) -> None:
    kitchen.play(ANN, calls(("c1", "chart", {})), text("A chart."))
    outcome = play(pages, kitchen, "parts", *send("Draw"), wait("A chart."), wait("finishReason"))
    [annotations] = [json.loads(line) for line in outcome.lines if line.startswith("[{")]
    types = [annotation["type"] for annotation in annotations]
    assert types == ["message-metadata", "data-chart", "data-chart", "message-metadata"]
    assert annotations[-1]["usage"]["totalTokens"] == 30
    assert annotations[-1]["model"] == "acme/main-2026"


@pytest.mark.parametrize("after", [text("21 degrees."), [AuthenticationFailed("401")]])
def test_steps_of_the_server_are_not_posted_again(pages: Browser, kitchen: Kitchen, after: Answer) -> None:
    kitchen.play(ANN, calls(("c1", "weather", {"city": "Lyon"})), after)
    outcome = play(pages, kitchen, "parts", *send("Lyon?"), wait("finishReason"), gone("Loading"))
    assert len(outcome.exchanges) == 1
    assert 'weather result {"city":"Lyon"} {"city":"Lyon","degrees":21}' in outcome.html


async def never(arguments: Json, context: RunContext) -> Json:
    raise AssertionError("the page runs it")


def test_a_tool_of_the_page_waits_for_its_answer(pages: Browser, kitchen: Kitchen) -> None:
    locate = FunctionTool("locate", never, wait=Wait("client"))
    kitchen.play({"Ann": Player(tools=[locate])}, calls(("c1", "locate", {})), text("You are in Paris."))
    outcome = play(pages, kitchen, "parts", *send("Where am I?"), press("Tell"), wait("Paris."), gone("Loading"))
    assert outcome.html.count("<article") == 2
    assert 'locate result {} "48.85"' in outcome.html
    assert kitchen.conversations[1].messages[-1] == ToolResult("c1", "locate", "48.85")
    assert [output.call_id for output in kitchen.conversations[1].tool_outputs] == ["c1"]
