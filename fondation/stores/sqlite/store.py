"""The usage store as an event loop sees it: every method queues and returns."""

from __future__ import annotations

import asyncio
import itertools
import logging
from pathlib import Path

from fondation.calls import ModelCall, RunInfo
from fondation.stores.rows import row_of
from fondation.stores.sqlite.ledger import Entry
from fondation.stores.sqlite.owners import new_owner
from fondation.stores.sqlite.writer import Change, Writer

log = logging.getLogger("fondation.usage")

OPEN_SECONDS = 1.0
"""How long opening waits for the file; a file that takes longer is opened meanwhile."""
CLOSE_SECONDS = 5.0


class SqliteStore:
    """A `UsageStore` in one file. A row that cannot be written now waits beside it, and is not the caller's worry."""

    def __init__(self, path: Path) -> None:
        self._owner = new_owner()
        self._open: dict[ModelCall, tuple[Entry, RunInfo]] = {}
        self._keys = itertools.count(1)
        self._closed = False
        self._writer = Writer(path.absolute(), self._owner, lambda: bool(self._open))
        self._writer.start(OPEN_SECONDS)

    def begin(self, call: ModelCall, run: RunInfo) -> asyncio.Future[None]:
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = Entry(next(self._keys))
        self._open[call] = entry, run
        self._put(Change(entry, row_of(call, run, self._owner), durable))
        return durable

    def note(self, call: ModelCall) -> None:
        if call in self._open:
            entry, run = self._open[call]
            self._put(Change(entry, row_of(call, run, self._owner)))

    def settle(self, call: ModelCall) -> None:
        if call in self._open:
            entry, run = self._open.pop(call)
            self._put(Change(entry, row_of(call, run, self._owner)))

    def withdraw(self, call: ModelCall) -> None:
        if call in self._open:
            entry, _ = self._open.pop(call)
            self._put(Change(entry, None))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._writer.stop(CLOSE_SECONDS)

    def _put(self, change: Change) -> None:
        if not self._closed:
            self._writer.put(change)
            return
        log.error("Failed to save usage: the ledger is closed already")
        if change.durable is not None:
            change.durable.set_result(None)
