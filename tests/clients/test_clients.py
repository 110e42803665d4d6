"""What the server says, as the published clients read it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .harness import Client, Outcome, Scenario, StopAfter, Turn
from .serving import API_KEY, served
from .stage import Stage, assert_accepted, assert_answered
from .upstream import Answer, Call, Ending, Upstream, calls, hands_off, is_mute, refuses, says

pytestmark = pytest.mark.clients

AT_ONCE = 1.0
"""Seconds within which a stop reaches the provider."""


def steps(outcome: Outcome) -> list[list[str]]:
    """The types of the last message's parts, by step."""
    found: list[list[str]] = []
    for part in outcome.last.parts:
        if part["type"] == "step-start":
            found.append([])
        else:
            found[-1].append(part["type"])
    return found


# Text


def test_text_streams_into_one_message(stage: Stage) -> None:
    outcome = stage.ask(says("Hello", ", ", "world."))
    assert_answered(outcome)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.text == "Hello, world."
    assert steps(outcome) == [["text"]]
    assert outcome.types[:4] == ["start", "data-agent-status", "start-step", "text-start"]
    assert outcome.types[-3:] == ["text-end", "finish-step", "finish"]


def test_the_answers_headers_say_what_it_is(stage: Stage) -> None:
    [exchange] = stage.ask(says("Hello")).exchanges
    headers = exchange.response_headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert headers["x-run-id"]
    assert headers["x-session-id"]


def test_every_character_arrives_as_the_model_sent_it(stage: Stage) -> None:
    text = 'line\nline\r\n\ttab "quoted" \\ é 漢 🙂 \u2028\u2029\u0000 data: {"type":"x"}\n\ndata: [DONE]\n\n'
    outcome = stage.ask(says(*text))
    assert_answered(outcome)
    assert outcome.last.text == text


