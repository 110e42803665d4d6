"""The runs of this process: how many there may be, who reads them, how long they are remembered, and how they end when
the server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from fondation.agents import Route
from fondation.errors import RequestError
from fondation.server.live import LiveRun
from fondation.server.streams import EventStream
from fondation.stores.chats import ChatKey

T = TypeVar("T")

log = logging.getLogger("fondation.runs")

LOOK_SECONDS = 0.5
"""How often runs and their readers are looked after."""
LAST_WORDS_SECONDS = 6.0
"""How long runs that were told to end may take to say so: a call without headers is awaited 5 s for its generation id.
"""
REMEMBER_SECONDS = 60.0
"""How long a run that has ended can still be read."""
REMEMBERED_BYTES = 64_000_000
"""The most that ended runs hold together; the oldest go first."""
REMEMBERED_RUNS = 10_000
STALLED_SECONDS = 60.0
"""How long a reader of an ended run, or of a neighbour's, may read nothing of what there is."""


@dataclass(slots=True, eq=False)
class Visit:
    """Someone who reads a run: the request, the task that serves it, and its stream."""

    live: LiveRun | None
    """None for a neighbour's run."""
    request: web.Request
    task: asyncio.Task[Any]
    stream: EventStream | None = None
    """None for a run that is answered at its end."""
    _is_cut: bool = False
    _cut: Callable[[], None] | None = None

    def cut_by(self, cut: Callable[[], None]) -> None:
        """How the answer of a neighbour is broken off, now that it has begun."""
        self._cut = cut
        if self._is_cut:
            cut()

    def cut(self) -> None:
        """Break the answer of a neighbour off, at once or as soon as it begins; one of ours ends with its run."""
        self._is_cut = True
        if self._cut is not None:
            self._cut()

    async def look_after(self) -> None:
        """Keep an idle stream alive; end the visit of a client that is gone."""
        transport = self.request.transport
        if transport is None or transport.is_closing() or self._is_stalled():
            if not self.task.cancelling():  # a second time would cut short what the first one cleans up
                self.task.cancel()
                if transport is not None:  # closing alone would wait until the client has read what was written
                    self.task.add_done_callback(lambda _: transport.abort())
        elif self.stream is not None:
            await self.stream.keep_alive(transport)

    def _is_stalled(self) -> bool:
        if self.stream is None or (self.live is not None and not self.live.task.done()):
            return False
        return self.stream.idle > STALLED_SECONDS


