"""Runs as bytes on the wire: golden streams, and what every release of the majors 5, 6 and 7 accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation import events
from fondation.calls import TokenUsage
from fondation.events import Event, RunSummary
from fondation.messages import Json, UserMessage
from fondation.protocols.ui_message_stream import (
    HEADERS,
    KEEPALIVE,
    Conversation,
    broken,
    decode,
    encode,
    encode_with_approvals,
)
from fondation.runner import Run
from tests.support.chunks import assert_acceptable, parse
from tests.support.scenes import DESK, SCENES
from tests.support.scripted import (
    ScriptedProvider,
    build_route,
    build_run,
    calls,
    handoff,
    play,
    text,
)

GOLDEN = Path(__file__).parents[1] / "golden"


async def bytes_of(run: Run) -> bytes:
    return b"".join([encode([event]) for event in await play(run)])


@pytest.mark.parametrize("name", SCENES)
async def test_a_run_is_told_as_its_golden_stream(name: str) -> None:
    stream = await bytes_of(SCENES[name].run())
    assert_acceptable(parse(stream))
    assert stream.decode() == (GOLDEN / f"{name}.sse").read_text()


def test_every_golden_stream_has_its_scene() -> None:
    assert {file.stem for file in GOLDEN.glob("*.sse")} == {*SCENES, "documented"}


async def test_the_documented_stream_is_what_an_invoice_question_gives() -> None:
    invoice_call = calls(("call_1", "check_invoice", {"invoiceId": "INV-42"}))
    script = [handoff("BillingSupport", reason="an invoice"), invoice_call, text("Yes, INV-42 is paid", " (99.99).")]
    usages = [TokenUsage(400, 20, cost=0.001), TokenUsage(200, 21, cost=0.001), TokenUsage(212, 20, cost=0.001351)]

    class Claude(ScriptedProvider):
        async def stream(self, request: Any, call: Any) -> Any:
            self.usage = usages.pop(0)
            async for batch in super().stream(request, call):
                if call.model is not None:
                    call.model = "anthropic/claude-sonnet-4.5"
                yield batch

    stream = await bytes_of(build_run(build_route(Claude(script), DESK), "Is my invoice INV-42 paid?"))
    assert_acceptable(parse(stream))
    assert stream.decode() == (GOLDEN / "documented.sse").read_text()


async def test_a_batch_is_its_events_joined() -> None:
    told = await play(SCENES["tool"].run())
    assert encode(told) == b"".join(encode([event]) for event in told)


def test_every_event_has_its_line_and_a_batch_without_one_for_the_page_is_empty() -> None:
    from fondation.protocols.ui_message_stream.encode import _ENCODERS

    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)} - {Event}
    assert set(_ENCODERS) == kinds
    assert encode([]) == b""
    assert encode([events.CallStarted(None)]) == b""  # type: ignore[arg-type]


def test_what_is_absent_is_left_out_and_what_is_null_is_null() -> None:
    null_output = encode([events.ToolSucceeded("c", "t", None), events.DataSent("x", None)])
    assert b'"output":null' in null_output
    assert b'"data":null' in null_output
    assert b"null" not in encode([events.SourceCited("s1", "https://example.org"), events.RunStarted("r", "m", "A")])


def test_the_users_message_id_is_told_where_it_was_made_here() -> None:
    [chunk] = parse(encode([events.RunStarted("r", "m", "A", "msg_user")]) + b"data: [DONE]\n\n")
    assert chunk["messageMetadata"] == {"agent": "A", "agentName": "A", "runId": "r", "userMessageId": "msg_user"}


def test_a_page_never_reads_what_a_line_break_could_fake() -> None:
    stream = encode(
        [
            events.TextDelta("t1", 'a\n\ndata: {"type":"error"}\r\n'),
            events.ToolFailed("c1\n", "t", "x\n\n"),
            events.DataSent("x", "\r\n\r\n", "id\n"),
        ]
    )
    assert stream.count(b"\n\n") == 3
    assert stream.count(b"\n") == 6
    assert b"\r" not in stream


def test_the_headers_are_those_of_a_ui_message_stream() -> None:
    assert HEADERS["Content-Type"] == "text/event-stream"
    assert HEADERS["x-vercel-ai-ui-message-stream"] == "v1"
    assert HEADERS["Cache-Control"] == "no-cache"
    assert HEADERS["X-Accel-Buffering"] == "no"
    assert re.fullmatch(rb":[^\n]*\n\n", KEEPALIVE)


def test_a_stream_that_breaks_ends_with_one_error_and_its_proper_end() -> None:
    assert [chunk["type"] for chunk in parse(broken("run_1"))] == ["error", "finish"]
    assert b"run_1" in broken("run_1")


texts = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=6,
)


@given(texts, json_values, st.none() | texts)
@settings(max_examples=100, deadline=None)
def test_any_text_and_any_json_come_out_as_they_went_in(said: str, value: Json, id: str | None) -> None:
    batch: list[Event] = [
        events.TextDelta("t1", said),
        events.ReasoningDelta("r1", said),
        events.ToolInputDelta("c1", said),
        events.ToolCalled("c1", said, value),
        events.ToolSucceeded("c1", said, value),
        events.DataSent("x", value, id, transient=id is None),
        events.HandedOff("A", "B", "llm", said),
    ]
    told = parse(encode(batch) + b"data: [DONE]\n\n")
    assert [chunk.get("delta", chunk.get("inputTextDelta")) for chunk in told[:3]] == [said] * 3
    same = msgspec.json.decode(msgspec.json.encode(value))
    assert (told[3]["input"], told[4]["output"], told[5]["data"]) == (same, same, same)
    assert told[5].get("id") == id
    assert told[6]["data"]["reason"] == said


async def test_what_a_client_keeps_of_a_stream_reads_back_as_the_conversation_that_it_was() -> None:
    """The parts that a client builds of the chunks, posted again."""
    chunks = parse(await bytes_of(SCENES["parallel-tools"].run()))
    parts: list[dict[str, Any]] = []
    for chunk in chunks:
        match chunk["type"]:
            case "start-step":
                parts.append({"type": "step-start"})
            case "text-delta":
                parts.append({"type": "text", "text": chunk["delta"]})
            case "tool-input-available":
                named = {"type": f"tool-{chunk['toolName']}", "toolCallId": chunk["toolCallId"]}
                parts.append({**named, "state": "input-available", "input": chunk["input"]})
            case "tool-output-available":
                part = next(part for part in parts if part.get("toolCallId") == chunk["toolCallId"])
                part.update(state="output-available", output=chunk["output"])
    history = [
        {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]},
        {"id": "msg_1", "role": "assistant", "parts": parts, "metadata": chunks[-1]["messageMetadata"]},
    ]
    body = {"messages": [*history, {"id": "m2", "role": "user", "parts": [{"type": "text", "text": "And now?"}]}]}
    conversation: Conversation = decode(msgspec.json.encode(body))
    kinds = [type(message).__name__ for message in conversation.messages]
    assert kinds == ["UserMessage", "AssistantMessage", "ToolResult", "ToolResult", "AssistantMessage", "UserMessage"]
    assert isinstance(conversation.messages[0], UserMessage)
    assert conversation.last_agent == "Ann"


def test_metadata_leaves_out_what_is_unknown() -> None:
    summary = RunSummary("r", "m", "A", ("A",), None, TokenUsage(prompt_tokens=3), "unknown", "other", 1, 1)
    [finish] = parse(encode([events.RunFinished(summary)]))
    assert finish["messageMetadata"]["usage"] == {"promptTokens": 3, "totalTokens": 3, "costSource": "unknown"}
    assert "model" not in finish["messageMetadata"]


WAITING = events.ToolWaiting("wait_1", "c1", "pay", "approval", "{}", "Ann")


def test_pages_that_know_approvals_are_asked_and_told() -> None:
    asked = encode_with_approvals([WAITING])
    assert asked == b'data: {"type":"tool-approval-request","approvalId":"wait_1","toolCallId":"c1"}\n\n'
    denied = encode_with_approvals([events.ToolDenied("c1", "pay", "No.")])
    assert denied == b'data: {"type":"tool-output-denied","toolCallId":"c1"}\n\n'


def test_a_pages_own_tool_is_no_approval() -> None:
    assert encode_with_approvals([msgspec.structs.replace(WAITING, kind="client")]) == b""


def test_major_5_knows_neither() -> None:
    assert encode([WAITING]) == b""
    assert b"tool-output-error" in encode([events.ToolDenied("c1", "pay", "No.")])


@pytest.mark.parametrize("name", SCENES)
async def test_without_approvals_the_majors_are_told_the_same(name: str) -> None:
    told = await play(SCENES[name].run())
    assert encode_with_approvals(told) == encode(told)