def test_the_metadata_of_the_start_and_the_finish_are_merged(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"))
    metadata = outcome.last.metadata
    assert metadata is not None
    assert (metadata["agent"], metadata["agentName"]) == ("Assistant", "Assistant")
    assert metadata["handoffChain"] == ["Assistant"]
    assert metadata["finishReason"] == "stop"
    assert metadata["usage"]["promptTokens"] == 12
    assert metadata["usage"]["completionTokens"] == 3
    assert metadata["usage"]["totalTokens"] == 15
    assert metadata["runId"] == outcome.exchanges[0].response_headers["x-run-id"]
    assert "scripted-1" in metadata["model"]


def test_the_first_status_comes_at_once_and_is_not_kept(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"))
    first = outcome.data_of("data-agent-status")[0]
    assert first == {"status": "executing", "agent": "Assistant", "agentName": "Assistant"}
    assert [part["type"] for part in outcome.last.parts] == ["step-start", "text"]


def test_reasoning_becomes_a_part_of_its_own(stage: Stage) -> None:
    outcome = stage.ask(Answer([{"reasoning": "Let me"}, {"reasoning": " think."}, {"content": "Hello"}]))
    assert_answered(outcome)
    assert steps(outcome) == [["reasoning", "text"]]
    assert outcome.last.parts_of("reasoning")[0]["text"] == "Let me think."


def test_sources_and_files_become_parts(stage: Stage) -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "https://example.com/a", "title": "A"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    outcome = stage.ask(Answer([{"content": "Look", "annotations": [cited]}, {"images": [image]}]))
    assert_answered(outcome)
    [source] = outcome.last.parts_of("source-url")
    assert (source["url"], source["title"]) == ("https://example.com/a", "A")
    [file] = outcome.last.parts_of("file")
    assert (file["mediaType"], file["url"]) == ("image/png", "data:image/png;base64,iVBORw0KGgo=")


# Tools


def test_a_tool_runs_and_the_answer_comes_in_a_step_of_its_own(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), says("Clear."))
    assert_answered(outcome)
    assert steps(outcome) == [["tool-get_weather"], ["text"]]
    [part] = outcome.last.parts_of("tool-get_weather")
    assert part["state"] == "output-available"
    assert part["input"] == {"city": "Oslo"}
    assert part["output"] == {"city": "Oslo", "sky": "clear"}
    assert outcome.types.count("tool-input-delta") == 2
    first, second = stage.upstream.calls
    assert first.roles == ["system", "user"]
    assert second.roles == ["system", "user", "assistant", "tool"]
    assert json.loads(second.body["messages"][-1]["content"]) == {"city": "Oslo", "sky": "clear"}


def test_text_before_a_tool_stays(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"}), text="I look. "), says("Clear."))
    assert_answered(outcome)
    assert steps(outcome) == [["text", "tool-get_weather"], ["text"]]
    assert outcome.last.text == "I look. Clear."


def test_parallel_tools_answer_as_they_finish(stage: Stage) -> None:
    slow, fast = {"city": "Oslo", "seconds": 0.2}, {"city": "Rome", "seconds": 0}
    outcome = stage.ask(calls(("get_weather", slow), ("get_weather", fast)), says("Clear in both."))
    assert_answered(outcome)
    assert steps(outcome) == [["tool-get_weather", "tool-get_weather"], ["text"]]
    parts = outcome.last.parts_of("tool-get_weather")
    assert [part["input"]["city"] for part in parts] == ["Oslo", "Rome"]
    assert [part["output"]["city"] for part in parts] == ["Oslo", "Rome"]
    finished = [chunk for chunk in outcome.chunks if chunk["type"] == "tool-output-available"]
    assert [chunk["output"]["city"] for chunk in finished] == ["Rome", "Oslo"]
    results = stage.upstream.calls[1].body["messages"][-2:]
    assert [json.loads(result["content"])["city"] for result in results] == ["Oslo", "Rome"]


def test_the_same_call_id_in_every_step_makes_two_parts(stage: Stage) -> None:
    oslo, rome = calls(("get_weather", {"city": "Oslo"})), calls(("get_weather", {"city": "Rome"}))
    outcome = stage.ask(oslo, rome, says("Clear in both."))
    assert_answered(outcome)
    assert steps(outcome) == [["tool-get_weather"], ["tool-get_weather"], ["text"]]
    assert [part["output"]["city"] for part in outcome.last.parts_of("tool-get_weather")] == ["Oslo", "Rome"]


def test_a_tools_own_complaint_is_shown(stage: Stage) -> None:
    outcome = stage.ask(calls(("find_city", {"name": "Atlantis"})), says("No such city."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-find_city")
    assert (part["state"], part["errorText"]) == ("output-error", "There is no city called Atlantis.")


def test_a_crashing_tool_tells_nothing_of_its_exception(stage: Stage) -> None:
    outcome = stage.ask(calls(("crash", {})), says("That failed."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-crash")
    assert part["state"] == "output-error"
    assert "hunter2" not in outcome.exchanges[0].raw
    assert "hunter2" not in json.dumps(stage.upstream.calls[1].body)


@pytest.mark.parametrize("arguments", ['{"city": ', '"Oslo"', "[1]", '{"town": "Oslo"}', "null"])
def test_bad_arguments_become_a_failed_tool(stage: Stage, arguments: str) -> None:
    outcome = stage.ask(calls(("get_weather", arguments)), says("I could not find out."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-get_weather")
    assert part["state"] == "output-error"
    assert outcome.last.text == "I could not find out."


def test_a_tool_that_does_not_exist_is_a_failed_tool(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_whether", {"city": "Oslo"})), says("Sorry."))
    assert_answered(outcome)
    assert outcome.last.parts_of("tool-get_whether")[0]["state"] == "output-error"
    assert outcome.last.text == "Sorry."


def test_a_tool_sends_data_parts_and_may_return_nothing(stage: Stage) -> None:
    outcome = stage.ask(calls(("show_progress", {})), says("Done."))
    assert_answered(outcome)
    assert outcome.data_of("data-progress") == [{"percent": 50}]
    assert outcome.last.parts_of("data-progress") == []
    [report] = outcome.last.parts_of("data-report")
    assert (report["id"], report["data"]) == ("report-1", {"version": 2})
    assert outcome.last.parts_of("tool-show_progress")[0]["state"] == "output-available"


# Handoffs


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
    assert steps(outcome) == [["text"], ["text"]]
    assert outcome.last.text == "One moment. It is paid."
    assert len(stage.upstream.calls) == 2


def test_a_tool_beside_a_handoff_is_run_first(stage: Stage) -> None:
    handoff = ("handoff_to_agent", {"targetAgent": "BillingSupport"})
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"}), handoff), says("Clear, and paid."), route="/api/tech")
    assert_answered(outcome)
    assert steps(outcome) == [["tool-get_weather"], ["text"]]
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


# The end of the steps


@pytest.mark.parametrize("last", [says("Clear."), calls(("get_weather", {"city": "Rome"}))], ids=["answers", "asks on"])
def test_a_turn_at_its_step_limit_ends_with_text(stage: Stage, last: Answer) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), last, route="/api/hasty")
    assert_answered(outcome)
    assert outcome.last.text
    assert steps(outcome)[-1][-1] == "text"


def test_an_empty_answer_after_a_tool_is_not_posted_again(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), says())
    assert_answered(outcome)


# Errors


def test_a_bad_request_is_answered_before_any_byte_of_a_stream(stage: Stage) -> None:
    outcome = stage.ask(send="   ")
    assert (outcome.status, outcome.posts, outcome.looped) == ("error", 1, False)
    assert json.loads(outcome.error or "") == {"error": "No message provided"}
    assert outcome.exchanges[0].status == 400
    assert stage.upstream.calls == []


def test_an_unknown_route_is_a_short_answer(stage: Stage) -> None:
    outcome = stage.ask(route="/api/chatt")
    assert (outcome.status, outcome.posts) == ("error", 1)
    assert outcome.exchanges[0].status == 404
    assert "<" not in (outcome.error or "<")


def test_a_provider_that_refuses_is_an_error_in_plain_words(stage: Stage) -> None:
    outcome = stage.ask(refuses(401, f'{{"error": {{"message": "Incorrect API key: {API_KEY}"}}}}'))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert API_KEY not in outcome.exchanges[0].raw
    assert outcome.error is not None
    assert "rejected the server's API key" in outcome.error
    assert outcome.exchanges[0].status == 200
    assert len(stage.upstream.calls) == 1


@pytest.mark.parametrize("ending", ["drop", "error"])
def test_an_error_after_the_first_byte_keeps_the_text(stage: Stage, ending: Ending) -> None:
    outcome = stage.ask(says("Hello", " wor", ending=ending))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.text == "Hello wor"
    assert API_KEY not in outcome.exchanges[0].raw
    types = [kind for kind in outcome.types if not kind.startswith("data-")]
    assert types[-2:] == ["error", "finish"] or types[-3:] == ["error", "finish-step", "finish"]
    assert types.index("text-end") < types.index("error")


@pytest.mark.parametrize("answer", [refuses(401, "no"), says(ending="error")], ids=["refused", "broken"])
def test_an_error_after_a_tool_is_not_posted_again(stage: Stage, answer: Answer) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), answer)
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.parts_of("tool-get_weather")[0]["state"] == "output-available"


def test_arguments_that_break_off_are_a_failed_tool_and_not_posted_again(stage: Stage) -> None:
    half = calls(("get_weather", {"city": "Oslo"})).deltas[:2]
    outcome = stage.ask(Answer(half, ending="drop"))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.parts_of("tool-get_weather")[0]["state"] == "output-error"


# Stops


def assert_ends_with_the_stop(outcome: Outcome, call: Call) -> None:
    assert outcome.stopped_at is not None
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 1)
    assert outcome.finishes[-1].is_abort
    assert call.seconds_after(outcome.stopped_at) < AT_ONCE
    assert call.cut


def test_stop_in_the_middle_of_text_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says(*["word "] * 400, pause=0.02), after=StopAfter(texts=3))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text.startswith("word word word ")


def test_stop_while_the_model_pauses_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says("Let me see", ending="silence"), after=StopAfter(texts=1))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == "Let me see"


def test_stop_before_the_first_word_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says(ending="silence"), after=StopAfter(seconds=0.2))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == ""


