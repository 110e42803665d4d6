"""A server in this process, on a loopback port of its own, whose models play a script."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from fondation.calls import ModelCall
from fondation.config import load
from fondation.providers.base import ModelRequest, Pieces
from fondation.server import create_app
from fondation.server.keys import SERVICES, Services
from tests.support.chunks import Chunk, parse
from tests.support.scripted import ScriptedProvider

ANN = """
version: 1
models:
  main: {provider: simulated, id: acme/main}
agents:
  Ann: {model: main, instructions: You are Ann.}
routes:
  /api/chat: Ann
"""
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def chunks(self) -> list[Chunk]:
        return parse(self.body)

    @property
    def text(self) -> str:
        return "".join(chunk["delta"] for chunk in self.chunks if chunk["type"] == "text-delta")


@dataclass
class Served:
    """A running server and a client of it."""

    port: int
    folder: Path
    services: Services
    session: aiohttp.ClientSession
    prefix: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    async def ask(self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        async with self.session.request(method, self.url + path, data=data, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())

    async def post(self, body: Any = None, path: str = "/api/chat", **headers: str) -> Reply:
        """POST a JSON body; `x_user_id="u1"` is the header x-user-id."""
        data = body if isinstance(body, bytes) else msgspec.json.encode({"message": "Hi"} if body is None else body)
        return await self.ask("POST", path, data, {**JSON, **{n.replace("_", "-"): v for n, v in headers.items()}})

    async def send(self, head: str, body: bytes = b"") -> bytes:
        """Send a request byte by byte as it is written (its lines end in CRLF); all that is answered."""
        async with self.connect() as connection:
            await connection.write(head.strip().replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
            return await connection.read_all()

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**16)
        try:
            yield Connection(reader, writer, self)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def rows(self, count: int = 1) -> list[dict[str, Any]]:
        """The ledger's rows, once there are `count` that have ended."""
        for _ in range(100):
            rows = self._read_rows()
            if len(rows) >= count and all(row["status"] != "running" for row in rows):
                return rows
            await asyncio.sleep(0.02)
        raise AssertionError(f"the ledger holds {self._read_rows()}")

    async def row_where(self, condition: str) -> dict[str, Any]:
        """The one row that meets a condition, once it is there."""
        for _ in range(250):
            if rows := self._read_rows(condition):
                (row,) = rows
                return row
            await asyncio.sleep(0.02)
        raise AssertionError(f"the ledger holds {self._read_rows()}")

    def _read_rows(self, condition: str = "TRUE") -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.folder / "fondation.db")) as database:
            database.row_factory = sqlite3.Row
            return [
                dict(row) for row in database.execute(f"select * from usage_tracking where {condition} order by id")
            ]


@dataclass
class Connection:
    """A socket to the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: Served

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def post(self, *, accept: str = "*/*", path: str = "/api/chat") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
        await self.write(
            head.encode() + b'Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{"message": "Hi"}'
        )

    async def read_until(self, wanted: bytes) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readuntil(wanted)

    async def read_all(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.read()

    def vanish(self) -> None:
        """Close without a word, as a lost network does."""
        self.writer.transport.abort()


@dataclass
class OpenProvider(ScriptedProvider):
    """A scripted provider that says when it is asked and when it is closed, and how."""

    script: list[Any] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        self.asked.set()
        try:
            async with contextlib.aclosing(super().stream(request, call)) as pieces:
                async for batch in pieces:
                    yield batch
        finally:
            self.ended.set()


class Kitchen:
    """Starts servers for a test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, exits: contextlib.AsyncExitStack) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._exits = exits

    async def close(self) -> None:
        """End them all now."""
        await self._exits.aclose()

    def app(self, provider: Any, text: str = ANN) -> web.Application:
        """The application of a file whose every model is `provider`."""
        (self.folder / "agents.yaml").write_text(text)
        self._monkeypatch.setattr("fondation.agents.create_provider", lambda config, key, http: provider)
        loaded = load(self.folder / "agents.yaml")
        assert loaded.config is not None, loaded.report()
        return create_app(loaded)

    async def serve(self, provider: Any, text: str = ANN, *, handler_cancellation: bool = True) -> Served:
        return await self.run(self.app(provider, text), handler_cancellation=handler_cancellation)

    async def run(
        self, app: web.Application, *, inner: web.Application | None = None, handler_cancellation: bool = True
    ) -> Served:
        """Serve an application; `inner` is fondation's own where it is not `app`."""
        runner = web.AppRunner(app, handler_cancellation=handler_cancellation, shutdown_timeout=0.2)
        await runner.setup()
        self._exits.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return await self.visit(runner, inner or app)

    async def visit(self, runner: web.AppRunner, app: web.Application) -> Served:
        """A client of what a runner serves; `app` is fondation's own."""
        session = await self._exits.enter_async_context(aiohttp.ClientSession())
        return Served(runner.addresses[0][1], self.folder, app[SERVICES], session)
