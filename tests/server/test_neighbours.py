"""Servers that share a database: what is asked of the one about a run of the other."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fondation.calls import ModelCall
from fondation.errors import ChatStoreError
from fondation.providers.base import AnswerEnd, ModelRequest, Pieces, TextPiece
from fondation.server import floor, neighbours, runs
from fondation.server.sockets import new_socket
from fondation.stores import open_chats
from fondation.stores.chats import ChatKey, StoredMessage
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.chunks import assert_acceptable
from tests.support.lines import parse as parse_lines
from tests.support.scripted import text
from tests.support.served import ANN, Kitchen, OpenProvider, Reply, Served

KEY = ChatKey("session:c1", "c1")


def routes(**keys: str) -> str:
    """Ann's route with these keys, and a second one."""
    config = ", ".join(f"{name}: {value}" for name, value in keys.items())
    return ANN.replace("/api/chat: Ann", f"/api/chat: {{agent: Ann, {config}}}\n  /api/other: Ann")


def slow(released: asyncio.Event) -> OpenProvider:
    return OpenProvider([[[TextPiece("So far")], released.wait, [TextPiece(", so good")], [AnswerEnd("stop")]]])


@pytest.fixture(autouse=True)
def soon_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ANNOUNCE_SECONDS", 0.0)


@contextlib.asynccontextmanager
async def asking(served: Served, provider: OpenProvider, **headers: str) -> AsyncIterator[asyncio.Task[Reply]]:
    """A post whose answer is under way, and told of."""
    posting = asyncio.create_task(ask(served, **headers))
    await asyncio.wait_for(provider.asked.wait(), 2)
    await until_under_way(served, 1)
    await asyncio.sleep(0.03)
    try:
        yield posting
    finally:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)


async def ask(served: Served, message: str = "Hi", **headers: str) -> Reply:
    return await served.post({"id": "c1", "message": message}, **headers)


async def resume(served: Served, path: str = "/api/chat", **headers: str) -> Reply:
    return await served.ask("GET", f"{path}/c1/stream", headers=named(headers))


async def stop(served: Served, path: str = "/api/chat", **headers: str) -> Any:
    return (await served.ask("POST", f"{path}/c1/stop", headers=named(headers))).json


def socket_of(served: Served) -> Path:
    assert served.services.address is not None
    return Path(served.services.address)


async def until_under_way(served: Served, count: int) -> None:
    """Wait until so many runs are told of as under way."""
    for _ in range(200):
        with contextlib.closing(sqlite3.connect(served.folder / "fondation.db")) as database:
            found = database.execute("SELECT COUNT(*) FROM fondation_chat_runs WHERE ended_at IS NULL")
            if found.fetchone() == (count,):
                return
        await asyncio.sleep(0.01)
    raise AssertionError(f"there are not {count} runs under way")


async def until_read(served: Served, readers: int, key: ChatKey = KEY) -> None:
    """Wait until the chat's run has so many readers, those at the other servers among them."""
    for _ in range(200):
        if (live := served.services.runs.find(key)) is not None and live.readers == readers:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the run has not {readers} readers")


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def messages(served: Served, **headers: str) -> list[Any]:
    reply = await served.ask("GET", "/api/chats/c1", headers=named(headers))
    assert reply.status == 200, reply.body
    found: list[Any] = reply.json["messages"]
    return found


@pytest.mark.parametrize("chats", ["server", "client"])
async def test_a_stream_is_resumed_from_wherever_it_is_asked_for(chats: str, kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes(chats=chats))
    other = await kitchen.serve(OpenProvider(), routes(chats=chats))
    async with asking(owner, provider) as posting:
        resuming = asyncio.create_task(resume(other))
        await until_read(owner, 2)
        assert not resuming.done()
        released.set()
        posted, resumed = await asyncio.gather(posting, resuming)
    assert resumed.body == posted.body
    assert_acceptable(resumed.chunks)
    await until_under_way(owner, 0)
    for name in ("Content-Type", "x-run-id", "x-session-id", "x-vercel-ai-ui-message-stream"):
        assert resumed.headers[name] == posted.headers[name]


