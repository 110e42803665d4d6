"""Errors as JSON: what is answered where nothing can be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.scripted import ScriptedProvider
from tests.support.served import ANN, Kitchen, Served


async def serve(kitchen: Kitchen, file: str = ANN) -> Served:
    return await kitchen.serve(ScriptedProvider([]), file)


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/chat/", "//api/chat", "/api/../api/chat", "/API/CHAT", "/api/chat%00", "/%ff%0a", "/.env"],
)
async def test_a_path_that_is_no_route_is_told_which_are(path: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    reply = await served.send(f"POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 0\nConnection: close")
    assert b" 404 " in reply
    assert b"/api/chat" in reply
    assert b"application/json" in reply


async def test_a_message_to_the_page_is_told_the_routes(kitchen: Kitchen) -> None:
    reply = await (await serve(kitchen)).post(path="/")
    assert reply.status == 405
    assert reply.json == {"error": "POST is not for /; use GET,HEAD; the routes are: /api/chat"}
    assert (await (await serve(kitchen, ANN + "server: {page: false}\n")).post(path="/")).status == 404


async def test_the_routes_that_take_a_message_are_named_once(kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN + "  /api/four: {agent: Ann, client: 4}\n")
    reply = await served.ask("GET", "/nothing")
    assert reply.json == {"error": "There is nothing at /nothing; the routes are: /api/chat, /api/four"}


async def test_of_many_routes_a_few_are_named(kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN + "".join(f"  /r{number}: Ann\n" for number in range(11)))
    told = (await served.ask("GET", "/nothing")).json["error"]
    assert told.endswith("/r7, /r8, and 2 more")


async def test_where_there_are_no_routes_none_is_named(kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN.partition("routes:")[0])
    assert (await served.ask("GET", "/nothing")).json == {"error": "There is nothing at /nothing"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_told_the_right_one(method: str, kitchen: Kitchen) -> None:
    reply = await (await serve(kitchen)).ask(method, "/api/chat")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    assert reply.json == {"error": f"{method} is not for /api/chat; use POST"}


async def test_the_head_of_a_route_is_no_run_and_has_no_body(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    reply = await served.ask("HEAD", "/api/chat")
    assert (reply.status, reply.body) == (405, b"")
    assert (await served.ask("HEAD", "/healthz")).status == 200


@pytest.mark.parametrize("path", ["/api/chat/c1/stream", "/api/chats/c1", "/api/four?chatId=c1"])
async def test_the_head_of_a_stream_or_a_chat_is_told_the_right_method(path: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN + "  /api/four: {agent: Ann, client: 4}\n")
    reply = await served.ask("HEAD", path)
    assert (reply.status, reply.body) == (405, b"")
    assert "GET" in reply.headers["Allow"]


async def test_an_error_after_the_first_byte_breaks_the_answer_off(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("fondation.server.reading._tell", fail)
    served = await serve(kitchen)
    async with served.connect() as connection:
        await connection.post()
        told = await connection.read_all()
    assert told.count(b"HTTP/1.1") == 1
    assert b"hunter2" not in told
    assert "the answer broke off" in caplog.text


async def test_an_unexpected_error_says_nothing_of_itself_and_goes_to_the_log(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("fondation.server.turns.choose_agent", fail)
    reply = await (await serve(kitchen)).post()
    assert (reply.status, reply.json) == (500, {"error": "Internal server error"})
    assert "hunter2" in caplog.text
    assert "POST /api/chat" in caplog.text


async def test_a_path_cannot_write_a_line_of_the_log(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr("fondation.server.doors.Doors.check", fail)
    served = await serve(kitchen)
    assert b" 500 " in await served.send("GET /x%0aINFO%20fine HTTP/1.1\nHost: localhost\nConnection: close")
    assert caplog.records[0].getMessage() == "Chat error: GET /x%0aINFO%20fine"


async def test_healthz_counts_the_runs_under_way(kitchen: Kitchen) -> None:
    reply = await (await serve(kitchen)).ask("GET", "/healthz")
    assert (reply.status, reply.json) == (200, {"status": "ok", "runs": 0})
