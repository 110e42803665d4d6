"""Pages with `@fondation-io/store` over the React hooks of each AI SDK that it takes: `useChat` and `useDataPart`."""

from __future__ import annotations

import pytest

from tests.clients.serving import API_KEY
from tests.clients.upstream import HOLD, Answer, Upstream, calls, hands_off, held, refuses, says

from .harness import Action, Browser, Major, Outcome, press, send, wait
from .stage import Stage

pytestmark = pytest.mark.clients

READY = wait("Status: \nready")


def current(agent: str) -> Action:
    return wait(f"Current Agent: \n{agent}")


@pytest.fixture(params=[5, 6, 7])
def stage(request: pytest.FixtureRequest, running_browser: Browser, server: str, upstream: Upstream) -> Stage:
    """The page with the hooks of each major in turn; npm brings those of 6 with the store."""
    major: Major = request.param
    return Stage(running_browser, server, upstream, major)


def play(stage: Stage, route: str, *actions: Action, answers: list[Answer]) -> Outcome:
    return stage.play("store/chat", route, *actions, answers=answers)


def test_text_streams_over_turns(stage: Stage) -> None:
    actions = [
        *(*send("First"), wait("submitted"), stage.release, wait("On"), stage.release, wait("One."), READY),
        *(*send("Second"), wait("Two."), READY),
        *(*send("Third"), wait("Three."), READY),
    ]
    answers = [says(HOLD, "On", HOLD, "e."), says("Two."), says("Three.")]
    outcome = play(stage, "/chat", *actions, answers=answers)
    shown = [["You", "First", "Assistant", "One."], ["You", "Second", "Assistant", "Two."]]
    assert outcome.lines[4:] == [*shown[0], *shown[1], "You", "Third", "Assistant", "Three.", "Send", "Again"]
    assert outcome.behind("Status: ")[:4] == ["ready", "submitted", "streaming", "ready"]
    assert stage.upstream.calls[2].roles == ["system", *["user", "assistant"] * 2, "user"]


def test_the_current_agent_is_the_newest_of_each_turn(stage: Stage) -> None:
    answers = [
        held(hands_off("BillingSupport", "an invoice")),
        calls(("check_invoice", {"invoiceId": "INV-42"})),
        says("It is paid."),
        hands_off("TechnicalSupport", "an outage"),
        says("All is well."),
        hands_off("BillingSupport", "a price"),
        says("Ten a month."),
    ]
    actions = [
        *(*send("Is INV-42 paid?"), current("Triage"), stage.release, current("BillingSupport"), wait("paid."), READY),
        *(*send("Is the server up?"), current("TechnicalSupport"), wait("All is well."), READY),
        *(*send("What does it cost?"), current("BillingSupport"), wait("Ten a month."), READY),
    ]
    outcome = play(stage, "/desk", *actions, answers=answers)
    agents = ["Triage", "BillingSupport", "TechnicalSupport", "BillingSupport"]
    assert outcome.behind("Current Agent: ") == agents
    assert outcome.lines[2] == "TechnicalSupport to BillingSupport: a price"
    assert 'tool-check_invoice output-available {"invoiceId":"INV-42"}' in outcome.html


def test_tools_and_what_they_emit_are_shown(stage: Stage) -> None:
    wanted = [("get_weather", {"city": "Nowhere"}), ("get_weather", {"city": "Lyon"}), ("draw_chart", {})]
    actions = [*send("Hi"), wait("Well."), wait('chart {"points":[1,2,3]}'), READY]
    outcome = play(stage, "/chat", *actions, answers=[calls(*wanted), says("Well.")])
    tools = [line for line in outcome.lines if line.startswith("tool-")]
    assert [tool.split(" ")[:2] for tool in tools] == [
        ["tool-get_weather", "output-error"],
        ["tool-get_weather", "output-available"],
        ["tool-draw_chart", "output-available"],
    ]
    assert "There is no such city." in tools[0]
    assert '{"city":"Lyon","degrees":21}' in tools[1]
    assert outcome.lines[-2:] == ["50 %", 'chart {"points":[1,2,3]}']  # a later value of the same id replaces the first


def test_a_tool_of_the_page_waits_for_its_answer(stage: Stage) -> None:
    answers = [calls(("locate", {})), says("You are in Paris.")]
    actions = [*send("Where am I?"), READY, press("Tell"), wait("Paris."), READY]
    outcome = play(stage, "/clerk", *actions, answers=answers)
    assert 'tool-locate output-available {} "48.85"' in outcome.html
    assert outcome.html.count("<article>") == 2
    assert stage.upstream.calls[1].body["messages"][-1]["content"] == "48.85"


def test_stop_ends_the_run_and_the_chat_goes_on(stage: Stage) -> None:
    answers = [says("So far", ending="silence"), says("Gladly.")]
    actions = [*send("Hi"), wait("So far"), press("Stop"), READY, *send("Go on"), wait("Gladly."), READY]
    outcome = play(stage, "/chat", *actions, answers=answers)
    assert stage.was_cut(0)
    assert stage.upstream.calls[1].body["messages"][2]["content"] == "So far"
    assert "So far" in outcome.lines


def test_a_failure_is_told_in_words_and_tried_again(stage: Stage) -> None:
    answers = [refuses(401, f"no {API_KEY}"), says("Now it works.")]
    actions = [*send("Hi"), wait("Status: \nerror"), press("Again"), wait("works."), READY]
    outcome = play(stage, "/chat", *actions, answers=answers)
    assert any("Error: The model provider rejected the server's API key" in view for view in outcome.views)
    assert API_KEY not in str(outcome)
    assert outcome.lines[4:8] == ["You", "Hi", "Assistant", "Now it works."]
    assert stage.upstream.calls[1].roles == ["system", "user"]


def test_an_answer_is_given_anew(stage: Stage) -> None:
    actions = [*send("Hi"), wait("One."), READY, press("Again"), wait("Two."), READY]
    outcome = play(stage, "/chat", *actions, answers=[says("One."), says("Two.")])
    assert outcome.lines[4:8] == ["You", "Hi", "Assistant", "Two."]
    assert stage.upstream.calls[1].roles == ["system", "user"]
