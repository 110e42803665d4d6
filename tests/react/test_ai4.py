"""Pages written for AI SDK 4, unchanged: what they show of runs, and what they post, whoever keeps the conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients.serving import API_KEY
from tests.clients.upstream import HOLD, Answer, Upstream, calls, hands_off, held, refuses, says

from .harness import Browser, gone, press, reload, send, wait
from .stage import Stage

pytestmark = pytest.mark.clients

PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def stage(running_browser: Browser, server: str, upstream: Upstream) -> Stage:
    return Stage(running_browser, server, upstream, major=4)


@pytest.fixture(params=["server", "client"])
def chats(request: pytest.FixtureRequest) -> str:
    """Where routes keep their conversations."""
    return str(request.param)


def test_text_streams_into_one_message(stage: Stage, chats: str) -> None:
    answers = [says(HOLD, "Hello", HOLD, ", ", HOLD, "world.")]
    actions = [
        *(*send("Hi"), wait("Assistant is typing..."), stage.release, wait("Hello"), stage.release, wait("Hello, ")),
        *(stage.release, wait("world."), gone("Assistant is typing...")),
    ]
    outcome = stage.play("4/simple", f"/4/{chats}/chat", *actions, answers=answers)
    assert outcome.lines == ["You", "Hi", "Assistant", "Hello, world.", "Send"]


def test_the_model_reads_every_turn(stage: Stage, chats: str) -> None:
    actions = [
        *(*send("First"), wait("One.")),
        *(*send("Second"), wait("Two.")),
        *(*send("Second"), wait("Three."), gone("typing")),
    ]
    answers = [says("One."), says("Two."), says("Three.")]
    outcome = stage.play("4/simple", f"/4/{chats}/chat", *actions, answers=answers)
    assert [body["id"] for body in outcome.bodies] == [outcome.bodies[0]["id"]] * 3
    assert all("id" not in message for message in outcome.bodies[-1]["messages"])
    assert spoken(stage) == ["First", "One.", "Second", "Two.", "Second"]
    assert [line for line in outcome.lines if line[-1] == "."] == ["One.", "Two.", "Three."]


def test_every_character_arrives_as_the_model_sent_it(stage: Stage) -> None:
    told = 'tab\t"quoted" \\ é 漢 🙂 \u2028\u2029 3:"no" d:{}'
    outcome = stage.play("4/simple", "/4/server/chat", *send("Hi"), wait("d:{}"), answers=[says(*told)])
    assert told in outcome.lines


def test_a_tool_and_its_result_are_shown(stage: Stage, chats: str) -> None:
    answers = [calls(("get_weather", {"city": "Lyon"}), text="Let me see. "), says("21 degrees.")]
    actions = [*send("Lyon?"), wait("21 degrees."), wait("Send")]
    outcome = stage.play("4/advanced", f"/4/{chats}/chat", *actions, answers=answers)
    assert outcome.showed("Assistant is thinking...")
    assert outcome.showed("🔧 get_weather")
    result = json.dumps({"city": "Lyon", "degrees": 21}, indent=2)
    assert f"<div>Let me see. 21 degrees.</div><div><div><div>🔧 get_weather</div><pre>{result}</pre>" in outcome.html


def test_a_tool_of_an_earlier_turn_is_there_for_the_model(stage: Stage, chats: str) -> None:
    answers = [calls(("get_weather", {"city": "Lyon"})), says("21 degrees."), says("Gladly.")]
    actions = [*send("Lyon?"), wait("21 degrees."), *send("Thanks."), wait("Gladly.")]
    stage.play("4/simple", f"/4/{chats}/chat", *actions, answers=answers)
    last = stage.upstream.calls[-1]
    assert last.roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert json.loads(last.body["messages"][3]["content"]) == {"city": "Lyon", "degrees": 21}


def test_parallel_tools_and_a_failing_one_have_their_results_each(stage: Stage, chats: str) -> None:
    nowhere, paris = ("get_weather", {"city": "Nowhere"}), ("get_weather", {"city": "Paris"})
    actions = [*send("Hi"), wait("Sorry."), wait("Send"), *send("Go on"), wait("Well."), wait("Send")]
    answers = [calls(nowhere, paris, ("get_weather", "{broken")), says("Sorry."), says("Well.")]
    outcome = stage.play("4/advanced", f"/4/{chats}/chat", *actions, answers=answers)
    assert outcome.html.count("<pre>") == 3
    assert "There is no such city." in outcome.html
    assert '"city": "Paris"' in outcome.html
    results = [message["content"] for message in stage.upstream.calls[-1].body["messages"] if message["role"] == "tool"]
    assert len(results) == 3
    assert results[0] == "Error: There is no such city."


def test_the_session_of_a_page_is_known_and_its_missing_user_is_nobody(stage: Stage) -> None:
    outcome = stage.play("4/advanced", "/4/server/chat", *send("Hi"), wait("Hello."), answers=[says("Hello.")])
    [exchange] = outcome.exchanges
    session = exchange.headers["x-session-id"]
    assert exchange.response_headers["x-session-id"] == session
    assert exchange.headers["x-user-id"] == "undefined"
    [chat] = [chat for chat in stage.chats_of(session) if chat["id"] == outcome.bodies[0]["id"]]
    assert chat["messages"] == 2


@pytest.mark.parametrize("first", [refuses(401, f"no {API_KEY}"), says("So far", ending="error")], ids=["401", "later"])
def test_a_failure_is_told_in_words_and_tried_again(stage: Stage, chats: str, first: Answer) -> None:
    actions = [*send("Hi"), wait("(run run_"), press("Retry"), wait("works."), wait("Send")]
    outcome = stage.play("4/advanced", f"/4/{chats}/chat", *actions, answers=[first, says("Now it works.")])
    assert any("Error: The model provider" in view for view in outcome.views)
    assert outcome.showed("So far") == (first.status == 200)
    assert outcome.lines == ["Messages: 2", "You", "Hi", "Assistant", "Now it works.", "Send"]
    assert spoken(stage) == ["Hi"]
    assert API_KEY not in str(outcome)


def test_a_request_that_is_refused_is_told_in_words(stage: Stage) -> None:
    outcome = stage.play("4/advanced", "/4/server/nowhere", *send("Hi"), wait("Error: "), answers=[])
    assert '<p>Error: {"error":"There is nothing at /4/server/nowhere' in outcome.html


def test_stop_ends_the_run_and_keeps_what_came(stage: Stage, chats: str) -> None:
    actions = [*send("Hi"), wait("So far"), press("Stop"), *send("Go on"), wait("Gladly."), wait("Send")]
    answers = [says("So far", ending="silence"), says("Gladly.")]
    outcome = stage.play("4/advanced", f"/4/{chats}/chat", *actions, answers=answers)
    assert stage.was_cut(0)
    first, second = ["You", "Hi", "Assistant", "So far"], ["You", "Go on", "Assistant", "Gladly."]
    assert outcome.lines == ["Messages: 4", *first, *second, "Send"]
    assert spoken(stage) == ["Hi", "So far", "Go on"]


def test_stop_before_the_first_word_leaves_a_page_that_goes_on(stage: Stage, chats: str) -> None:
    actions = [*send("Hi"), wait("Hm."), press("Stop"), *send("Hello?"), wait("Gladly."), gone("Loading")]
    answers = [Answer([{"reasoning": "Hm."}], ending="silence"), says("Gladly.")]
    stage.play("4/parts", f"/4/{chats}/chat", *actions, answers=answers)
    assert stage.was_cut(0)
    assert "\n".join(spoken(stage)) == "Hi\nHello?"


def test_an_answer_is_given_anew(stage: Stage, chats: str) -> None:
    actions = [
        *(*send("Hi"), wait("One.")),
        *(*send("And now?"), wait("Two."), press("Again")),
        *(gone("Two."), wait("Three."), gone("Loading")),
    ]
    answers = [says("One."), says("Two."), says("Three.")]
    outcome = stage.play("4/parts", f"/4/{chats}/chat", *actions, answers=answers)
    assert spoken(stage) == ["Hi", "One.", "And now?"]
    assert outcome.html.count("<article") == 4


def test_the_current_agent_is_the_last_items_of_data(stage: Stage, chats: str) -> None:
    answers = [
        held(hands_off("BillingSupport", "an invoice")),
        calls(("check_invoice", {"invoiceId": "INV-42"})),
        says("It is paid."),
        hands_off("TechnicalSupport", "an outage"),
        says("All is well."),
        says("Still so."),
    ]
    actions = [
        *(*send("Is INV-42 paid?"), wait("Current Agent: \nTriage"), stage.release, wait("It is paid.")),
        *(*send("Is the server up?"), wait("All is well.")),
        *(*send("And now?"), wait("Still so.")),
    ]
    outcome = stage.play("4/agents", f"/4/{chats}/desk", *actions, answers=answers)
    assert outcome.behind("Current Agent: ") == ["Triage", "BillingSupport", "TechnicalSupport"]


def test_the_current_agent_stays_known_when_a_tool_sends_data(stage: Stage) -> None:
    answers = [calls(("draw_chart", {})), says("A chart.")]
    outcome = stage.play("4/agents", "/4/server/chat", *send("Draw"), wait("A chart."), answers=answers)
    assert outcome.behind("Current Agent: ") == ["Assistant"]


def test_the_current_agent_stays_known_when_each_step_tells_its_usage(stage: Stage) -> None:
    answers = [calls(("get_weather", {"city": "Oslo"})), says("Clear.")]
    outcome = stage.play("4/agents", "/4/server/metered", *send("Hi"), wait("Clear."), answers=answers)
    assert outcome.behind("Current Agent: ") == ["Assistant"]


def test_every_part_is_one_of_the_message(stage: Stage) -> None:
    source = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A"}}
    deltas: list[dict[str, Any]] = [
        *({"reasoning": "Hm. "}, {"reasoning": "Yes."}),
        *({"content": "See "}, {"annotations": [source]}, {"images": [{"image_url": {"url": PNG}}]}),
    ]
    outcome = stage.play("4/parts", "/4/server/chat", *send("Hi"), wait("finishReason"), answers=[Answer(deltas)])
    assert '<article title="msg_' in outcome.html
    shown = f'<hr><em>Hm. Yes.</em><p>See </p><a href="https://a.example">A</a><img src="{PNG}">'
    assert shown in outcome.html


def test_what_is_kept_of_a_run_stands_in_the_messages_annotations(stage: Stage) -> None:
    answers = [calls(("draw_chart", {})), says("A chart.")]
    outcome = stage.play("4/parts", "/4/server/chat", *send("Draw"), wait("finishReason"), answers=answers)
    [annotations] = [json.loads(line) for line in outcome.lines if line.startswith("[{")]
    types = [annotation["type"] for annotation in annotations]
    assert types == ["message-metadata", "data-chart", "data-chart", "message-metadata"]
    assert annotations[-1]["usage"]["totalTokens"] == 30
    assert annotations[-1]["model"] == "scripted-1"


@pytest.mark.parametrize("after", [says("21 degrees."), refuses(401, "no")], ids=["answered", "failed"])
def test_steps_of_the_server_are_not_posted_again(stage: Stage, chats: str, after: Answer) -> None:
    answers = [calls(("get_weather", {"city": "Lyon"})), after]
    actions = [*send("Lyon?"), wait("finishReason"), gone("Loading")]
    outcome = stage.play("4/parts", f"/4/{chats}/chat", *actions, answers=answers)
    assert len(outcome.exchanges) == 1
    assert 'get_weather result {"city":"Lyon"} {"city":"Lyon","degrees":21}' in outcome.html


def test_a_tool_of_the_page_waits_for_its_answer(stage: Stage) -> None:
    answers = [calls(("locate", {})), says("You are in Paris."), says("Bye.")]
    actions = [*send("Where am I?"), press("Tell"), wait("Paris."), gone("Loading"), *send("Thanks."), wait("Bye.")]
    outcome = stage.play("4/parts", "/4/server/clerk", *actions, answers=answers)
    assert outcome.html.count("<article") == 4
    assert 'locate result {} "48.85"' in outcome.html
    assert stage.upstream.calls[1].body["messages"][-1]["content"] == "48.85"
    assert stage.upstream.calls[2].roles == ["system", "user", "assistant", "tool", "assistant", "user"]


def test_a_tool_that_the_page_runs_by_itself_is_answered_at_once(stage: Stage) -> None:
    answers = [calls(("get_weather", {"city": "Lyon"})), calls(("locate", {})), says("You are in Paris.")]
    actions = [*send("Where am I?"), wait("Paris."), gone("typing")]
    outcome = stage.play("4/onToolCall", "/4/server/clerk", *actions, answers=answers)
    assert len(outcome.exchanges) == 2
    assert stage.upstream.calls[2].body["messages"][-1]["content"] == "48.85"


@pytest.mark.parametrize(("answer", "result"), [("Yes", '{"paid":5}'), ("No", '{"error":"Too much."}')])
def test_a_yes_or_no_of_the_page_decides_what_runs(stage: Stage, answer: str, result: str) -> None:
    answers = [calls(("pay_back", {"amount": 5})), says("So be it.")]
    actions = [*send("Pay me back."), press(answer), wait("So be it."), gone("Loading")]
    outcome = stage.play("4/parts", "/4/server/clerk", *actions, answers=answers)
    assert f'pay_back result {{"amount":5}} {result}' in outcome.html
    assert len(outcome.exchanges) == 2


def test_the_last_message_alone_is_enough(stage: Stage) -> None:
    actions = [
        *(*send("Hi"), wait("One."), gone("Loading"), press("Again"), wait("Two."), gone("Loading")),
        *(*send("Where am I?"), press("Tell"), wait("Paris."), gone("Loading")),
    ]
    answers = [says("One."), says("Two."), calls(("locate", {})), says("You are in Paris.")]
    outcome = stage.play("4/parts", "/4/server/clerk", *actions, answers=answers, lastMessageOnly=True)
    assert all(body.keys() == {"id", "message"} for body in outcome.bodies)
    last = stage.upstream.calls[-1]
    assert last.roles == ["system", "user", "assistant", "user", "assistant", "tool"]
    assert spoken(stage)[:3] == ["Hi", "Two.", "Where am I?"]
    assert last.body["messages"][-1]["content"] == "48.85"


def test_a_file_goes_along_and_stays(stage: Stage, chats: str) -> None:
    actions = [*send("See?"), wait("I do."), gone("Loading"), *send("Still?"), wait("Yes."), gone("Loading")]
    photo = {"name": "photo.png", "contentType": "image/png", "url": PNG}
    answers = [says("I do."), says("Yes.")]
    stage.play("4/parts", f"/4/{chats}/chat", *actions, answers=answers, attachments=[photo])
    first, _, second = spoken(stage)
    for content, asked in ((first, "See?"), (second, "Still?")):
        assert [part["type"] for part in content] == ["text", "image_url"]
        assert (content[0]["text"], content[1]["image_url"]["url"]) == (asked, PNG)


def test_a_new_question_passes_what_waits(stage: Stage) -> None:
    answers = [calls(("locate", {})), says("Never mind.")]
    actions = [*send("Where am I?"), wait("Tell"), *send("Forget it."), wait("Never mind."), gone("Loading")]
    stage.play("4/parts", "/4/server/clerk", *actions, answers=answers)
    assert stage.upstream.calls[-1].roles == ["system", "user", "assistant", "tool", "user"]


def test_a_page_that_is_loaded_anew_finds_its_stream(stage: Stage) -> None:
    actions = [
        *(*send("Count"), wait("One, "), reload(), wait("One, "), stage.release),
        *(wait("two, "), reload(), wait("two, "), stage.release, wait("three."), gone("typing")),
    ]
    answers = [says("One, ", HOLD, "two, ", HOLD, "three.")]
    outcome = stage.play("4/resumed", "/4/server/lasting", *actions, answers=answers, id="counted", server=stage.server)
    assert outcome.lines == ["user", "Count", "assistant", "One, two, three.", "Send"]
    assert not stage.was_cut(0)
    assert len(stage.upstream.calls) == 1


def test_a_page_that_is_loaded_anew_finds_an_answer_that_went_on(stage: Stage) -> None:
    actions = [
        *(*send("Where am I?"), wait("locate call"), gone("typing"), press("Tell"), wait("You are "), reload()),
        *(wait("You are "), stage.release, wait("in Paris."), gone("typing")),
    ]
    answers = [calls(("locate", {}), text="Let me see. "), says("You are ", HOLD, "in Paris.")]
    outcome = stage.play("4/resumed", "/4/server/clerk", *actions, answers=answers, id="told", server=stage.server)
    shown = ["user", "Where am I?", "assistant", "Let me see. You are in Paris.", 'locate result "48.85"']
    assert outcome.lines == [*shown, "Send"]
    assert not stage.was_cut(1)


def test_a_page_that_has_nothing_to_resume_is_ready(stage: Stage) -> None:
    actions = [*send("Hi"), wait("Hello."), gone("typing"), reload(), wait("Hello."), *send("Bye"), wait("See you.")]
    answers = [says("Hello."), says("See you.")]
    outcome = stage.play("4/resumed", "/4/server/lasting", *actions, answers=answers, id="nothing", server=stage.server)
    assert not any("Error" in view for view in outcome.views)
    assert spoken(stage) == ["Hi", "Hello.", "Bye"]


def spoken(stage: Stage) -> list[Any]:
    """What the user and the assistant said, as the model read it last."""
    messages = stage.upstream.calls[-1].body["messages"]
    return [message["content"] for message in messages if message["role"] in ("user", "assistant")]
