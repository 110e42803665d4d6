"""A model that a test leads step by step, and the server around it, which may be stopped, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from unittest import mock

import aiohttp
import msgspec
from aiohttp import web

from fondation.calls import ModelCall, TokenUsage
from fondation.config import load
from fondation.errors import ProviderError
from fondation.providers.base import Accepted, AnswerEnd, ModelRequest, Piece, Pieces, Receipts
from fondation.server import create_app
from fondation.server.keys import SERVICES, Services
from fondation.server.live import LiveRun
from fondation.stores.chats import ChatKey

Outcome: TypeAlias = Literal["running", "done", "refused", "error", "aborted"]

_LONGEST_WAIT = 3.0
"""Seconds, by the real clock, until what a test waits for counts as not coming."""


@dataclass(eq=False)
class UpstreamCall:
    """One model call as its provider has it."""

    id: str
    request: ModelRequest
    outcome: Outcome = "running"
    is_open: bool = True
    _steps: asyncio.Queue[list[Piece] | ProviderError] = field(default_factory=asyncio.Queue)
    _asked: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether all that was given is taken, and more is waited for."""
        return self.is_open and self._asked and self._steps.empty()

    def give(self, *pieces: Piece) -> None:
        """The next batch."""
        self._steps.put_nowait([*pieces])

    def fail(self, error: ProviderError) -> None:
        self._steps.put_nowait(error)

    async def next(self) -> list[Piece]:
        self._asked = True
        step = await self._steps.get()
        self._asked = False
        if isinstance(step, ProviderError):
            self.outcome = "refused" if step.charged is False else "error"
            raise step
        return step


@dataclass
class SteppedProvider:
    """Gives what it is told to, when it is told to, and keeps its own books of the calls."""

    name: str = "openrouter"
    calls: list[UpstreamCall] = field(default_factory=list)
    receipts: Receipts | None = None

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        upstream = UpstreamCall(f"gen-{len(self.calls) + 1}", request)
        self.calls.append(upstream)
        call.generation_id = upstream.id
        try:
            yield [Accepted()]
            while upstream.outcome == "running":
                pieces = await upstream.next()
                if isinstance(pieces[-1], AnswerEnd):
                    upstream.outcome = "done"
                    call.model, call.usage = f"{call.requested_model}-2026", TokenUsage(10, 5, 15, cost=0.25)
                    call.finish_reason = pieces[-1].finish_reason
                elif call.first_token is None:
                    call.first_token = 1.0
                yield pieces
        finally:
            upstream.is_open = False
            if upstream.outcome == "running":
                upstream.outcome = "aborted"


class Clock:
    """The clock by which servers and event loops wait; a test may put it forward."""

    def __init__(self) -> None:
        self._real = time.monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._real() + self._ahead

    def pass_by(self, seconds: float) -> None:
        self._ahead += seconds

    @contextlib.contextmanager
    def running(self) -> Any:
        """Dates are put forward with it."""
        real = time.time

        def date() -> float:
            return real() + self._ahead

        with mock.patch("time.monotonic", self), mock.patch("time.time", date):
            yield

    async def until(self, condition: Callable[[], object], what: Callable[[], object] | str) -> None:
        """Let everything go on until the condition holds. Raises AssertionError with `what` where it does not come."""
        last = self._real() + _LONGEST_WAIT
        while not condition():
            assert self._real() < last, what if isinstance(what, str) else what()
            await asyncio.sleep(0.001)


