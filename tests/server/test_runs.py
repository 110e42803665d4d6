"""Runs under way: how many, what a client that leaves means for its own, and how they end when the server does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from fondation.messages import ToolCall
from fondation.providers.base import AnswerEnd, ArgumentsPiece, TextPiece, ToolCallPiece
from fondation.server import runs
from fondation.server.live import LiveRun
from fondation.server.streams import EventStream
from fondation.stores.chats import ChatKey
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.chunks import assert_acceptable
from tests.support.scripted import Answer, text
from tests.support.served import ANN, Connection, Kitchen, OpenProvider, Served

SECONDS = 2.0
"""How long anything may take that should happen at once."""

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main}
tools:
  wait: desk_tools:wait
agents:
  Ann: {model: main, instructions: You are Ann., tools: [wait]}
routes:
  /api/chat: Ann
"""
TOOLS = '''
import asyncio
ended = asyncio.Event()

async def wait() -> None:
    """Waits."""
    try:
        await asyncio.sleep(60)
    finally:
        ended.set()
'''


async def hang() -> None:
    await asyncio.sleep(60)


def tool_call() -> Answer:
    call = ToolCall("c1", "wait", "{}")
    return [[ToolCallPiece("c1", "wait"), ArgumentsPiece("c1", "{}")], [AnswerEnd("tool-calls", (call,))]]


class BeforeHeaders(OpenProvider):
    """A provider whose server accepts nothing."""

    async def stream(self, request: Any, call: Any) -> Any:
        self.asked.set()
        try:
            await hang()
            yield []
        finally:
            self.ended.set()


LEAVES: dict[str, tuple[OpenProvider, bytes]] = {
    "while it streams": (OpenProvider([[[TextPiece("So far")], hang]]), b"So far"),
    "while the model is silent": (OpenProvider([[hang]]), b'"transient":true}'),
    "before the upstream's headers": (BeforeHeaders(), b'"transient":true}'),
    "during a tool": (OpenProvider([tool_call()]), b"tool-input-available"),
}


def fresh(provider: OpenProvider) -> OpenProvider:
    return type(provider)([[*answer] for answer in provider.script])


