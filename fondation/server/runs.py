"""The runs that are under way: how many there may be, whether their clients are still there, and how they end when the
server does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from fondation.errors import RequestError
from fondation.runner import Run
from fondation.server.streams import EventStream

log = logging.getLogger("fondation.runs")

LOOK_SECONDS = 0.5
"""How often each run's client is looked for."""
LAST_WORDS_SECONDS = 6.0
"""How long runs that were told to end may take to say so: a call without headers is awaited 5 s for its generation id.
"""


@dataclass(slots=True, eq=False)
class Active:
    """A run, the task that serves it, and whom."""

    run: Run
    request: web.Request
    task: asyncio.Task[Any]
    stream: EventStream | None = None
    """None for a run that is answered at its end."""

    async def look_after(self) -> None:
        """Keep an idle stream alive; end the run where nobody is there to read it."""
        transport = self.request.transport
        if transport is None or transport.is_closing() or self.run.deadline.overdue(LAST_WORDS_SECONDS):
            if not self.task.cancelling():  # a second time would cut short what the first one cleans up
                self.task.cancel()
        elif self.stream is not None:
            await self.stream.keep_alive(transport)


@dataclass(slots=True)
class ActiveRuns:
    """Every run of this process."""

    _active: set[Active] = field(default_factory=set)
    _draining: bool = False
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._empty.set()

    def __len__(self) -> int:
        return len(self._active)

    def check_room(self, limit: int) -> None:
        """Raises `RequestError` (503) where there is no room for another run."""
        if self._draining:
            raise RequestError(503, "The server is going down", {"Retry-After": "5"})
        if len(self._active) >= limit:
            raise RequestError(503, "The server has too many runs under way", {"Retry-After": "1"})

    @contextlib.contextmanager
    def admit(self, run: Run, request: web.Request) -> Iterator[Active]:
        """Count a run in while it lasts."""
        task = asyncio.current_task()
        assert task is not None
        active = Active(run, request, task)
        self._active.add(active)
        self._empty.clear()
        try:
            yield active
        finally:
            self._active.discard(active)
            if not self._active:
                self._empty.set()

    async def watch(self) -> None:
        """Keep idle streams alive and end runs whose client is gone, for ever.

        aiohttp cancels a handler whose client left only where it is told to; inside somebody's own program it may not
        be. And a client that stays but reads nothing would hold its run for ever: the run learns of its deadline only
        once its last batch is written.
        """
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for active in list(self._active):
                try:
                    await active.look_after()
                except Exception:
                    log.exception("a run cannot be looked after")

    async def drain(self, seconds: float) -> None:
        """Take no new runs; give the others their time, then end them as aborted."""
        self._draining = True
        await self._empty_within(seconds)
        for active in list(self._active):
            active.run.deadline.expire("shutdown")
        await self._empty_within(LAST_WORDS_SECONDS)

    async def _empty_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()