class Reader:
    """Someone who reads an answer over a connection of their own, and may lose it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.is_late = response.method == "GET"
        """Whether the run was under way when its reader came."""
        self._response = response
        self._body = bytearray()
        self._reading = asyncio.create_task(self._read())
        self.headers = response.headers

    @property
    def body(self) -> bytes:
        """The whole frames that came, without comments."""
        frames = bytes(self._body).split(b"\n\n")[:-1]
        return b"".join(frame + b"\n\n" for frame in frames if not frame.startswith(b":"))

    @property
    def has_all(self) -> bool:
        return self._reading.done()

    async def rest(self) -> None:
        """Wait for the end of the connection."""
        await asyncio.wait([self._reading])

    async def cut(self) -> None:
        """Lose the connection."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._response.close()

    async def _read(self) -> None:
        with contextlib.suppress(aiohttp.ClientError):
            async for data in self._response.content.iter_any():
                self._body += data


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is no stream."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Waiter:
    """Someone who waits for a whole answer over a connection of their own, and may lose it."""

    def __init__(self, request: Coroutine[Any, Any, Reader | Refused]) -> None:
        self._request = asyncio.create_task(request)

    @property
    def has_all(self) -> bool:
        return self._request.done()

    @property
    def answer(self) -> Refused:
        """What came, once it has."""
        answer = self._request.result()
        assert isinstance(answer, Refused), "a stream, where JSON was asked for"
        return answer

    async def rest(self) -> None:
        """Wait for the answer."""
        await asyncio.wait([self._request])

    async def cut(self) -> None:
        """Lose the connection."""
        self._request.cancel()
        await asyncio.wait([self._request])


class House:
    """A server on a loopback port; its folder outlives it."""

    def __init__(self, folder: Path, text: str, provider: SteppedProvider) -> None:
        self.folder = folder
        self.provider = provider
        self._text = text
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._readers: list[Reader | Waiter] = []
        self._url = ""

    @property
    def is_open(self) -> bool:
        return self._runner is not None

    @property
    def services(self) -> Services:
        assert self._runner is not None
        return self._runner.app[SERVICES]

    def live(self, user: str, id: str) -> LiveRun | None:
        """The newest run of a user's chat, as the server knows it."""
        return self.services.runs.find(ChatKey(f"user:{user}", id))

    async def open(self) -> None:
        (self.folder / "agents.yaml").write_text(self._text)
        loaded = load(self.folder / "agents.yaml")
        with mock.patch("fondation.agents.create_provider", return_value=self.provider):
            app = create_app(loaded)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout())

    async def close(self) -> None:
        """As a signal ends it: the runs are told to end, and say so."""
        assert self._runner is not None
        assert self._session is not None
        await self.services.runs.drain(0)
        await self._runner.cleanup()
        self._runner = None
        for reader in self._readers:
            await reader.rest()
        self._readers.clear()
        await self._session.close()

    async def kill(self, folder: Path) -> None:
        """Go on in another folder with the database as it is now, as if the process had died and its leases had run
        out; what becomes of this one does not count.
        """
        source, target = self.folder / "fondation.db", folder / "fondation.db"
        with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("UPDATE usage_owners SET lease_until = 0")
            new.execute("UPDATE fondation_chat_processes SET lease_until = 0")
            new.commit()
        await self.close()
        self.folder = folder

    async def read(self, method: str, path: str, body: Any = None, **headers: str) -> Reader | Refused:
        """A request whose answer may be a stream."""
        assert self._session is not None
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self._session.request(method, self._url + path, json=body, headers=names)
        if response.content_type == "text/event-stream":
            self._readers.append(reader := Reader(response))
            return reader
        async with response:
            return Refused(response.status, await response.read())

    def wait(self, method: str, path: str, body: Any = None, **headers: str) -> Waiter:
        """The same, for a whole answer, which comes at the run's end."""
        self._readers.append(waiter := Waiter(self.read(method, path, body, Accept="application/json", **headers)))
        return waiter

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Refused:
        """A request whose answer is none."""
        answer = await self.read(method, path, body, **headers)
        assert isinstance(answer, Refused)
        return answer

    def rows(self) -> list[Mapping[str, Any]]:
        """The ledger."""
        with contextlib.closing(sqlite3.connect(self.folder / "fondation.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("select * from usage_tracking order by id")]


async def until_nothing_is_left(files: int) -> None:
    """Raises AssertionError where other tasks than the caller's go on, or more than `files` files are open."""
    for _ in range(100):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks and open_files() <= files:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"left behind: {tasks}, {open_files() - files} of these files: {_file_names()}")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def _file_names() -> list[str]:
    files = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return [os.readlink(file) for file in files if os.path.lexists(file)]