def test_stop_while_a_tool_runs_asks_the_model_nothing_more(stage: Stage) -> None:
    slow = calls(("get_weather", {"city": "Oslo", "seconds": 1}))
    turns = [Turn(send="Oslo?", stop_after=StopAfter(tools=1)), Turn(send="Never mind.")]
    outcome = stage.play(slow, says("Fine."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Fine."
    stopped, following = stage.upstream.calls
    assert not stopped.cut
    assert following.roles == ["system", "user", "assistant", "tool", "user"]


def test_after_a_stop_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=StopAfter(texts=1)), Turn(send="And now?")]
    outcome = stage.play(says("Let me see", ending="silence"), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Done."
    assert [message.role for message in outcome.messages] == ["user", "assistant"] * 2
    assert stage.upstream.calls[1].roles == ["system", "user", "assistant", "user"]


def test_after_a_stop_before_any_answer_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=StopAfter(seconds=0.2)), Turn(send="And now?")]
    outcome = stage.play(is_mute(), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.messages[1].parts == []
    assert outcome.last.text == "Done."


def test_a_server_that_goes_down_ends_the_stream_and_is_not_asked_again(
    client: Client, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.play(calls(("get_weather", {"city": "Oslo"})), says(ending="silence"))
    with served(tmp_path, upstream.url, "--drain", "0") as server, ThreadPoolExecutor() as pool:
        scenario = Scenario(turns=[Turn(send="Oslo?")], send_automatically=True)
        playing = pool.submit(client.drive, f"{server.url}/api/chat", scenario)
        upstream.wait_for(2)
        server.process.terminate()
        outcome = playing.result()
    assert_accepted(outcome)
    assert outcome.types[-2:] == ["abort", "finish"]
    assert upstream.calls[-1].cut


# Conversations


def test_the_next_turn_has_the_whole_conversation(stage: Stage) -> None:
    turns = [Turn(send="Oslo?"), Turn(send="Thanks.")]
    outcome = stage.play(calls(("get_weather", {"city": "Oslo"})), says("Clear."), says("Bye."), turns=turns)
    assert_answered(outcome, posts=2)
    assert [message.role for message in outcome.messages] == ["user", "assistant"] * 2
    last = stage.upstream.calls[-1]
    assert last.roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert last.body["messages"][-2]["content"] == "Clear."
    assert len({message.id for message in outcome.messages}) == 4


def test_the_next_turn_begins_with_the_agent_that_answered(stage: Stage) -> None:
    turns = [Turn(send="Is INV-42 paid?"), Turn(send="And INV-43?")]
    outcome = stage.play(
        hands_off("BillingSupport", "an invoice"), says("Yes."), says("No."), route="/api/chat-multi", turns=turns
    )
    assert_answered(outcome, posts=2)
    assert len(stage.upstream.calls) == 3
    metadata = outcome.last.metadata
    assert metadata is not None
    assert metadata["agent"] == "BillingSupport"


@pytest.mark.parametrize(
    "first",
    [
        refuses(401, "no"),
        says("Hello", ending="drop"),
        Answer(calls(("get_weather", {"city": "Oslo"})).deltas[:2], ending="drop"),
    ],
    ids=["before the answer", "in text", "in arguments"],
)
def test_after_an_error_the_chat_goes_on(stage: Stage, first: Answer) -> None:
    turns = [Turn(send="Hello"), Turn(send="Once more.")]
    outcome = stage.play(first, says("Here I am."), turns=turns, send_automatically=False)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Here I am."


@pytest.mark.parametrize(
    "call",
    [
        ("functions.get_weather", {"city": "Oslo"}),
        ("get weather!", {"city": "Oslo"}),
        ("get_weather", '{"city": '),
        ("get_weather", "null"),
        ("show_progress", {}),
    ],
    ids=["dotted name", "spaced name", "broken arguments", "null arguments", "null result"],
)
def test_whatever_a_model_called_the_chat_goes_on(stage: Stage, call: tuple[str, dict[str, str] | str]) -> None:
    turns = [Turn(send="Hello"), Turn(send="And now?")]
    outcome = stage.play(calls(call), says("Sorry."), says("Well."), turns=turns)
    assert_answered(outcome, posts=2)
    assert outcome.last.text == "Well."


def test_a_regenerated_answer_replaces_the_last(stage: Stage) -> None:
    outcome = stage.play(says("One."), says("Two."), turns=[Turn(send="Hello"), Turn(regenerate=True)])
    assert_answered(outcome, posts=2)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.text == "Two."
    assert stage.upstream.calls[1].roles == ["system", "user"]


def test_the_last_message_alone_is_enough(stage: Stage) -> None:
    outcome = stage.ask(says("Hello"), body="message", id="chat-1")
    assert_answered(outcome)
    assert outcome.last.text == "Hello"


def test_unknown_fields_and_headers_do_no_harm(stage: Stage) -> None:
    extra, headers = {"theme": "dark", "data": None}, {"x-session-id": "session-7", "x-user-id": "user-7"}
    outcome = stage.ask(says("Hello"), extra=extra, headers=headers)
    assert_answered(outcome)
    assert outcome.exchanges[0].response_headers["x-session-id"] == "session-7"
