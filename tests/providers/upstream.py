"""A chat-completions server for tests, on a raw socket: it writes exactly the bytes of its script, in the pieces and
at the moments that the script says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Cut:
    """Close the connection in the middle of the answer."""


@dataclass(frozen=True)
class Reset:
    """The same, rudely: TCP RST."""


@dataclass(frozen=True)
class Hang:
    """Say nothing more, until the client goes."""


@dataclass(frozen=True)
class Until:
    """Go on once the test says so."""

    said: asyncio.Event


Step: TypeAlias = bytes | Pause | Until | Cut | Reset | Hang
EVENT_STREAM = {"Content-Type": "text/event-stream"}


@dataclass(frozen=True)
class Reply:
    """What to answer to one request. `steps` are the body; `before` comes before the status line."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(EVENT_STREAM))
    before: Sequence[Step] = ()


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client ends the connection while its answer hangs."""

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


class _Closed(Exception):
    """The connection is over."""


class Upstream:
    """Answers each request with the next reply; the last one is repeated."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.requests: list[Request] = []
        self.connections = 0
        self._arrived = asyncio.Condition()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reply(self, *steps: Step, **rest: Any) -> None:
        self.replies.append(Reply(steps, **rest))

    async def start(self, **options: Any) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for handler in list(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def request(self, number: int = 0) -> Request:
        """The request of that number, once it is there."""
        async with asyncio.timeout(5):
            async with self._arrived:
                await self._arrived.wait_for(lambda: len(self.requests) > number)
        return self.requests[number]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            with contextlib.suppress(_Closed, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._answer(await _read_request(reader), reader, writer)
        finally:
            self._handlers.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        for step in reply.before:
            await _do(step, request, reader, writer, chunked=False)
        head = {"Transfer-Encoding": "chunked", **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in head.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        for step in reply.steps:
            await _do(step, request, reader, writer, chunked=True)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _do(
    step: Step, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, chunked: bool
) -> None:
    match step:
        case bytes():
            writer.write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
            await writer.drain()
        case Pause(seconds):
            await asyncio.sleep(seconds)
        case Until(said):
            await said.wait()
        case Cut():
            raise _Closed
        case Reset():
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            raise _Closed
        case Hang():
            with contextlib.suppress(ConnectionError):
                await reader.read(1)
            request.gone.set()
            raise _Closed