@dataclass(slots=True)
class ActiveRuns:
    """Every run of this process."""

    _live: set[LiveRun] = field(default_factory=set)
    _of_chats: dict[ChatKey, LiveRun] = field(default_factory=dict)
    """The newest run of each chat, also for a while after its end."""
    _ended: dict[LiveRun, float] = field(default_factory=dict)
    """Runs that have ended and are remembered, oldest first, and when they ended."""
    _held: int = 0
    """Bytes of them all."""
    _visits: set[Visit] = field(default_factory=set)
    _coming: Counter[str] = field(default_factory=Counter)
    """How many are being prepared, by route."""
    _on_route: Counter[str] = field(default_factory=Counter)
    """How many are under way, by route."""
    _preparing: set[asyncio.Task[Any]] = field(default_factory=set)
    _draining: bool = False
    _ending: bool = False
    """Whether what is under way is broken off."""
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._empty.set()

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._live)

    @property
    def draining(self) -> bool:
        """Whether no new runs are taken."""
        return self._draining

    @contextlib.contextmanager
    def room(self, route: Route, limit: int) -> Iterator[None]:
        """Keep room for one more run of a route while the block prepares it; `limit` is for all routes together.

        Raises `RequestError` (503) where there is none.
        """
        if self._draining:
            raise RequestError(503, "The server is going down", {"Retry-After": "5"})
        is_full = len(self._live) + self._coming.total() >= limit
        if is_full or self._coming[route.path] + self._on_route[route.path] >= route.limits.max_concurrent_runs:
            raise RequestError(503, "The server has too many runs under way", {"Retry-After": "1"})
        self._coming[route.path] += 1
        try:
            yield
        finally:
            self._coming[route.path] -= 1

    def prepare(self, beginning: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a run in a task that nobody but the end of the server cancels."""
        task = asyncio.create_task(beginning)
        self._preparing.add(task)
        self._empty.clear()
        task.add_done_callback(self._prepared)
        return task

    def add(self, live: LiveRun, route: Route, *, remembered: bool) -> None:
        """Look after a run from its start; one that is `remembered` can be found by its chat."""
        self._live.add(live)
        self._on_route[route.path] += 1
        self._empty.clear()
        if remembered:
            if (former := self.find(live.key)) is not None:
                self.forget(former)
            self._of_chats[live.key] = live
        live.task.add_done_callback(lambda _: self._end(live, route))

    def find(self, key: ChatKey) -> LiveRun | None:
        """The chat's newest run, under way or ended not long ago."""
        return self._of_chats.get(key)

    def forget(self, live: LiveRun) -> None:
        """Nobody can find this run any more; those who read it read on."""
        if self._of_chats.get(live.key) is live:
            del self._of_chats[live.key]
        if self._ended.pop(live, None) is not None:
            self._held -= live.held
        self._release(live)

    @contextlib.contextmanager
    def visit(self, live: LiveRun | None, request: web.Request) -> Iterator[Visit]:
        """Look after a reader while the block lasts; `live` is None for a neighbour's run."""
        task = asyncio.current_task()
        assert task is not None
        visit = Visit(live, request, task)
        self._visits.add(visit)
        self._empty.clear()
        if self._ending:
            visit.cut()
        try:
            yield visit
        finally:
            self._visits.discard(visit)
            if live is not None:
                self._release(live)
            self._note_if_empty()

    async def watch(self) -> None:
        """Keep idle streams alive, end what nobody is there for, forget what has ended; for ever.

        aiohttp cancels a handler whose client left only where it is told to; inside somebody's own program it may not
        be. And a client that stays but reads nothing would hold its run for ever: the run learns of its deadline only
        once there is room for its next batch.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for visit in list(self._visits):
                try:
                    await visit.look_after()
                except Exception:
                    log.exception("a reader of a run cannot be looked after")
            for live in list(self._live):
                self._hurry(live)
            self._forget_the_old()

    async def drain(self, seconds: float) -> None:
        """Take no new runs; give the others their time, then end them as aborted."""
        self._draining = True
        await self._empty_within(seconds)
        await self.end_all()

    async def end_all(self) -> None:
        """End the runs under way, as aborted; those that cannot in time are broken off, as neighbours' are at once."""
        self._ending = True
        for live in list(self._live):
            live.end("shutdown")
        for visit in list(self._visits):
            visit.cut()
        await self._empty_within(LAST_WORDS_SECONDS)
        tasks = [*self._preparing, *(live.task for live in self._live)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, live: LiveRun, route: Route) -> None:
        self._live.discard(live)
        self._on_route[route.path] -= 1
        if self.find(live.key) is live:
            self._ended[live] = time.monotonic()
            self._held += live.held
            self._forget_the_old()
        self._release(live)
        self._note_if_empty()

    def _prepared(self, task: asyncio.Task[Any]) -> None:
        self._preparing.discard(task)
        self._note_if_empty()

    def _release(self, live: LiveRun) -> None:
        """Let go of the bytes of a run that nobody reads or can find."""
        if live not in self._live and live not in self._ended and not live.readers:
            live.log.close()

    def _hurry(self, live: LiveRun) -> None:
        """A run that should have ended is not held up by its reader, nor by what it cleans up for too long."""
        if live.deadline.reason is not None:
            live.caught_up()
            if live.deadline.overdue(LAST_WORDS_SECONDS) and not live.task.cancelling():
                live.break_off()

    def _forget_the_old(self) -> None:
        before = time.monotonic() - REMEMBER_SECONDS
        while self._ended:
            live, ended = next(iter(self._ended.items()))
            if ended >= before and self._held <= REMEMBERED_BYTES and len(self._ended) <= REMEMBERED_RUNS:
                return
            self.forget(live)

    def _note_if_empty(self) -> None:
        if not self._live and not self._visits and not self._preparing:
            self._empty.set()

    async def _empty_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
