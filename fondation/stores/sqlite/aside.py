"""The way around a writer that its database holds up, as a slow disk does: another thread takes what waits to a spool
of its own, so that a killed process loses none of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Generator
from pathlib import Path
from queue import Empty, SimpleQueue

from fondation.stores.sqlite.changes import Change, keep_promises
from fondation.stores.sqlite.waiting import WaitingRows

log = logging.getLogger("fondation.usage")


class Aside:
    def __init__(self, database: Path, queue: SimpleQueue[Change | None]) -> None:
        self._queue = queue
        self._rows = WaitingRows(database)
        self._lock = threading.Lock()
        self._is_allowed = False
        self._in_hand: WaitingRows | None = None
        self._is_coming = False
        self._dropped = 0

    @contextlib.contextmanager
    def allowed(self, in_hand: WaitingRows) -> Generator[None, None, None]:
        """Rows may be taken while the writer is in this block, which is around all that may hold it up.

        Those that it has `in_hand` are copied; they may be written twice, and are found again then. Outside of the
        block the writer takes what is queued itself: two would lose its order.
        """
        with self._lock:
            self._is_allowed, self._in_hand = True, in_hand
        try:
            yield
        finally:
            with self._lock:
                self._is_allowed, self._in_hand = False, None

    def take_soon(self) -> None:
        """Take what waits, in a thread of its own."""
        if not self._is_coming:
            self._is_coming = True
            threading.Thread(target=self.take, name="fondation-usage-aside", daemon=True).start()

    def take(self) -> None:
        """Take what waits now, if that is allowed."""
        self._is_coming = False
        promises: list[asyncio.Future[None]] = []
        with self._lock:
            if not self._is_allowed:
                return
            if self._in_hand is not None:
                self._rows.add(self._in_hand.in_memory())
                self._in_hand = None
            for change in self._queued():
                self._rows.add(change.rows)
                promises += change.durable
            self._dropped += self._rows.park()
        keep_promises(promises)

    def hand_over(self, rows: WaitingRows) -> tuple[WaitingRows, int]:
        """The writer's rows with those that were taken, which are newer; and how many had to be dropped."""
        dropped, self._dropped = self._dropped, 0
        if not len(self._rows):
            return rows, dropped
        if not len(rows):
            taken, self._rows = self._rows, rows
            return taken, dropped
        try:
            for changes, _ in self._rows.portions():
                rows.add(changes)
            dropped += rows.park()  # into the writer's own spool, before this one goes
            self._rows.saved()
        except OSError as error:
            log.warning("Rows that wait beside the database cannot be read now: %s", error)
        return rows, dropped

    def _queued(self) -> Generator[Change, None, None]:
        with contextlib.suppress(Empty):
            while (change := self._queue.get_nowait()) is not None:
                yield change
            self._queue.put(None)  # the writer ends with it
