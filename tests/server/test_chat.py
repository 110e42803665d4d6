"""A POST to a route: streamed or as one answer, recorded and logged."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from fondation.calls import TokenUsage
from fondation.errors import AuthenticationFailed, BadAnswer, ProviderTimeout, RateLimited
from fondation.providers.base import AnswerEnd, TextPiece
from tests.support.chunks import assert_acceptable
from tests.support.scripted import ScriptedProvider, calls, handoff, text
from tests.support.served import ANN, Kitchen, OpenProvider

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
tools:
  slow: desk_tools:slow
  whoami: desk_tools:whoami
agents:
  Triage: {model: main, instructions: Route., route_only: true, handoffs: [Billing]}
  Billing: {model: main, description: Money., instructions: Bill., tools: [whoami, slow]}
routes:
  /api/chat: Triage
  /api/billing: {agent: Billing, context: {tier: {}}}
"""
TOOLS = '''
import time
from fondation import RunContext

def whoami(context: RunContext) -> dict:
    """Who asks?"""
    context.emit("progress", {"at": "tool"})
    return {"user": context.user_id, "session": context.session_id, "chat": context.chat_id,
            "run": context.run_id, "agent": context.agent, "tier": context.context["tier"]}

def slow() -> str:
    """Takes its time."""
    time.sleep(0.2)
    return "done"
'''


@pytest.fixture(autouse=True)
def tools(tmp_path: Any) -> None:
    (tmp_path / "desk_tools.py").write_text(TOOLS)


async def test_an_answer_streams_with_the_headers_of_a_ui_message_stream(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("Hel", "lo")]))
    reply = await served.post()
    assert (reply.status, reply.text) == (200, "Hello")
    assert_acceptable(reply.chunks)
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert reply.headers["Cache-Control"] == "no-cache"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert reply.headers["Connection"] == "keep-alive"
    assert reply.headers["x-run-id"].startswith("run_")


async def test_the_page_shows_life_before_the_provider_answers(kitchen: Kitchen) -> None:
    provider = OpenProvider([[lambda: asyncio.sleep(60)]])
    served = await kitchen.serve(provider)
    async with served.connect() as connection:
        await connection.post()
        opening = await connection.read_until(b'"transient":true}')
        assert b'"type":"start"' in opening
        assert b"data-agent-status" in opening


async def test_triage_hands_off_in_one_message_and_two_calls(kitchen: Kitchen) -> None:
    script = [handoff("Billing", before="You are being transferred.", reason="an invoice"), text("Paid.")]
    served = await kitchen.serve(ScriptedProvider(script), DESK)
    reply = await served.post()
    assert_acceptable(reply.chunks)
    assert reply.text == "Paid."
    assert [chunk["type"] for chunk in reply.chunks].count("start") == 1
    assert reply.chunks[-1]["messageMetadata"]["handoffChain"] == ["Triage", "Billing"]
    rows = await served.rows(2)
    assert [row["agent_name"] for row in rows] == ["Triage", "Billing"]
    assert [row["cost"] for row in rows] == [0.25, 0.25]


async def test_a_tool_is_told_who_asks_and_speaks_to_the_page(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([calls(("c1", "whoami", {})), text("ok")]), DESK)
    body = {"message": "Hi", "id": "chat1", "context": {"tier": "gold"}}
    reply = await served.post(body, "/api/billing", x_user_id="u1", x_session_id="s1")
    chunks = {chunk["type"]: chunk for chunk in reply.chunks}
    assert chunks["tool-output-available"]["output"] == {
        "user": "u1",
        "session": "s1",
        "chat": "chat1",
        "run": reply.headers["x-run-id"],
        "agent": "Billing",
        "tier": "gold",
    }
    assert chunks["data-progress"]["data"] == {"at": "tool"}


async def test_a_tool_that_blocks_holds_nobody_up(kitchen: Kitchen) -> None:
    script = [calls(("c1", "slow", {})), text("one"), text("two")]
    served = await kitchen.serve(ScriptedProvider(script), DESK)
    slow = asyncio.create_task(served.post(path="/api/billing"))
    await asyncio.sleep(0.05)
    quick = await served.post(path="/api/billing")
    assert not slow.done()
    assert {quick.text, (await slow).text} == {"one", "two"}


async def test_one_engine_answers_as_json_too(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([handoff("Billing"), text("Paid.")]), DESK)
    reply = await served.post({"message": "Hi", "id": "c1"}, Accept="application/json", x_session_id="s1")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert (reply.json["id"], reply.json["text"], reply.json["agent"]) == ("c1", "Paid.", "Billing")
    assert reply.json["runId"] == reply.headers["x-run-id"]
    assert reply.headers["x-session-id"] == "s1"
    assert [row["method"] for row in await served.rows(2)] == ["generate", "generate"]


