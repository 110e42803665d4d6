"""The harness against crafted streams: what it reports of good ones, and that it can fail."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from . import harness
from .harness import CLIENTS, After, Client, ClientsUnavailable, Outcome, Scenario, Turn
from .loopback import Loopback

pytestmark = pytest.mark.clients

STRICT = ("ai-5.0.71", "ai-6.0.230")
"""The clients that refuse a field they do not know."""

BILLING = {"agent": "BillingSupport", "agentName": "BillingSupport"}
EXAMPLE: list[dict[str, Any]] = [
    {"type": "start", "messageId": "msg_1", "messageMetadata": {"agent": "Triage", "runId": "run_1"}},
    {"type": "data-agent-status", "data": {"status": "routing", "agent": "Triage"}, "transient": True},
    {"type": "start-step"},
    {"type": "finish-step"},
    {"type": "data-agent-handoff", "data": {"from": "Triage", "to": "BillingSupport"}, "transient": True},
    {"type": "data-agent-status", "data": {"status": "executing", **BILLING}, "transient": True},
    {"type": "start-step"},
    {"type": "tool-input-start", "toolCallId": "call_1", "toolName": "check_invoice"},
    {"type": "tool-input-delta", "toolCallId": "call_1", "inputTextDelta": '{"invoiceId":"INV-42"}'},
    {
        "type": "tool-input-available",
        "toolCallId": "call_1",
        "toolName": "check_invoice",
        "input": {"invoiceId": "INV-42"},
    },
    {"type": "tool-output-available", "toolCallId": "call_1", "output": {"status": "Paid", "amount": 99.99}},
    {"type": "finish-step"},
    {"type": "start-step"},
    {"type": "text-start", "id": "t1"},
    {"type": "text-delta", "id": "t1", "delta": "Yes, INV-42 is paid"},
    {"type": "text-delta", "id": "t1", "delta": " (99.99)."},
    {"type": "text-end", "id": "t1"},
    {"type": "finish-step"},
    {"type": "finish", "messageMetadata": {**BILLING, "usage": {"totalTokens": 873}, "finishReason": "stop"}},
]
SAME_STEP = [chunk for chunk in EXAMPLE if chunk["type"] not in ("start-step", "finish-step")]
"""The answer in the step of its tool: the trap that makes clients post without end."""


def stream(chunks: list[dict[str, Any]]) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


class Replay:
    """A route that answers every post with one crafted body."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        self.body = ""
        self.status = 200
        self.content_type = "text/event-stream"
        self.stays_open = False
        """Whether the connection lives on, silent, behind the body."""
        self.left_early = threading.Event()
        """Set when a client closes a connection that was still open."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=self.status, headers={"content-type": self.content_type})
        await response.prepare(request)
        await response.write(self.body.encode())
        if self.stays_open:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.left_early.set()
                raise
        return response


@pytest.fixture(scope="module")
def replay_server() -> Iterator[Replay]:
    """One for all tests: a client that stopped may connect anew at once, into a server that is closing."""
    replay = Replay()
    app = web.Application()
    app.router.add_post("/", replay.answer)
    with Loopback(app) as server:
        replay.url = server.url
        yield replay


@pytest.fixture
def replay(replay_server: Replay) -> Replay:
    replay_server.reset()
    return replay_server


def ask(client: Client, replay: Replay, **options: Any) -> Outcome:
    return client.drive(replay.url, Scenario(turns=[Turn(send="Is INV-42 paid?")], **options))


def test_a_correct_stream_becomes_one_message(client: Client, replay: Replay) -> None:
    replay.body = stream(EXAMPLE)
    outcome = ask(client, replay, send_automatically=True)
    assert (outcome.status, outcome.error, outcome.problems) == ("ready", None, [])
    assert (outcome.posts, outcome.looped, outcome.timed_out) == (1, False, False)
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    assert outcome.last.id == "msg_1"
    assert outcome.last.text == "Yes, INV-42 is paid (99.99)."
    assert outcome.last.parts_of("tool-check_invoice")[0]["output"]["status"] == "Paid"
    assert outcome.last.metadata == {
        "runId": "run_1",
        **BILLING,
        "usage": {"totalTokens": 873},
        "finishReason": "stop",
    }
    assert [status["status"] for status in outcome.data_of("data-agent-status")] == ["routing", "executing"]
    assert not outcome.last.parts_of("data-agent-status")
    assert not outcome.finishes[0].is_error


def test_the_wire_is_recorded_beside_the_client(client: Client, replay: Replay) -> None:
    replay.body = stream(EXAMPLE)
    [exchange] = ask(
        client, replay, id="chat-1", headers={"x-user-id": "u1"}, extra={"context": {"plan": "pro"}}
    ).exchanges
    assert exchange.raw == replay.body
    assert [received.chunk for received in exchange.chunks] == EXAMPLE
    assert (exchange.status, exchange.done, exchange.broken) == (200, True, None)
    assert exchange.response_headers["content-type"] == "text/event-stream"
    assert exchange.headers["x-user-id"] == "u1"
    assert exchange.body is not None
    assert (exchange.body["id"], exchange.body["trigger"]) == ("chat-1", "submit-message")
    assert exchange.body["context"] == {"plan": "pro"}
    assert [message["role"] for message in exchange.body["messages"]] == ["user"]


def test_a_field_that_strict_clients_do_not_know_is_reported(client: Client, replay: Replay) -> None:
    replay.body = stream([{**chunk, "title": "Invoice"} if chunk["type"] == "text-end" else chunk for chunk in EXAMPLE])
    outcome = ask(client, replay)
    assert len(outcome.problems) == (1 if client.name in STRICT else 0)
    assert outcome.status == ("error" if client.name in STRICT else "ready")


def test_a_chunk_type_that_no_client_knows_is_reported(client: Client, replay: Replay) -> None:
    replay.body = stream([EXAMPLE[0], {"type": "agent-status", "status": "routing"}, *EXAMPLE[1:]])
    outcome = ask(client, replay)
    assert len(outcome.problems) == 1
    assert outcome.status == "error"


def test_null_for_an_optional_field_is_reported(client: Client, replay: Replay) -> None:
    replay.body = stream([EXAMPLE[0], {**EXAMPLE[1], "id": None}, *EXAMPLE[2:]])
    assert len(ask(client, replay).problems) == 1


def test_chunks_behind_a_refused_one_are_judged_too(client: Client, replay: Replay) -> None:
    replay.body = stream([{"type": "first"}, *EXAMPLE, {"type": "second"}])
    assert len(ask(client, replay).problems) == 2


def test_an_event_that_is_no_json_is_reported(client: Client, replay: Replay) -> None:
    replay.body = stream(EXAMPLE[:1]) + "data: {'type':\n\n"
    outcome = ask(client, replay)
    assert len(outcome.problems) == 1
    assert not outcome.exchanges[0].done


def test_an_answer_in_the_step_of_its_tool_is_posted_again_and_again(client: Client, replay: Replay) -> None:
    replay.body = stream(SAME_STEP)
    outcome = ask(client, replay, send_automatically=True, max_posts=3)
    assert (outcome.posts, outcome.looped) == (3, True)
    assert ask(client, replay).posts == 1


def test_a_refusal_before_the_stream_is_the_chats_error(client: Client, replay: Replay) -> None:
    replay.status, replay.content_type, replay.body = (
        400,
        "application/json",
        '{"error": "No message provided"}',
    )
    outcome = ask(client, replay)
    assert outcome.status == "error"
    assert outcome.error is not None
    assert "No message provided" in outcome.error
    assert outcome.exchanges[0].status == 400
    assert outcome.finishes[0].is_error
    assert outcome.exchanges[0].chunks == []


def test_stop_closes_the_connection_and_keeps_the_text(client: Client, replay: Replay) -> None:
    replay.body, replay.stays_open = stream(EXAMPLE[:15]).removesuffix("data: [DONE]\n\n"), True
    outcome = client.drive(replay.url, Scenario(turns=[Turn(send="Hi", stop_after=After(texts=1))]))
    assert outcome.stopped_at is not None
    assert (outcome.status, outcome.timed_out, outcome.finishes[0].is_abort) == ("ready", False, True)
    assert outcome.last.text == "Yes, INV-42 is paid"
    assert outcome.exchanges[0].broken is not None
    assert replay.left_early.wait(1)


def test_a_server_that_never_ends_is_cut_at_the_limit(client: Client, replay: Replay) -> None:
    replay.body, replay.stays_open = stream(EXAMPLE[:3]).removesuffix("data: [DONE]\n\n"), True
    assert ask(client, replay, limit=0.3).timed_out
    replay.body, replay.stays_open = stream(EXAMPLE), False
    assert not ask(client, replay).timed_out


def test_turns_follow_each_other_and_a_regenerated_answer_replaces_the_last(client: Client, replay: Replay) -> None:
    replay.body = stream(EXAMPLE)
    outcome = client.drive(replay.url, Scenario(turns=[Turn(send="one"), Turn(regenerate=True)]))
    assert [message.role for message in outcome.messages] == ["user", "assistant"]
    bodies = [exchange.body or {} for exchange in outcome.exchanges]
    assert [body["trigger"] for body in bodies] == ["submit-message", "regenerate-message"]
    assert [len(body["messages"]) for body in bodies] == [1, 1]


def test_the_body_may_hold_the_last_message_only(client: Client, replay: Replay) -> None:
    replay.body = stream(EXAMPLE)
    earlier = {"id": "u0", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}
    [exchange] = ask(client, replay, id="chat-1", body="message", messages=[earlier]).exchanges
    assert exchange.body is not None
    assert set(exchange.body) == {"id", "message"}
    assert exchange.body["message"]["parts"] == [{"type": "text", "text": "Is INV-42 paid?"}]


def test_a_dead_node_process_is_named_and_replaced(all_clients: dict[str, Client], replay: Replay) -> None:
    replay.body = stream(EXAMPLE)
    with contextlib.closing(Client("no-such-client", all_clients[CLIENTS[0]].node)) as client:
        with pytest.raises(RuntimeError, match="no-such-client died or hung"):
            ask(client, replay)
        client.name = CLIENTS[0]
        assert ask(client, replay).status == "ready"


def test_without_npm_the_clients_are_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientsUnavailable, match="install node with npm"):
        harness.install()


def test_an_installation_of_another_lock_file_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "npm").write_text("#!/bin/sh\necho installed once more >> log\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for lock in ("{}", "{}", '{"lockfileVersion": 3}'):
        (tmp_path / "package-lock.json").write_text(lock)
        harness.install()
    assert (tmp_path / "log").read_text().count("\n") == 2


def test_an_old_node_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho v20.1.0\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setattr(harness, "FOLDER", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientsUnavailable, match=r"node v20\.1\.0 is too old: install node 22 or newer"):
        harness.find_node()


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [("CI", "true", True), ("FONDATION_REQUIRE_CLIENTS", "1", True), ("CI", "", False)],
)
def test_ci_requires_the_clients(variable: str, value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("FONDATION_REQUIRE_CLIENTS", raising=False)
    monkeypatch.setenv(variable, value)
    assert harness.required() is expected