async def test_a_stream_of_major_4_is_resumed_too(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes(client="4"))
    other = await kitchen.serve(OpenProvider(), routes(client="4"))
    body = {"id": "c1", "messages": [{"role": "user", "content": "Hi"}]}
    posting = asyncio.create_task(owner.post(body))
    await until_under_way(owner, 1)
    resuming = asyncio.create_task(other.ask("GET", "/api/chat?chatId=c1"))
    await until_read(owner, 2)
    released.set()
    posted, resumed = await asyncio.gather(posting, resuming)
    assert ("0", ", so good") in parse_lines(resumed.body)
    assert resumed.body == posted.body


@pytest.mark.parametrize("id", ["a/b", "50%", "%2F", "é\u4e2d?#&", "a b"])
async def test_a_chat_may_have_any_name(id: str, kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    posting = asyncio.create_task(owner.post({"id": id, "message": "Hi"}, x_session_id="s\u4e2d"))
    await asyncio.wait_for(provider.asked.wait(), 2)
    path = f"/api/chat/{quote(id, safe='')}/stop"
    stopped = await other.ask("POST", path, headers={"x-session-id": "s\u4e2d"})
    assert stopped.json == {"stopped": True}
    assert (await posting).text == "So far"


@pytest.mark.parametrize("chats", ["server", "client"])
async def test_a_stop_reaches_the_run_from_anywhere(chats: str, kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes(chats=chats, on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider(), routes(chats=chats))
    async with asking(owner, provider) as posting:
        assert await stop(other) == {"stopped": True}
        assert (await posting).text == "So far"
    assert await stop(other) == {"stopped": False}


async def test_a_run_is_found_only_by_its_user_and_on_its_route(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider, x_user_id="u1", x_session_id="s1") as posting:
        for stranger in ({}, {"x_user_id": "u2"}, {"x_session_id": "s1"}):
            assert (await resume(other, **stranger)).status == 204
            assert await stop(other, **stranger) == {"stopped": False}
            assert (await other.ask("DELETE", "/api/chats/c1", headers=named(stranger))).status == 404
        assert (await resume(other, "/api/other", x_user_id="u1")).status == 204
        assert await stop(other, "/api/other", x_user_id="u1") == {"stopped": False}
        resuming = asyncio.create_task(resume(other, x_user_id="u1"))
        await until_read(owner, 2, ChatKey("user:u1", "c1"))
        released.set()
        assert (await resuming).text == (await posting).text == "So far, so good"


async def test_a_new_message_is_answered_where_the_chat_is_and_ends_a_run_that_nobody_reads(kitchen: Kitchen) -> None:
    provider = OpenProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)], text("On.")])
    owner = await kitchen.serve(provider, routes(on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider([text("Elsewhere.")]), routes(on_disconnect="continue"))
    async with asking(owner, provider):
        pass
    reply = await ask(other, "And now?")
    assert reply.text == "On."
    assert reply.headers["x-session-id"] == "c1"
    for served in (owner, other):
        told = await messages(served)
        assert [message["metadata"].get("status") for message in told[1::2]] == ["stopped", None]
    assert (await ask(other)).text == "Elsewhere.", "the turn is free again"


async def test_a_chat_that_is_read_anywhere_is_still_answering(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "LEAVE_SECONDS", 0.02)
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        for accept in ("*/*", "application/json"):
            reply = await ask(other, Accept=accept)
            assert (reply.status, reply.json) == (409, {"error": "This chat is still answering"})
            assert reply.headers["Retry-After"] == "1"


class Counting(OpenProvider):
    """Answers everybody, and says how many it answered at once."""

    most = 0
    _now = 0

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        Counting._now += 1
        Counting.most = max(Counting.most, Counting._now)
        try:
            yield [TextPiece("Yes.")]
            await asyncio.sleep(0)
            yield [AnswerEnd("stop")]
        finally:
            Counting._now -= 1


async def test_of_posts_to_several_servers_at_once_one_is_answered(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "LEAVE_SECONDS", 0.02)
    released = asyncio.Event()
    servers = [await kitchen.serve(slow(released), routes()) for _ in range(4)]
    posting = [asyncio.create_task(ask(served)) for served in servers]
    refused = asyncio.as_completed(posting)
    for _ in range(3):
        assert (await next(refused)).status == 409
    released.set()
    replies = await asyncio.gather(*posting)
    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
    assert [message["role"] for message in await messages(servers[0])] == ["user", "assistant"]


async def test_short_answers_of_several_servers_follow_each_other(kitchen: Kitchen) -> None:
    servers = [await kitchen.serve(Counting(), routes()) for _ in range(3)]
    replies = await asyncio.gather(*(ask(servers[number % 3], f"Question {number}") for number in range(12)))
    answered = [reply for reply in replies if reply.status == 200]
    assert {reply.status for reply in replies} <= {200, 409}
    assert len(answered) >= 3
    assert all(reply.text == "Yes." for reply in answered)
    assert Counting.most == 1
    told = await messages(servers[0])
    assert [message["role"] for message in told] == ["user", "assistant"] * len(answered)


async def test_a_json_answer_is_passed_on_whole(kitchen: Kitchen) -> None:
    provider = OpenProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)], text("On.")])
    owner = await kitchen.serve(provider, routes(on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        pass
    reply = await ask(other, Accept="application/json")
    assert (reply.status, reply.json["text"]) == (200, "On.")
    assert reply.headers["x-run-id"] == reply.json["runId"]


async def test_a_reader_who_leaves_the_other_server_has_left_the_run(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes(on_disconnect="{grace: 200ms}"))
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        reading = asyncio.create_task(resume(other))
        await until_read(owner, 2)
    await until_read(owner, 1)
    await asyncio.sleep(0.3)
    assert not provider.ended.is_set(), "the other one reads on"
    reading.cancel()
    await asyncio.wait_for(provider.ended.wait(), 2)
    assert (await owner.rows())[0]["status"] == "aborted"


async def test_a_chat_is_deleted_from_anywhere(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider) as posting:
        assert (await other.ask("DELETE", "/api/chats/c1")).status == 204
        assert (await posting).text == "So far"
    for served in (owner, other):
        assert (await served.ask("GET", "/api/chats/c1")).status == 404
        assert (await resume(served)).status == 204


async def test_a_chat_that_begins_elsewhere_meanwhile_is_deleted_there(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobodys(chats: object, key: ChatKey) -> None:
        return None

    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider) as posting:
        monkeypatch.setattr(SqliteChatStore, "run_of", nobodys)
        assert (await other.ask("DELETE", "/api/chats/c1")).status == 204
        assert (await posting).text == "So far"
    for served in (owner, other):
        assert (await served.ask("GET", "/api/chats/c1")).status == 404


async def test_a_chat_that_is_read_elsewhere_leaves_the_answer_to_its_stream(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider) as posting:
        assert [message["role"] for message in await messages(other)] == ["user"]
        released.set()
        await posting
    assert (await resume(other)).text == "So far, so good", "it is remembered where it ran"
    assert [message["role"] for message in await messages(other)] == ["user", "assistant"]
    assert (await resume(other)).status == (await resume(owner)).status == 204, "it was told once"


@pytest.mark.parametrize("chats", ["server", "client"])
async def test_no_older_answer_is_told_for_the_newest(chats: str, kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    other = await kitchen.serve(OpenProvider([text("First.")]), routes(chats=chats))
    owner = await kitchen.serve(provider, routes(chats=chats))
    assert (await ask(other)).text == "First."
    async with asking(owner, provider) as posting:
        released.set()
        await posting
    await until_under_way(owner, 0)
    assert (await resume(other)).text == "So far, so good"
    assert (await resume(owner)).text == "So far, so good"


async def test_an_answer_that_was_told_to_nobody_is_the_newest_where_it_was_given(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()
    provider = slow(released)
    one = await kitchen.serve(provider, routes(chats="client"))
    other = await kitchen.serve(OpenProvider([text("Second.")]), routes(chats="client"))
    async with asking(one, provider) as posting:
        released.set()
        await posting
    await until_under_way(one, 0)
    monkeypatch.setattr(neighbours, "ANNOUNCE_SECONDS", 60.0)
    await ask(other)
    assert (await resume(other)).text == "Second."


async def test_a_server_that_goes_down_serves_the_readers_of_the_others(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes(on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider([text("On.")]), routes(on_disconnect="continue"))
    async with asking(owner, provider):
        reading = asyncio.create_task(resume(other))
        await until_read(owner, 2)
    draining = asyncio.create_task(owner.services.runs.drain(5))
    await asyncio.sleep(0.05)
    assert not reading.done()
    released.set()
    assert (await reading).text == "So far, so good"
    await draining


async def test_a_server_that_goes_down_lets_the_others_have_its_chats(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes(on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider([text("On.")]), routes(on_disconnect="continue"))
    async with asking(owner, provider):
        pass
    draining = asyncio.create_task(owner.services.runs.drain(5))
    assert (await ask(other)).text == "On."
    await draining
    assert [message["metadata"].get("status") for message in (await messages(other))[1::2]] == ["stopped", None]


async def test_a_server_that_goes_down_ends_what_it_passes_on(kitchen: Kitchen) -> None:
    released = asyncio.Event()
    provider = slow(released)
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider) as posting:
        reading = asyncio.create_task(resume(other))
        await until_read(owner, 2)
        await asyncio.sleep(0.05)  # for the first bytes to be passed on
        await other.services.runs.drain(0)
        reply = await reading
        assert [chunk["type"] for chunk in reply.chunks][-2:] == ["error", "finish"]
        assert reply.body.endswith(b"data: [DONE]\n\n")
        released.set()
        assert (await posting).text == "So far, so good"


async def test_a_server_that_goes_down_ends_also_what_it_passes_on_late(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider) as posting:
        await other.services.runs.end_all()
        reply = await asyncio.wait_for(resume(other), 2)
        assert [chunk["type"] for chunk in reply.chunks][-2:] == ["error", "finish"]
        assert not posting.done()


async def test_a_reader_that_reads_nothing_of_what_is_passed_on_is_found(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    released = asyncio.Event()
    flood = [[TextPiece("x" * 500_000)] for _ in range(20)]  # more than all sockets and buffers on its way take
    provider = OpenProvider([[[TextPiece("So far")], released.wait, *flood, [AnswerEnd("stop")]]])
    owner = await kitchen.serve(provider, routes(on_disconnect="continue"))
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        pass
    live = owner.services.runs.find(KEY)
    assert live is not None
    async with other.connect() as reader:
        await reader.write(b"GET /api/chat/c1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.read_until(b"So far")
        released.set()
        assert await live.ended(5)
        (visit,) = other.services.runs._visits
        monkeypatch.setattr(runs, "STALLED_SECONDS", 0.2)
        await asyncio.wait({visit.task}, timeout=5)
        assert not other.services.runs._visits, "it is still taken for a reader"
        with contextlib.suppress(ConnectionError):
            assert not (await reader.read_all()).endswith(b"0\r\n\r\n"), "it had room for all of it"


async def test_the_turn_of_a_server_that_cannot_be_reached_is_respected(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.server.chat._LOOK_AGAIN", (0.0, 0.0))
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        socket_of(owner).unlink()
        assert (await ask(other)).status == 409
        assert (await resume(other)).status == 204
        assert await stop(other) == {"stopped": False}
        assert (await other.ask("DELETE", "/api/chats/c1")).status == 409
        assert len(await messages(other)) == 2


async def test_a_server_without_a_socket_works_alone(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.server.chat._LOOK_AGAIN", (0.0,))
    monkeypatch.setattr(neighbours, "new_socket", lambda: None)
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes())
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        assert owner.services.address is None
        assert (await ask(other)).status == 409
        assert (await resume(other)).status == 204


async def test_a_socket_that_cannot_be_opened_is_told_and_done_without(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(neighbours, "new_socket", lambda: tmp_path / "missing" / "a.sock")
    served = await kitchen.serve(OpenProvider([text("ok")]))
    assert served.services.address is None
    assert "cannot pass requests on to this one" in caplog.text
    assert (await ask(served)).text == "ok"


async def test_a_database_in_trouble_is_no_reason_to_refuse_a_reader(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    posted = await ask(served)

    async def fail(key: ChatKey) -> None:
        raise ChatStoreError("the disk is gone")

    monkeypatch.setattr(served.services.chats, "run_of", fail)
    assert (await resume(served)).body == posted.body
    assert "the neighbours are not asked: the disk is gone" in caplog.text


async def test_only_this_user_reaches_the_socket_and_it_goes_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with contextlib.AsyncExitStack() as exits:
        socket = socket_of(await Kitchen(tmp_path, monkeypatch, exits).serve(OpenProvider()))
        assert (socket.is_socket(), socket.parent.stat().st_mode & 0o777) == (True, 0o700)
    assert not socket.exists()


async def test_a_turn_that_is_written_and_does_not_begin_is_free_again(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    chats = served.services.chats
    assert chats is not None
    begin = chats.begin

    async def begin_and_break(*arguments: Any, **options: Any) -> None:
        await begin(*arguments, **options)
        raise RuntimeError

    with monkeypatch.context() as trouble:
        trouble.setattr(chats, "begin", begin_and_break)
        assert (await ask(served)).status == 500
        await until_under_way(served, 0)
    [_, answer] = await messages(served)
    assert answer["metadata"]["status"] == "stopped"


@contextlib.asynccontextmanager
async def strange_neighbour(served: Served, answer: bytes, *, begins: bool = False) -> AsyncIterator[None]:
    """A process that has the chat's turn, and answers every request with these bytes; a POST perhaps `begins` one."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if begins and head.startswith(b"POST /api/chat "):
            await chats.begin(KEY, "run_2")
        writer.write(answer)
        await writer.drain()
        writer.close()

    path = new_socket()
    server = await asyncio.start_unix_server(reply, path)
    async with server:
        with contextlib.closing(open_chats(served.folder / "fondation.db", str(path))) as chats:
            await chats.begin(KEY, "run_1", [StoredMessage("m1", "user", ({"type": "text", "text": "Hi"},))])
            yield


async def test_what_cannot_be_repeated_is_not_asked_twice(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider())
    async with strange_neighbour(served, b"", begins=True):
        reply = await ask(served)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.json == {"error": "The process that answers this chat has ended; try again"}
        assert (await resume(served)).status == 204
        assert await stop(served) == {"stopped": False}
        assert len(await messages(served)) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n"])
async def test_a_neighbour_that_does_nothing_is_not_asked_for_ever(
    answer: bytes, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.server.chat._LOOK_AGAIN", (0.0, 0.0, 0.0))
    served = await kitchen.serve(OpenProvider())
    async with strange_neighbour(served, answer):
        assert (await ask(served)).status == 409
        assert (await resume(served)).status == 204


async def test_a_stream_that_breaks_off_in_the_middle_of_a_frame_is_ended_behind_the_last_whole_one(
    kitchen: Kitchen,
) -> None:
    served = await kitchen.serve(OpenProvider())
    body = b'data: {"type":"start"}\n\ndata: {"type":"te'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-run-id: run_1\r\n"
    async with strange_neighbour(served, head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body)):
        reply = await resume(served)
    assert [chunk["type"] for chunk in reply.chunks] == ["start", "error", "finish"]
    assert "run_1" in reply.chunks[1]["errorText"]
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_a_route_that_the_neighbour_does_not_have_is_answered_here(kitchen: Kitchen) -> None:
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, ANN)
    other = await kitchen.serve(OpenProvider(), routes())
    async with asking(owner, provider):
        assert (await resume(other, "/api/other")).status == 204
        assert await stop(other, "/api/other") == {"stopped": False}


async def test_a_short_run_of_a_chat_that_is_not_kept_is_told_to_nobody(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "ANNOUNCE_SECONDS", 60.0)
    served = await kitchen.serve(OpenProvider([text("ok")]), routes(chats="client"))
    posted = await ask(served)
    assert served.services.chats is not None
    assert await served.services.chats.run_of(KEY) is None
    assert (await resume(served)).body == posted.body


async def test_a_client_that_is_gone_is_found_by_the_watch_too(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.02)
    provider = slow(asyncio.Event())
    owner = await kitchen.serve(provider, routes(on_disconnect="{grace: 50ms}"))
    other = await kitchen.serve(OpenProvider(), routes(), handler_cancellation=False)
    async with asking(owner, provider):
        reading = asyncio.create_task(resume(other))
        await until_read(owner, 2)
    await until_read(owner, 1)
    await asyncio.sleep(0.1)
    assert not provider.ended.is_set()
    reading.cancel()
    await asyncio.wait_for(provider.ended.wait(), 2)
