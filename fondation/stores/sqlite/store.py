"""The usage store as an event loop sees it: every method queues and returns."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fondation.calls import ModelCall, RunInfo
from fondation.stores.base import CannotOpen, Ended, Outcome, Unsettled
from fondation.stores.rows import Row, origin_of, progress_of
from fondation.stores.sqlite.changes import Change
from fondation.stores.sqlite.ledger import Entry
from fondation.stores.sqlite.owners import new_owner
from fondation.stores.sqlite.run_calls import answering_calls
from fondation.stores.sqlite.settlements import Settlements
from fondation.stores.sqlite.trouble import advice, reason
from fondation.stores.sqlite.writer import Writer

log = logging.getLogger("fondation.usage")

OPEN_SECONDS = 1.0
"""How long opening waits for the file; a file that takes longer is opened meanwhile."""
CLOSE_SECONDS = 5.0
SOON_SECONDS = 0.005
"""How long what nobody waits for may stay here, to go with what comes next: waking the writer costs more than a row."""


class _OpenCall(NamedTuple):
    call: ModelCall
    entry: Entry
    origin: Row
    """The columns that stay as they are."""


class SqliteStore:
    """A `UsageStore` in one file. A row that cannot be written now waits beside it, and is not the caller's worry.

    What changes in one turn of the loop goes to the writer together, each row as it is by then. Raises `CannotOpen`
    where the file cannot be used at all.
    """

    def __init__(self, path: Path, config_hash: str | None = None, on_ended: Ended | None = None) -> None:
        self._owner = new_owner()
        self._config_hash = config_hash
        self._on_ended = on_ended
        self._open: dict[ModelCall, _OpenCall] = {}
        self._changed: dict[Entry, _OpenCall | None] = {}
        self._promises: list[asyncio.Future[None]] = []
        self._flush_at = math.inf
        self._keys = itertools.count(1)
        self._closed = False
        self._has_unsettled = False
        self._path = path
        self._settlements = Settlements(path, self._owner)
        self._writer = Writer(path.absolute(), self._owner, lambda: bool(self._open) or self._has_unsettled)
        try:
            self._writer.start(OPEN_SECONDS)
        except Exception as error:
            raise CannotOpen(reason(error), advice(error)) from error

    def begin(self, call: ModelCall, run: RunInfo) -> asyncio.Future[None]:
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            log.error("Failed to save usage: the ledger is closed already")
            durable.set_result(None)
            return durable
        number = next(self._keys)
        origin = origin_of(call, run, self._owner, self._config_hash, number)
        opened = self._open[call] = _OpenCall(call, Entry(number), origin)
        self._promises.append(durable)
        self._change(opened.entry, opened, within=0.0)
        return durable

    def hurry(self) -> None:
        self._flush()
        self._writer.hurry()

    def note(self, call: ModelCall) -> None:
        if opened := self._open.get(call):
            self._change(opened.entry, opened)

    def settle(self, call: ModelCall) -> None:
        if opened := self._open.pop(call, None):
            self._change(opened.entry, opened, within=0.0)
            self._has_unsettled |= call.cost_source == "pending"
            if self._on_ended is not None and not self._closed:
                self._promises.append(self._telling(self._on_ended, opened))

    def withdraw(self, call: ModelCall) -> None:
        if opened := self._open.pop(call, None):
            self._change(opened.entry, None)

    async def unsettled(self, most: int) -> Unsettled:
        try:
            found = await asyncio.to_thread(self._settlements.claim, most)
        except (sqlite3.Error, OSError) as error:
            log.debug("Calls whose cost is not known yet cannot be read: %s", reason(error))
            return Unsettled()
        self._has_unsettled = found.next_in is not None
        return found

    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
        try:
            return await asyncio.to_thread(self._settlements.conclude, outcomes)
        except (sqlite3.Error, OSError) as error:  # they are asked for again
            log.warning("What calls cost cannot be saved now: %s", reason(error))
            return ()

    async def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelCall]]:
        try:
            return await asyncio.to_thread(answering_calls, self._path, run_ids)
        except (sqlite3.Error, OSError) as error:
            log.warning("What runs cost cannot be read now: %s", reason(error))
            return {}

    def close(self) -> None:
        if not self._closed:
            self._flush()
            self._closed = True
            self._writer.stop(CLOSE_SECONDS)

    def _change(self, entry: Entry, opened: _OpenCall | None, within: float = SOON_SECONDS) -> None:
        """Keep the row as it is when the writer is told of it, `within` seconds."""
        if self._closed:
            log.error("Failed to save usage: the ledger is closed already")
            return
        self._changed[entry] = opened
        loop = asyncio.get_running_loop()
        due = loop.time() + within
        if due < self._flush_at:
            self._flush_at = due
            if within:
                loop.call_later(within, self._flush)
            else:
                loop.call_soon(self._flush)

    def _telling(self, on_ended: Ended, opened: _OpenCall) -> asyncio.Future[None]:
        """A promise that is kept once the row is durable: what is told before would be told again after a crash."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        durable.add_done_callback(lambda _: on_ended(opened.call, opened.origin))
        return durable

    def _flush(self) -> None:
        """Hand what changed to the writer."""
        self._flush_at = math.inf
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        promises, self._promises = self._promises, []
        rows = {
            entry: None if opened is None else {**opened.origin, **progress_of(opened.call)}
            for entry, opened in changed.items()
        }
        self._writer.put(Change(rows, promises))
