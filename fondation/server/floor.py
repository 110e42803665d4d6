"""One turn at a time in each chat: who may speak next, and what becomes of the run before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from fondation.deadline import Reason
from fondation.errors import RequestError
from fondation.server.live import LiveRun
from fondation.server.runs import ActiveRuns
from fondation.stores.chats import ChatKey

END_SECONDS = 2.0
"""How long a run that is ending is waited for."""
LEAVE_SECONDS = 0.7
"""How long a reader may take to be found gone: a page stops one answer and asks for the next in the same moment."""


@dataclass(slots=True)
class Floor:
    """Gives every chat's turns their order."""

    runs: ActiveRuns
    _locks: WeakValueDictionary[ChatKey, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @contextlib.asynccontextmanager
    async def turn(self, key: ChatKey) -> AsyncIterator[None]:
        """Have the chat to oneself while the block prepares a turn; the run before has ended.

        Raises `RequestError` (409) while somebody still reads that one.
        """
        async with self._lock(key):
            if (live := self.runs.find(key)) is not None:
                await _supersede(live)
            yield

    @contextlib.asynccontextmanager
    async def silence(self, key: ChatKey) -> AsyncIterator[None]:
        """Have the chat to oneself, whoever reads. Raises `RequestError` (409) where its run does not end."""
        async with self._lock(key):
            if (live := self.runs.find(key)) is not None:
                await _end(live, "stopped")
            yield

    def _lock(self, key: ChatKey) -> asyncio.Lock:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


async def _supersede(live: LiveRun) -> None:
    """End a run that nobody reads."""
    if live.deadline.reason is None and not await live.deserted(LEAVE_SECONDS):
        raise still_answering()
    await _end(live, "superseded")


async def _end(live: LiveRun, reason: Reason) -> None:
    if live.task.done():
        return
    live.end(reason)
    if not await live.ended(END_SECONDS):
        raise still_answering()


def still_answering() -> RequestError:
    return RequestError(409, "This chat is still answering", {"Retry-After": "1"})
