"""When a run must end: at its time limit, or at once when the server asks.

`asyncio.timeout` cannot do this around a generator: it would cancel whoever holds the generator while it is suspended.
A `Deadline` interrupts only what is awaited through it; a run that is suspended meets it at its next wait.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable
from typing import Any, Literal, TypeAlias, TypeVar

from fondation.errors import FondationError

T = TypeVar("T")
Reason: TypeAlias = Literal["timeout", "shutdown", "left", "stopped", "superseded"]
"""`left`: nobody reads any more; `stopped`: the reader asked; `superseded`: the chat goes on with a newer run."""


class DeadlineReached(FondationError):
    """The run must end now; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Deadline:
    """One run's deadline, `seconds` from now. All its waits are made by one task."""

    __slots__ = ("_cancelling", "_expired", "_fired", "_owner", "_reason", "_timer", "_waiting")

    def __init__(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self.expire, "timeout")
        self._reason: Reason | None = None
        self._expired = math.inf
        self._owner: asyncio.Task[Any] | None = None
        self._waiting = False
        self._fired = False
        self._cancelling = 0

    @property
    def reason(self) -> Reason | None:
        """Why the run must end; None while it may go on."""
        return self._reason

    def expire(self, reason: Reason) -> None:
        """End the run: what it waits for is cancelled, and every later wait fails."""
        if self._reason is not None:
            return
        self._reason = reason
        self._expired = time.monotonic()
        if self._waiting and self._owner is not None:
            self._fired = True
            self._owner.cancel()

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await something, at most until the deadline; raises `DeadlineReached`."""
        if self._reason is not None:
            _discard(awaitable)
            raise DeadlineReached(self._reason)
        task = self._owner = self._owner or _current_task()
        self._cancelling = task.cancelling()
        self._waiting = True
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._fired and task.uncancel() <= self._cancelling:
                raise DeadlineReached(self._reason or "timeout") from None
            raise
        finally:
            self._waiting = False

    def overdue(self, seconds: float) -> bool:
        """Whether the run should have ended more than `seconds` ago."""
        return time.monotonic() - self._expired > seconds

    def close(self) -> None:
        """The run is over: the timer goes."""
        self._timer.cancel()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _discard(awaitable: Awaitable[object]) -> None:
    """A coroutine that is never awaited would warn."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
