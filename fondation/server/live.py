"""Runs and their readers: a run goes on in a task of its own, and whoever reads it comes and goes.

What happens when the last reader is gone is the route's `on_disconnect`: the run ends (`cancel`), goes on
(`continue`), or goes on for a while (`grace`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fondation.deadline import Deadline, Reason
from fondation.events import Batch, Batches
from fondation.runner import Run
from fondation.server.frames import FrameLog
from fondation.stores.chats import ChatKey

log = logging.getLogger("fondation.server")

BEHIND = 256 * 1024
"""Bytes that a run with one reader may be ahead of it."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What a run does once nobody reads it: it ends after `seconds`; None is never."""

    seconds: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Telling:
    """How a run is told, to every reader alike."""

    encode: Callable[[Batch], bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer."""
    keepalive: bytes = b""
    broken: bytes = b""
    """The end of a stream that cannot be told on: a bug of ours."""
    before: bytes = b""
    """What comes first for a reader who does not have the message that the run goes on with; empty for a new one."""


class Reader:
    """One reader's place in a run's log; a context manager that closes it."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self.offset = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Read no more: what that means for the run is its route's `on_disconnect`."""
        self._run.leave(self)

    @property
    def is_through(self) -> bool:
        """Whether it has read all that there will be."""
        return self._run.log.ended and self.offset == self._run.log.size

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """The run's bytes from the start to its end; where the disk loses them, the end of a broken stream."""
        frames = self._run.log
        while True:
            try:
                data = frames.read(self.offset)
            except OSError:
                log.exception("the run of chat %s: its stream cannot be read", self._run.key.id)
                yield b"\n\n" + self._run.telling.broken  # what was read last may have ended within a frame
                return
            if data:
                self.offset += len(data)
                self._run.caught_up()
                yield data
            elif frames.ended:
                return
            else:
                await frames.more()


class LiveRun:
    """A run under way, or one that has ended and is still remembered: of that only its bytes are kept."""

    def __init__(
        self,
        key: ChatKey,
        run: Run,
        batches: Batches,
        telling: Telling,
        departure: Departure,
        *,
        watch: Callable[[Batch], object] = lambda batch: None,
        folder: Path | None = None,
        path: str = "",
        message_id: str = "",
    ) -> None:
        """`telling` makes the log's bytes, `watch` sees every batch first; `path` is the route's, `message_id` that of
        what the run writes.
        """
        self.key = key
        self.path = path
        self.began_at = time.time()
        self.deadline: Deadline = run.deadline
        self.telling = telling
        self.message_id = message_id
        self.log = FrameLog(folder)
        self.is_broken = False
        """Whether the run could not be told to its end."""
        self.read_at = -math.inf
        """When its chat was last read with all of the answer (monotonic)."""
        self._run: Run | None = run
        self._departure = departure
        self._readers: set[Reader] = set()
        self._deserted: asyncio.Future[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._room: asyncio.Future[None] | None = None
        self.task = asyncio.create_task(self._produce(batches, watch), name=f"run of {key.id}")
        self.task.add_done_callback(lambda _: self._clean_up())  # also of a task that was cancelled before it began

    @property
    def readers(self) -> int:
        return len(self._readers)

    @property
    def held(self) -> int:
        """Bytes."""
        return self.log.size + len(self.telling.before)

    def reader(self) -> Reader:
        """Read from now on, until the reader is closed."""
        reader = Reader(self)
        self._readers.add(reader)
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        return reader

    def leave(self, reader: Reader) -> None:
        """One reader less."""
        self._readers.discard(reader)
        self.caught_up()
        if not self._readers:
            self._depart()

    def supersede(self) -> None:
        """The chat goes on with a newer run, and nobody can find this one again: it ends with its last reader."""
        self._departure = Departure()
        if not self._readers:
            self.end("superseded")

    def end(self, reason: Reason) -> None:
        """End the run properly: its readers get what it said and the end of the stream."""
        self.deadline.expire(reason)
        self.caught_up()

    def break_off(self) -> None:
        """End a run whose time is over, without its last words."""
        if self._run is not None:
            self._run.blame_deadline()
        self.task.cancel()

    async def ended(self, seconds: float) -> bool:
        """Wait for the end; False where it did not come in time."""
        done, _ = await asyncio.wait({self.task}, timeout=seconds)
        return bool(done)

    async def deserted(self, seconds: float) -> bool:
        """Wait until nobody reads a run that goes on, or for its end; False where neither came in time."""
        if not self._readers:
            return True
        if self._deserted is None:
            self._deserted = asyncio.get_running_loop().create_future()
        waits = {self._deserted, self.task}
        done, _ = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)

    def caught_up(self) -> None:
        """A reader has read: the run may go on."""
        if self._room is not None and not self._room.done() and not self._is_too_far_ahead():
            self._room.set_result(None)

    def _depart(self) -> None:
        if self._deserted is not None:
            self._deserted.set_result(None)
            self._deserted = None
        if not self.task.done() and self._departure.seconds is not None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(self._departure.seconds, self.end, "left")

    async def _produce(self, batches: Batches, watch: Callable[[Batch], object]) -> None:
        try:
            async with contextlib.aclosing(batches):
                async for batch in batches:
                    watch(batch)
                    if data := self.telling.encode(batch):
                        self.log.append(data)
                        if self._is_too_far_ahead():
                            await self._wait_for_room()
        except Exception:
            log.exception("the run of chat %s: the stream broke", self.key.id)
            self.is_broken = True
        else:
            self.log.end()

    def _clean_up(self) -> None:
        """A stream that was not told to its end is ended as broken; the run, with its whole conversation, goes."""
        self._run = None
        self.deadline.close()
        self.log.end(self.telling.broken)

    def _is_too_far_ahead(self) -> bool:
        """Only the one reader of a run that ends with it slows it: others must not wait for the slowest."""
        if self._departure.seconds != 0.0 or len(self._readers) != 1 or self.deadline.reason is not None:
            return False
        (reader,) = self._readers
        return self.log.size - reader.offset > BEHIND

    async def _wait_for_room(self) -> None:
        self._room = asyncio.get_running_loop().create_future()
        try:
            await self._room
        finally:
            self._room = None