@pytest.mark.parametrize("handler_cancellation", [True, False], ids=["cancelled by aiohttp", "found by the watch"])
@pytest.mark.parametrize("moment", LEAVES)
async def test_a_client_that_leaves_ends_its_model_call_at_once(
    moment: str,
    handler_cancellation: bool,
    kitchen: Kitchen,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    model, shown = LEAVES[moment]
    provider = fresh(model)
    (kitchen.folder / "desk_tools.py").write_text(TOOLS)
    served = await kitchen.serve(provider, DESK, handler_cancellation=handler_cancellation)
    async with served.connect() as connection:
        await connection.post()
        await connection.read_until(shown)
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
        connection.vanish()
    await asyncio.wait_for(provider.ended.wait(), SECONDS)
    if moment == "during a tool":
        import desk_tools  # type: ignore[import-not-found]

        await asyncio.wait_for(desk_tools.ended.wait(), SECONDS)
    await until_idle(served)
    [row] = await served.rows()
    assert row["status"] == ("done" if moment == "during a tool" else "aborted")
    assert "ended: the client left, 1 call" in caplog.text


@pytest.mark.parametrize("handler_cancellation", [True, False], ids=["cancelled by aiohttp", "found by the watch"])
async def test_a_client_that_leaves_before_its_json_answer_ends_the_run_too(
    handler_cancellation: bool, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    provider = OpenProvider([[[TextPiece("So far")], hang]])
    served = await kitchen.serve(provider, handler_cancellation=handler_cancellation)
    async with served.connect() as connection:
        await connection.post(accept="application/json")
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
        connection.vanish()
    await asyncio.wait_for(provider.ended.wait(), SECONDS)
    assert (await served.rows())[0]["status"] == "aborted"


async def test_a_client_that_closes_politely_leaves_too(kitchen: Kitchen) -> None:
    provider = OpenProvider([[hang]])
    served = await kitchen.serve(provider)
    async with served.connect() as connection:
        await connection.post()
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
    await asyncio.wait_for(provider.ended.wait(), SECONDS)


async def test_a_run_whose_client_left_is_cancelled_once_and_may_clean_up(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider waits for the headers of a call that it abandons: they name what is billed."""
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.01)
    cleaned = asyncio.Event()

    class Careful(OpenProvider):
        async def stream(self, request: Any, call: Any) -> Any:
            self.asked.set()
            try:
                await hang()
                yield []
            finally:
                await asyncio.sleep(0.1)
                call.generation_id = "gen-late"
                cleaned.set()

    provider = Careful()
    served = await kitchen.serve(provider)
    async with served.connect() as connection:
        await connection.post()
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
        connection.vanish()
    await asyncio.wait_for(cleaned.wait(), SECONDS)
    [row] = await served.rows()
    assert (row["status"], row["generation_id"]) == ("aborted", "gen-late")


async def test_more_runs_than_allowed_are_asked_to_come_back(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    provider = OpenProvider([[hang], text("ok")])
    served = await kitchen.serve(provider, ANN + "limits: {max_concurrent_runs: 1}\n")
    async with served.connect() as connection:
        await connection.post()
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
        reply = await served.post()
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.json == {"error": "The server has too many runs under way"}
        assert (await served.ask("GET", "/healthz")).json["runs"] == 1
        assert "the client left" not in caplog.text
    await until_idle(served)
    assert (await served.post()).text == "ok"


async def test_a_route_may_take_fewer_runs_than_the_server(kitchen: Kitchen) -> None:
    provider = OpenProvider([[hang], text("ok")])
    routes = "  /api/few: {agent: Ann, limits: {max_concurrent_runs: 1}}\n"
    served = await kitchen.serve(provider, ANN + routes)
    async with served.connect() as connection:
        await connection.post(path="/api/few")
        await asyncio.wait_for(provider.asked.wait(), SECONDS)
        assert (await served.post(path="/api/few")).status == 503
        assert (await served.post()).text == "ok"


async def test_a_refused_run_leaves_no_timer_behind(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([]), ANN + "limits: {max_concurrent_runs: 1}\n")
    await served.services.runs.drain(0)
    before = _timers()
    for _ in range(5):
        assert (await served.post()).status == 503
    assert _timers() <= before + 1


def _timers() -> int:
    """How many run limits of 300 seconds are waited for."""
    loop: Any = asyncio.get_running_loop()
    return sum(timer.when() - loop.time() > 200 and not timer.cancelled() for timer in loop._scheduled)


async def test_a_server_that_goes_down_lets_runs_finish_and_takes_no_new_ones(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    served = await kitchen.serve(
        OpenProvider([[[TextPiece("So far")], released.wait, [TextPiece(", so good")], end()]])
    )
    running = asyncio.create_task(served.post())
    await under_way(served)
    draining = asyncio.create_task(served.services.runs.drain(SECONDS))
    await asyncio.sleep(0)
    refused = await served.post()
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json == {"error": "The server is going down"}
    released.set()
    await asyncio.wait_for(draining, SECONDS)
    assert (await running).text == "So far, so good"


async def test_what_has_not_finished_in_time_ends_as_aborted(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    provider = OpenProvider([[[TextPiece("So far")], hang], [hang]])
    served = await kitchen.serve(provider)
    streaming = asyncio.create_task(served.post())
    await under_way(served)
    answering = asyncio.create_task(served.post(Accept="application/json"))
    await under_way(served, 2)
    await asyncio.wait_for(served.services.runs.drain(0.05), SECONDS)
    stream, answer = await asyncio.gather(streaming, answering)
    assert_acceptable(stream.chunks)
    assert stream.text == "So far"
    assert [chunk["type"] for chunk in stream.chunks][-2:] == ["abort", "finish"]
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert {row["status"] for row in await served.rows(2)} == {"aborted"}
    assert caplog.text.count(": aborted, 1 call") == 2


async def test_a_client_that_reads_nothing_cannot_hold_a_run_past_its_limit(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation.runs")
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(runs, "LAST_WORDS_SECONDS", 0.05)
    provider = OpenProvider([[[TextPiece("x" * 1_000_000)] for _ in range(100)]])
    served = await kitchen.serve(provider, ANN + "limits: {run_timeout: 100ms}\n")
    async with served.connect() as connection:
        await connection.post()
        await asyncio.wait_for(provider.ended.wait(), SECONDS)
        await until_idle(served)
    (row,) = await served.rows()
    assert (row["status"], row["error_type"]) == ("aborted", "run_timeout")
    assert "failed (run_timeout)" in caplog.text


async def test_what_a_client_never_reads_does_not_hold_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "STALLED_SECONDS", -1.0)
    transport = mock.Mock(**{"is_closing.return_value": False})
    task = asyncio.create_task(hang())
    await runs.Visit(None, mock.Mock(transport=transport), task, EventStream({}, b"")).look_after()
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert task.cancelled()
    transport.abort.assert_called_once_with()


def end() -> list[Any]:
    return [AnswerEnd("stop")]


async def under_way(served: Served, count: int = 1) -> None:
    await _until(lambda: len(served.services.runs) >= count)
    await asyncio.sleep(0.02)


async def until_idle(served: Served) -> None:
    await _until(lambda: not len(served.services.runs))


async def _until(reached: Callable[[], bool]) -> None:
    for _ in range(int(SECONDS / 0.005)):
        if reached():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_client_that_leaves_while_its_turn_is_written_leaves_an_answer_that_ends(
    accept: str, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, released = asyncio.Event(), asyncio.Event()
    begin = SqliteChatStore.begin

    async def slow(self: SqliteChatStore, *args: Any, **more: Any) -> bool:
        has_begun = await begin(self, *args, **more)
        written.set()
        await released.wait()
        return has_begun

    monkeypatch.setattr(SqliteChatStore, "begin", slow)
    served = await kitchen.serve(OpenProvider([[hang]]))
    asking = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}, Accept=accept))
    await asyncio.wait_for(written.wait(), SECONDS)
    asking.cancel()
    await asyncio.sleep(0.05)  # the server finds the client gone
    released.set()
    await _until(lambda: _c1(served) is not None)
    await until_idle(served)
    [_, answer] = (await served.ask("GET", "/api/chats/c1")).json["messages"]
    assert answer["metadata"]["status"] == "stopped"


async def test_a_client_that_leaves_while_its_turn_is_written_finds_an_answer_that_goes_on(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, released = asyncio.Event(), asyncio.Event()
    begin = SqliteChatStore.begin

    async def slow(self: SqliteChatStore, *args: Any, **more: Any) -> bool:
        written.set()
        await released.wait()
        return await begin(self, *args, **more)

    monkeypatch.setattr(SqliteChatStore, "begin", slow)
    route = "/api/chat: {agent: Ann, on_disconnect: continue}"
    served = await kitchen.serve(OpenProvider([text("All of it.")]), ANN.replace("/api/chat: Ann", route))
    asking = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}))
    await asyncio.wait_for(written.wait(), SECONDS)
    asking.cancel()
    await asyncio.sleep(0.05)  # the server finds the client gone
    released.set()
    await _until(lambda: _c1(served) is not None)
    assert (await served.ask("GET", "/api/chat/c1/stream")).text == "All of it."


async def test_a_request_that_fails_after_its_client_left_is_not_complained_of(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reached, released = asyncio.Event(), asyncio.Event()

    async def refuse(*_: Any, **more: Any) -> bool:
        reached.set()
        await released.wait()
        return False

    monkeypatch.setattr(SqliteChatStore, "begin", refuse)
    served = await kitchen.serve(OpenProvider([]))
    asking = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}))
    await asyncio.wait_for(reached.wait(), SECONDS)
    asking.cancel()
    await asyncio.sleep(0.05)  # the server finds the client gone
    released.set()
    assert (await served.ask("GET", "/healthz")).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


CLIENTS_CHAT = ANN.replace("/api/chat: Ann", "/api/chat: {agent: Ann, chats: client, on_disconnect: continue}")


async def test_a_client_that_keeps_its_chat_leaves_no_runs_behind(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([[[TextPiece("x")], hang] for _ in range(4)]), CLIENTS_CHAT)
    for _ in range(4):
        async with served.connect() as connection:
            await ask_for_c1(connection)
            connection.vanish()
    await _until(lambda: len(served.services.runs) == 1)
    assert (await served.ask("POST", "/api/chat/c1/stop")).json == {"stopped": True}
    await until_idle(served)


async def test_a_run_that_is_read_ends_with_its_reader_once_its_chat_has_another(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([[[TextPiece("x")], hang] for _ in range(2)]), CLIENTS_CHAT)
    async with served.connect() as first, served.connect() as second:
        await ask_for_c1(first)
        await ask_for_c1(second)
        assert len(served.services.runs) == 2
        first.vanish()
        await _until(lambda: len(served.services.runs) == 1)
        second.vanish()
        await asyncio.sleep(0.05)
        assert len(served.services.runs) == 1
    await served.ask("POST", "/api/chat/c1/stop")


def _c1(served: Served) -> LiveRun | None:
    return served.services.runs.find(ChatKey("session:c1", "c1"))


async def ask_for_c1(connection: Connection) -> None:
    head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n"
    await connection.write(head + b'{"id": "c1","message":"Hi"}')
    await connection.read_until(b"text-delta")
