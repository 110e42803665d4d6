"""A stream on a real socket: batches, signs of life, and clients that read slowly."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from fondation.providers.base import AnswerEnd, TextPiece
from fondation.server import runs, streams
from tests.support.chunks import assert_acceptable, parse
from tests.support.scripted import text
from tests.support.served import Kitchen, OpenProvider, Served

BODY = b'{"message": "Hi"}'
HEAD = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 17\r\n"


async def hang() -> None:
    await asyncio.sleep(60)


@pytest.fixture
def quick_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(streams, "KEEPALIVE_SECONDS", 0.05)


async def test_what_one_read_of_the_provider_gave_is_one_write(kitchen: Kitchen) -> None:
    pieces = [TextPiece(f"{number} ") for number in range(50)]
    served = await kitchen.serve(OpenProvider([[pieces, [AnswerEnd("stop")]]]))
    async with served.connect() as connection:
        await connection.post()
        raw = await connection.read_until(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    written = [part for part in raw.partition(b"\r\n\r\n")[2].split(b"\r\n") if part.startswith(b"data:")]
    assert [part.count(b"text-delta") for part in written if b"text-delta" in part] == [50]
    assert len(written) <= 3


@pytest.mark.usefixtures("quick_signs")
async def test_a_silent_model_does_not_make_a_silent_stream(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([[lambda: asyncio.sleep(0.3), *text("ok")]]))
    reply = await served.post()
    assert reply.body.count(b": keep-alive\n\n") >= 2
    assert_acceptable(reply.chunks)
    assert reply.text == "ok"


async def test_a_stream_that_speaks_needs_no_sign_of_life(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(streams, "KEEPALIVE_SECONDS", 0.2)
    script: Any = [step for _ in range(15) for step in ([TextPiece("x")], lambda: asyncio.sleep(0.02))]
    served = await kitchen.serve(OpenProvider([[*script, [AnswerEnd("stop")]]]))
    assert b"keep-alive" not in (await served.post()).body


@pytest.mark.usefixtures("quick_signs")
async def test_a_json_answer_holds_nothing_but_its_json(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([[lambda: asyncio.sleep(0.15), *text("ok")]]))
    reply = await served.post(Accept="application/json")
    assert reply.json["text"] == "ok"


@pytest.mark.parametrize("connection", ["", "Connection: keep-alive\r\n"])
async def test_http_1_0_reads_a_stream_to_the_end_of_its_connection(connection: str, kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    raw = await served.send(f"POST /api/chat HTTP/1.0\n{(HEAD.decode() + connection).replace(chr(13), '')}", BODY)
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head
    assert_acceptable(parse(body))


async def test_a_client_that_wants_its_connection_closed_has_it_closed(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("ok")]))
    raw = await served.send(f"POST /api/chat HTTP/1.1\n{HEAD.decode().replace(chr(13), '')}Connection: close", BODY)
    assert b"Connection: close\r\n" in raw
    assert raw.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


async def test_a_connection_serves_one_stream_after_another(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("one"), text("two")]))
    async with served.connect() as connection:
        for said in (b"one", b"two"):
            await connection.post()
            assert said in await connection.read_until(b"0\r\n\r\n")


class Flood(OpenProvider):
    """Writes without end; counts how much was asked of it."""

    pulled = 0

    async def stream(self, request: Any, call: Any) -> Any:
        if request.messages[-1].text != "flood":
            async for batch in super().stream(request, call):
                yield batch
            return
        self.asked.set()
        try:
            while self.pulled < 4000:
                self.pulled += 1
                yield [TextPiece("x" * 65_536)]
                await asyncio.sleep(0)
        finally:
            self.ended.set()


def stalled_reader(served: Served) -> socket.socket:
    """A client that posts and then reads nothing, with little room in its socket."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", served.port))
    client.sendall(b"POST /api/chat HTTP/1.1\r\n" + HEAD.replace(b"17", b"20") + b"\r\n" + b'{"message": "flood"}')
    return client


@pytest.mark.usefixtures("quick_signs")
async def test_a_slow_reader_slows_its_own_model_and_nobody_else(kitchen: Kitchen) -> None:
    provider = Flood([text("quick") for _ in range(3)])
    served = await kitchen.serve(provider)
    with stalled_reader(served):
        await asyncio.wait_for(provider.asked.wait(), 2)
        for _ in range(3):
            await asyncio.sleep(0.1)
            assert (await asyncio.wait_for(served.post(), 2)).text == "quick"
        stopped_at = provider.pulled
        await asyncio.sleep(0.15)
        assert provider.pulled == stopped_at, "the model is paused"
        assert stopped_at < 200, "what waits in memory is bounded"
    await asyncio.wait_for(provider.ended.wait(), 2)
    assert (await served.rows(4))[0]["status"] == "aborted"


class _Transport:
    def __init__(self, waiting: int) -> None:
        self.waiting = waiting

    def get_write_buffer_size(self) -> int:
        return self.waiting


@pytest.mark.parametrize(("waiting", "signs"), [(0, [b": life\n\n"]), (1, [])])
async def test_a_client_that_has_not_read_what_was_written_is_not_waited_for(
    waiting: int, signs: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing to it could wait for ever, and the watch over all runs with it."""
    written: list[bytes] = []

    async def write(self: web.StreamResponse, data: bytes) -> None:
        written.append(data)

    monkeypatch.setattr(web.StreamResponse, "write", write)
    monkeypatch.setattr(streams, "KEEPALIVE_SECONDS", -1.0)
    await streams.EventStream({}, b": life\n\n").keep_alive(_Transport(waiting))  # type: ignore[arg-type]
    assert written == signs


async def test_a_watch_that_meets_a_fault_goes_on_watching(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.01)

    async def fail(*_: Any) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(streams.EventStream, "keep_alive", fail)
    provider = OpenProvider([[hang]])
    served = await kitchen.serve(provider, handler_cancellation=False)
    async with served.connect() as connection:
        await connection.post()
        await asyncio.wait_for(provider.asked.wait(), 2)
        await asyncio.sleep(0.05)
    await asyncio.wait_for(provider.ended.wait(), 2)
    assert "bug" in caplog.text
