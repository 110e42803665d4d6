"""Reading a run again, and stopping it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

import pytest

from fondation.providers.base import AnswerEnd, TextPiece
from fondation.server import reading, runs
from tests.support.chunks import assert_acceptable
from tests.support.lines import parse as parse_lines
from tests.support.scripted import text
from tests.support.served import ANN, Kitchen, OpenProvider, Reply, Served


def route(**keys: str) -> str:
    return ANN.replace(
        "/api/chat: Ann", f"/api/chat: {{agent: Ann, {', '.join(f'{k}: {v}' for k, v in keys.items())}}}"
    )


def slow(released: asyncio.Event) -> OpenProvider:
    return OpenProvider([[[TextPiece("So far")], released.wait, [TextPiece(", so good")], [AnswerEnd("stop")]]])


async def resume(served: Served, id: str = "c1", **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await served.ask("GET", f"/api/chat/{id}/stream", headers=names)


async def stop(served: Served, id: str = "c1", **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await served.ask("POST", f"/api/chat/{id}/stop", headers=names)).json


async def ask(served: Served, id: str = "c1", **headers: str) -> Reply:
    return await served.post({"id": id, "message": "Hi"}, **headers)


async def until_asked(provider: OpenProvider) -> None:
    await asyncio.wait_for(provider.asked.wait(), 2)
    await asyncio.sleep(0.03)


@contextlib.asynccontextmanager
async def cut(served: Served, id: str = "c1") -> Any:
    """A reader whose connection is lost when the block ends."""
    body = b'{"message": "Hi", "id": "%b"}' % id.encode()
    head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    async with served.connect() as connection:
        await connection.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        await connection.read_until(b"So far")
        yield
        connection.vanish()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("chats", ["server", "client"])
async def test_every_reader_gets_the_whole_stream(chats: str, kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider, route(chats=chats))
    first = asyncio.create_task(ask(served))
    await until_asked(provider)
    second = asyncio.create_task(resume(served))
    await asyncio.sleep(0.03)
    released.set()
    posted, resumed = await asyncio.gather(first, second)
    assert posted.body == resumed.body
    assert_acceptable(resumed.chunks)
    for name in ("Content-Type", "x-run-id", "x-session-id", "x-vercel-ai-ui-message-stream"):
        assert resumed.headers[name] == posted.headers[name]


async def test_there_is_nothing_to_resume_where_nothing_runs(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    reply = await resume(served)
    assert (reply.status, reply.body) == (204, b"")


async def test_somebody_elses_run_is_not_there(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider)
    running = asyncio.create_task(ask(served, x_user_id="u1"))
    await until_asked(provider)
    assert (await resume(served, x_user_id="u2")).status == 204
    assert (await resume(served)).status == 204
    assert await stop(served, x_user_id="u2") == {"stopped": False}
    released.set()
    assert (await running).text == "So far, so good"


@pytest.mark.parametrize("chats", ["server", "client"])
async def test_a_run_of_another_route_is_not_there(chats: str, kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider, route(chats=chats) + "  /api/other: Ann\n")
    running = asyncio.create_task(ask(served))
    await until_asked(provider)
    assert (await served.ask("GET", "/api/other/c1/stream")).status == 204
    assert (await served.ask("POST", "/api/other/c1/stop")).json == {"stopped": False}
    released.set()
    assert (await running).text == "So far, so good"
    assert (await served.ask("GET", "/api/other/c1/stream")).status == 204
    assert (await resume(served)).status == 200


async def test_a_run_that_has_ended_is_there_for_a_minute(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    served = await kitchen.serve(OpenProvider([text("ok")]))
    posted = await ask(served)
    assert (await resume(served)).body == posted.body
    monkeypatch.setattr(runs, "REMEMBER_SECONDS", 0.0)
    await asyncio.sleep(0.06)
    assert (await resume(served)).status == 204


async def test_what_ended_runs_hold_is_bounded(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "REMEMBERED_BYTES", 2000)
    served = await kitchen.serve(OpenProvider([text("x" * 900) for _ in range(3)]))
    for id in ("c1", "c2", "c3"):
        await ask(served, id)
    assert [(await resume(served, id)).status for id in ("c1", "c2", "c3")] == [204, 204, 200]


async def test_a_chat_that_was_read_whole_is_not_streamed_again(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    await ask(served)
    assert len((await served.ask("GET", "/api/chats/c1")).json["messages"]) == 2
    assert (await resume(served)).status == 204


async def test_a_page_that_lost_its_connection_is_told_also_after_another_one_read_the_chat(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()
    served = await kitchen.serve(slow(released), route(on_disconnect="continue"))
    async with cut(served):
        pass
    released.set()
    await served.rows()
    assert len((await served.ask("GET", "/api/chats/c1")).json["messages"]) == 2
    assert (await resume(served)).status == 204
    monkeypatch.setattr(reading, "JUST_READ_SECONDS", 0.0)
    assert (await resume(served)).text == "So far, so good"


async def test_how_many_ended_runs_are_remembered_is_bounded(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "REMEMBERED_RUNS", 2)
    served = await kitchen.serve(OpenProvider([text("ok") for _ in range(3)]))
    for id in ("c1", "c2", "c3"):
        await ask(served, id)
    assert [(await resume(served, id)).status for id in ("c1", "c2", "c3")] == [204, 200, 200]


async def test_a_disk_that_loses_a_stream_ends_it_as_broken(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(OpenProvider([text(*["z" * 300_000] * 5)]))
    await ask(served)
    pread = os.pread

    def fail_later(file: int, count: int, offset: int) -> bytes:
        if offset:
            raise OSError(5, "Input/output error")
        return pread(file, count, offset)

    monkeypatch.setattr("fondation.server.frames.os.pread", fail_later)
    told = await served.send("GET /api/chat/c1/stream HTTP/1.1\nHost: localhost\nConnection: close")
    assert told.count(b"HTTP/1.1") == 1
    assert b'\n\ndata: {"type":"error"' in told
    assert told.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert "its stream cannot be read" in caplog.text


async def test_continue_goes_on_without_readers(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider, route(on_disconnect="continue"))
    async with cut(served):
        pass
    released.set()
    assert (await resume(served)).text == "So far, so good"
    assert (await served.rows())[0]["status"] == "done"


async def test_who_left_is_no_error_of_the_server(kitchen: Kitchen, caplog: pytest.LogCaptureFixture) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider, route(on_disconnect="continue"), handler_cancellation=False)
    async with cut(served):
        pass
    released.set()
    assert (await resume(served)).text == "So far, so good"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(("grace", "status"), [("50ms", "aborted"), ("10s", "done")])
async def test_grace_waits_for_a_reader_who_comes_back(grace: str, status: str, kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    served = await kitchen.serve(provider, route(on_disconnect=f"{{grace: {grace}}}"))
    async with cut(served):
        pass
    await asyncio.sleep(0.1)
    released.set()
    assert (await served.rows())[0]["status"] == status


async def test_a_new_message_ends_the_run_that_nobody_reads(kitchen: Kitchen) -> None:
    provider = OpenProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)], text("On.")])
    served = await kitchen.serve(provider, route(on_disconnect="continue"))
    async with cut(served):
        pass
    assert (await ask(served)).text == "On."
    messages = (await served.ask("GET", "/api/chats/c1")).json["messages"]
    assert [message["metadata"].get("status") for message in messages[1::2]] == ["stopped", None]
    assert [row["status"] for row in await served.rows(2)] == ["aborted", "done"]


async def test_a_stop_ends_the_run_for_every_reader_and_keeps_what_there_is(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    served = await kitchen.serve(provider, route(on_disconnect="continue"))
    readers = [asyncio.create_task(ask(served))]
    await until_asked(provider)
    readers.append(asyncio.create_task(resume(served)))
    await asyncio.sleep(0.03)
    assert await stop(served) == {"stopped": True}
    for reply in await asyncio.gather(*readers):
        assert_acceptable(reply.chunks)
        assert reply.text == "So far"
        assert [chunk["type"] for chunk in reply.chunks][-2:] == ["abort", "finish"]
    assert provider.ended.is_set()
    assert (await served.rows())[0]["status"] == "aborted"
    [_, answer] = (await served.ask("GET", "/api/chats/c1")).json["messages"]
    assert (answer["metadata"]["status"], answer["parts"][-1]["text"]) == ("stopped", "So far")
    assert await stop(served) == {"stopped": False}


async def test_a_stopped_json_answer_says_so(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    served = await kitchen.serve(provider)
    answering = asyncio.create_task(ask(served, Accept="application/json"))
    await until_asked(provider)
    await stop(served)
    reply = await answering
    assert (reply.status, reply.json["error"]) == (409, "The answer was stopped")


async def test_a_page_of_major_4_is_served_its_own_stream(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]), route(client="4"))
    posted = await served.post({"id": "c1", "messages": [{"role": "user", "content": "Hi"}]})
    assert posted.headers["X-Vercel-AI-Data-Stream"] == "v1"
    assert ("0", "ok") in parse_lines(posted.body)
    resumed = await served.ask("GET", "/api/chat?chatId=c1")
    assert resumed.body == posted.body


async def test_a_page_of_major_4_that_has_nothing_to_resume_is_told_an_empty_stream(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([]), route(client="4"))
    reply = await served.ask("GET", "/api/chat?chatId=c1")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["X-Vercel-AI-Data-Stream"] == "v1"
    assert (await served.ask("GET", "/api/chat/c1/stream")).status == 204


async def test_a_page_of_major_4_names_the_chat_that_it_resumes(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([]), route(client="4"))
    reply = await served.ask("GET", "/api/chat")
    assert (reply.status, reply.json["error"]) == (400, "Which chat? Send ?chatId=")


async def test_a_long_stream_is_kept_beside_the_database_and_read_whole(kitchen: Kitchen) -> None:
    provider = OpenProvider([[*([TextPiece("x" * 100_000)] for _ in range(15)), [AnswerEnd("stop")]]])
    served = await kitchen.serve(provider)
    posted = await ask(served)
    assert len(posted.text) == 1_500_000
    assert (await resume(served)).body == posted.body
