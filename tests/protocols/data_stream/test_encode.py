"""Runs as lines on the wire: golden streams, and what the reader of major 4 accepts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation import events
from fondation.calls import CallStatus, ModelCall, TokenUsage
from fondation.events import Batch, Event, RunSummary
from fondation.messages import Json
from fondation.protocols.data_stream import HEADERS, KEEPALIVE, Encoder, broken
from tests.support.lines import Line, assert_acceptable, items, parse
from tests.support.scenes import SCENES
from tests.support.scripted import play

GOLDEN = Path(__file__).parent / "golden"
SUMMARY = RunSummary("run_1", "msg_1", "Ann", ("Ann",), None, TokenUsage(), "unknown", "stop", 1, 1)


def lines(*told: Event) -> list[Line]:
    """What is sent of these events, behind the start of a run by Ann."""
    encode = Encoder()
    encode([events.RunStarted("run_1", "msg_1", "Ann")])
    return parse(encode(list(told)))


def line(event: Event) -> Line:
    [only] = lines(event)
    return only


async def bytes_of(name: str) -> bytes:
    encode = Encoder()
    return b"".join([encode([event]) for event in await play(SCENES[name].run())])


@pytest.mark.parametrize("name", SCENES)
async def test_a_run_is_told_as_its_golden_stream(name: str) -> None:
    stream = await bytes_of(name)
    assert_acceptable(parse(stream))
    assert stream.decode() == (GOLDEN / f"{name}.txt").read_text()


def test_every_golden_stream_has_its_scene() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(SCENES)


async def test_a_batch_is_its_events_joined() -> None:
    assert Encoder()(await play(SCENES["tool"].run())) == await bytes_of("tool")


def test_every_event_has_its_line_and_a_batch_without_one_for_the_page_is_empty() -> None:
    from fondation.protocols.data_stream.encode import _LINES

    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} - {Event}
    assert set(_LINES) == kinds
    assert Encoder()([]) == b""
    assert Encoder()([events.TextStarted("t1"), events.TextEnded("t1")]) == b""


def test_a_step_ends_as_the_model_of_the_answer_said() -> None:
    answer = ModelCall("Ann", "openrouter", "acme/one", ("Ann",))
    answer.finish_reason = "length"
    summary = ModelCall("Ann", "openrouter", "acme/one", ("Ann",), step=0, purpose="summary")
    summary.finish_reason = "stop"
    told = lines(events.CallEnded(answer), events.CallEnded(summary), events.StepFinished())
    assert told == [("e", {"finishReason": "length", "isContinued": False})]


def test_every_item_of_data_names_the_agent_that_has_the_conversation() -> None:
    told = lines(
        events.RoundStarted("Ann", "routing"),
        events.DataSent("progress", {"done": 1}),
        events.HandedOff("Ann", "Bob", "llm"),
        events.RoundStarted("Bob", "executing"),
        events.DataSent("progress", [2]),
    )
    assert [item["agentName"] for item in items(told, "2")] == ["Ann", "Ann", "Bob", "Bob", "Bob"]
    assert [item["type"] for item in items(told, "2")[:3]] == [
        "data-agent-status",
        "data-progress",
        "data-agent-handoff",
    ]


def test_kept_data_stands_in_the_message_too() -> None:
    told = lines(events.DataSent("chart", [1], "c", transient=False), events.DataSent("note", None))
    assert items(told, "8") == [{"type": "data-chart", "data": [1], "id": "c"}]
    assert [item["data"] for item in items(told, "2")] == [[1], None]


def test_every_step_has_the_messages_id_and_the_reason_of_its_own_end() -> None:
    def ended(finish_reason: Any) -> events.CallEnded:
        return events.CallEnded(ModelCall("Ann", "p", "m", ("Ann",), finish_reason=finish_reason))

    told = lines(
        *(events.StepStarted(), ended("tool-calls"), events.StepFinished()),
        *(events.StepStarted(), ended(None), ended("length"), events.StepFinished()),
        *(events.StepStarted(), ended(None), events.StepFinished()),
        *(events.StepStarted(), events.StepFinished()),
    )
    assert [value for code, value in told if code == "f"] == [{"messageId": "msg_1"}] * 4
    assert [value["finishReason"] for code, value in told if code == "e"] == ["tool-calls", "length", "error", "other"]


@pytest.mark.parametrize(
    ("status", "error_type", "reason"),
    [
        ("aborted", "run_stopped", "other"),
        ("aborted", "run_shutdown", "other"),
        ("aborted", "run_timeout", "error"),
        ("error", "upstream_disconnected", "error"),
    ],
)
def test_a_step_that_was_cut_off_ends_as_its_run_does(status: CallStatus, error_type: str, reason: str) -> None:
    cut = ModelCall("Ann", "p", "m", ("Ann",), status=status, error_type=error_type)
    told = lines(events.StepStarted(), events.CallEnded(cut), events.StepFinished())
    assert told[-1] == ("e", {"finishReason": reason, "isContinued": False})


@pytest.mark.parametrize("input", ["{broken", "", 3, 1.5, True])
def test_arguments_that_are_no_object_are_put_in_one(input: Json) -> None:
    assert line(events.ToolCalled("c1", "t", input))[1]["args"] == {"arguments": input}


@pytest.mark.parametrize("input", [{"a": None}, {}, [1]])
def test_arguments_that_the_reader_takes_are_sent_as_they_are(input: Json) -> None:
    assert line(events.ToolCalled("c1", "t", input)) == ("9", {"toolCallId": "c1", "toolName": "t", "args": input})


def test_a_failure_of_a_tool_is_a_result_that_says_so() -> None:
    assert line(events.ToolFailed("c1", "t", "No.")) == ("a", {"toolCallId": "c1", "result": {"error": "No."}})
    assert line(events.ToolDenied("c1", "t", "Too much")) == (
        "a",
        {"toolCallId": "c1", "result": {"error": "Too much"}},
    )
    assert line(events.ToolDenied("c1", "t"))[1]["result"]["error"]


def test_a_call_that_waits_has_no_result() -> None:
    waiting = events.ToolWaiting("w1", "c1", "t", "client", "{}", "Ann")
    told = lines(waiting, events.RunWaiting(SUMMARY, (waiting,)))
    assert [code for code, _ in told] == ["8", "d"]
    assert told[-1][1]["finishReason"] == "tool-calls"


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("data:image/png;base64,iVBORw0=", "iVBORw0="),
        ("DATA:image/png;BASE64,iVBORw0=", "iVBORw0="),
        ("data:text/plain,Hello%20%F0%9F%98%80", base64.b64encode("Hello 😀".encode()).decode()),
        ("data:,", ""),
    ],
)
def test_a_file_is_sent_by_its_content(url: str, content: str) -> None:
    assert line(events.FileGenerated(url, "image/png")) == ("k", {"data": content, "mimeType": "image/png"})


def test_a_file_that_is_elsewhere_is_data_with_its_address() -> None:
    told = lines(events.FileGenerated("https://example.org/a,b.png", "image/png"))
    data = {"url": "https://example.org/a,b.png", "mediaType": "image/png"}
    assert told == [
        ("8", [{"type": "data-file", "data": data}]),
        ("2", [{"type": "data-file", "data": data, "agentName": "Ann"}]),
    ]


def test_a_source_has_a_title_only_where_there_is_one() -> None:
    address = {"sourceType": "url", "id": "s1", "url": "https://example.org"}
    assert line(events.SourceCited("s1", "https://example.org")) == ("h", address)
    assert line(events.SourceCited("s1", "https://example.org", "A")) == ("h", {**address, "title": "A"})


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        (TokenUsage(3, 4), {"promptTokens": 3, "completionTokens": 4}),
        (TokenUsage(3), {"promptTokens": 3, "completionTokens": None}),
        (TokenUsage(0, 0), {"promptTokens": 0, "completionTokens": 0}),
        (TokenUsage(total_tokens=7), None),
    ],
)
def test_tokens_that_nobody_counted_are_not_zero(usage: TokenUsage, told: Json) -> None:
    summary = msgspec.structs.replace(SUMMARY, usage=usage)
    assert lines(events.RunFinished(summary))[-1][1].get("usage") == told


def test_an_aborted_run_ends_with_a_reason_that_the_reader_knows() -> None:
    told = lines(events.RunAborted(msgspec.structs.replace(SUMMARY, finish_reason="aborted")))
    assert_acceptable(told)
    assert items(told, "8")[0]["finishReason"] == "aborted"


def test_a_page_never_reads_what_a_line_break_could_fake() -> None:
    batch: Batch = [
        events.TextDelta("t1", 'a\n3:"no"\r\n'),
        events.ToolFailed("c1\n", "t", "x\n\n"),
        events.DataSent("x", "\r\n", "id\n"),
    ]
    stream = Encoder()(batch)
    assert stream.count(b"\n") == 3
    assert b"\r" not in stream


def test_the_headers_are_those_of_a_data_stream_and_the_keepalive_says_nothing() -> None:
    assert HEADERS["Content-Type"] == "text/plain; charset=utf-8"
    assert HEADERS["X-Vercel-AI-Data-Stream"] == "v1"
    assert HEADERS["Cache-Control"] == "no-cache"
    assert HEADERS["X-Accel-Buffering"] == "no"
    assert parse(KEEPALIVE) == [("2", [])]


def test_a_stream_that_breaks_ends_with_one_error_and_its_proper_end() -> None:
    told = parse(broken("run_1"))
    assert [code for code, _ in told] == ["3", "d"]
    assert "run_1" in told[0][1]


texts = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=6,
)


@given(texts, json_values)
@settings(max_examples=100, deadline=None)
def test_any_text_and_any_json_come_out_as_they_went_in(said: str, value: Json) -> None:
    told = lines(
        events.TextDelta("t1", said),
        events.ReasoningDelta("r1", said),
        events.ToolInputStarted(said, said),
        events.ToolInputDelta(said, said),
        events.ToolCalled(said, said, {"value": value}),
        events.ToolSucceeded(said, said, value),
        events.DataSent("x", value),
    )
    same = msgspec.json.decode(msgspec.json.encode(value))
    assert told == [
        ("0", said),
        ("g", said),
        ("b", {"toolCallId": said, "toolName": said}),
        ("c", {"toolCallId": said, "argsTextDelta": said}),
        ("9", {"toolCallId": said, "toolName": said, "args": {"value": same}}),
        ("a", {"toolCallId": said, "result": same}),
        ("2", [{"type": "data-x", "data": same, "agentName": "Ann"}]),
    ]