async def test_a_failure_before_the_first_token_is_a_plain_sentence_in_the_stream(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(ScriptedProvider([[AuthenticationFailed("401: key sk-or-v1-abc")]]), DESK)
    reply = await served.post(path="/api/billing")
    assert reply.status == 200
    assert_acceptable(reply.chunks)
    errors = [chunk["errorText"] for chunk in reply.chunks if chunk["type"] == "error"]
    assert errors == [f"The model provider rejected the server's API key. (run {reply.headers['x-run-id']})"]
    assert b"sk-or-v1" not in reply.body
    assert "401: key" in caplog.text
    [row] = await served.rows()
    assert (row["status"], row["cost_source"], row["error_type"]) == ("refused", "none", "authentication")


async def test_a_failure_after_the_first_token_keeps_the_text_and_closes_its_part(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([[[TextPiece("So far")], BadAnswer("cut")]]), DESK)
    reply = await served.post(path="/api/billing")
    assert_acceptable(reply.chunks)
    assert reply.text == "So far"
    kinds = [chunk["type"] for chunk in reply.chunks]
    assert kinds[-5:] == ["text-end", "finish-step", "message-metadata", "error", "finish"]


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (AuthenticationFailed("secret"), 502, None),
        (RateLimited("secret", retry_after=7), 503, "7"),
        (ProviderTimeout("secret"), 504, None),
        (RuntimeError("secret"), 500, None),
    ],
)
async def test_a_failure_of_a_json_answer_has_its_status(
    error: Exception, status: int, retry_after: str | None, kitchen: Kitchen
) -> None:
    served = await kitchen.serve(ScriptedProvider([[error]]), DESK)
    reply = await served.post(path="/api/billing", Accept="application/json")
    assert (reply.status, reply.headers.get("Retry-After")) == (status, retry_after)
    assert reply.json["runId"] == reply.headers["x-run-id"]
    assert b"secret" not in reply.body


async def test_two_runs_at_once_keep_apart(kitchen: Kitchen) -> None:
    class Echo(ScriptedProvider):
        async def stream(self, request: Any, call: Any) -> Any:
            said = request.messages[-1].text
            for letter in said:
                yield [TextPiece(letter)]
                await asyncio.sleep(0.001)
            call.usage = TokenUsage(1, len(said))
            yield [AnswerEnd("stop")]

    served = await kitchen.serve(Echo([]))
    said = [letter * 20 for letter in "abcdef"]
    replies = await asyncio.gather(*[served.post({"message": one, "id": one}) for one in said])
    assert [reply.text for reply in replies] == said
    assert len({reply.headers["x-run-id"] for reply in replies}) == 6
    assert {row["chat_id"] for row in await served.rows(6)} == set(said)


async def test_a_run_is_one_readable_line_of_the_log(kitchen: Kitchen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    served = await kitchen.serve(ScriptedProvider([handoff("Billing"), text("Paid.")]), DESK)
    reply = await served.post({"message": "secret words"}, x_user_id="u1", x_session_id="s1")
    [line] = [record.getMessage() for record in caplog.records if record.name == "fondation.runs"]
    run_id = reply.headers["x-run-id"]
    assert line.startswith("/api/chat Triage > Billing: finished, 2 calls, 30 tokens, $0.500000, 0.")
    assert line.endswith(f"({run_id}, session s1, user u1)")
    assert "secret words" not in line


@pytest.mark.parametrize(
    ("script", "usage", "said"),
    [
        ([[AuthenticationFailed("x")]], None, "failed (authentication), 1 call, 0."),
        ([text("x")], None, "finished, 1 call, tokens and cost unknown, 0."),
        ([text("x")], TokenUsage(3, 4), "finished, 1 call, 7 tokens, cost unknown, 0."),
    ],
)
async def test_the_line_says_how_the_run_ended_and_what_is_known(
    script: Any, usage: Any, said: str, kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    served = await kitchen.serve(ScriptedProvider(script, usage=usage))
    await served.post()
    assert said in caplog.text


async def test_a_refused_request_is_no_run_in_the_log(kitchen: Kitchen, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "fondation")
    served = await kitchen.serve(ScriptedProvider([]), ANN + "limits: {max_concurrent_runs: 1}\n")
    await served.post({})
    assert caplog.text == ""


async def test_a_stream_whose_telling_breaks_still_ends_properly(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation")
    provider = OpenProvider([text("fine \ud800", "never sent")])
    served = await kitchen.serve(provider)
    reply = await served.post()
    kinds = [chunk["type"] for chunk in reply.chunks]
    assert kinds[0] == "start"
    assert kinds[-2:] == ["error", "finish"]
    assert reply.headers["x-run-id"] in reply.chunks[-2]["errorText"]
    assert provider.ended.is_set()
    assert "the stream broke" in caplog.text
    assert "failed (internal)" in caplog.text
    assert (await served.rows())[0]["status"] == "aborted"


async def test_a_json_answer_whose_telling_breaks_is_an_internal_error(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(ScriptedProvider([text("\ud800")]))
    reply = await served.post(Accept="application/json")
    assert (reply.status, reply.json) == (500, {"error": "Internal server error"})
    assert "UnicodeEncodeError" in caplog.text
