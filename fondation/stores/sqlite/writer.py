"""The one thread of a process that writes rows.

It has no timer: it commits what is there, and what queues meanwhile is the next transaction. A database that fails
is tried again while the rows wait in the spool.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from fondation.stores.sqlite.aside import Aside
from fondation.stores.sqlite.changes import Change, keep_promises
from fondation.stores.sqlite.ledger import BUSY_MS, Ledger
from fondation.stores.sqlite.owners import LEASE_SECONDS
from fondation.stores.sqlite.spool import adopt, spools_beside
from fondation.stores.sqlite.trouble import Trouble, is_locked
from fondation.stores.sqlite.waiting import WaitingRows, changes_of

log = logging.getLogger("fondation.usage")

MAX_ROWS = 500
"""In one transaction."""
CHORES_SECONDS = LEASE_SECONDS / 3
IMPATIENT_MS = 20
"""How long a try waits for other processes once one has failed: new rows go to the spool meanwhile."""


class Writer:
    def __init__(self, path: Path, owner: str, has_open_calls: Callable[[], bool]) -> None:
        self._path = path
        self._owner = owner
        self._has_open_calls = has_open_calls
        self._queue: SimpleQueue[Change | None] = SimpleQueue()
        self._ledger: Ledger | None = None
        self._rows = WaitingRows(path)
        self._aside = Aside(path, self._queue)
        self._promises: list[asyncio.Future[None]] = []
        self._trouble = Trouble(path)
        self._chores_at = 0.0
        self._tried = threading.Event()
        self._unusable: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="fondation-usage", daemon=True)

    def start(self, timeout: float) -> None:
        """Start the thread, and wait up to `timeout` seconds until it has tried to open the database.

        Raises what makes the database unusable; one that is only locked, or slow, is tried again.
        """
        self._thread.start()
        self._tried.wait(timeout)
        if self._unusable is not None:
            self.stop(timeout)
            raise self._unusable

    def put(self, change: Change) -> None:
        self._queue.put(change)

    def hurry(self) -> None:
        """What is queued has waited long enough: where the database holds this thread up, the spool takes it."""
        self._aside.take_soon()

    def stop(self, timeout: float) -> None:
        """Write what waits and end the thread; `timeout` in seconds."""
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("Failed to save usage: %s did not answer for %g seconds", self._path, timeout)
            self._aside.take()

    def _run(self) -> None:
        self._work()
        error = self._trouble.error
        self._unusable = None if error is None or is_locked(error) else error
        self._tried.set()
        while self._collect():
            if time.monotonic() >= self._trouble.retry_at:
                self._work()
            else:
                self._park()
            self._keep_promises()
        self._leave()

    def _collect(self) -> bool:
        """Wait for changes, or until something is due. False at the end."""
        due = self._trouble.retry_at if self._trouble else 0.0 if len(self._rows) else self._chores_at
        try:
            change = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            taken = 0
            while change is not None:
                self._rows.add(change.rows)
                self._promises += change.durable
                taken += len(change.rows)
                if taken >= MAX_ROWS:
                    return True
                change = self._queue.get_nowait()
            return False
        except Empty:
            pass
        return True

    def _work(self) -> None:
        """Write what waits, and do the chores when they are due."""
        error: Exception | None = None
        try:
            with self._aside.allowed(self._rows):
                self._write()
        except Exception as raised:  # whatever it is, the thread lives on: rows would be lost without a word
            error = raised
        self._rows, dropped = self._aside.hand_over(self._rows)
        self._trouble.drop(dropped)
        if error is not None:
            self._fail(error)

    def _write(self) -> None:
        ledger = self._open_ledger()
        for changes, spool in self._rows.portions():
            ledger.save(changes, spool)
        self._rows.saved()
        if self._trouble.dropped:
            ledger.note_loss(self._trouble.dropped)
            self._trouble.lose()  # at once: what comes next may fail, and then all of this is done again
        if time.monotonic() >= self._chores_at:
            self._do_chores(ledger)
        if self._trouble:
            ledger.set_patience(BUSY_MS)
        self._trouble.end()

    def _open_ledger(self) -> Ledger:
        if self._ledger is not None and self._ledger.is_moved():
            log.error("%s was removed, replaced or cut; it is opened anew", self._path)
            self._close_ledger()
        if self._ledger is None:
            self._ledger = Ledger(self._path, self._owner)
            self._chores_at = 0.0
        return self._ledger

    def _do_chores(self, ledger: Ledger) -> None:
        """Keep the lease while calls are open, see that the file is sound, and bring home what dead processes left."""
        ledger.read_anew()
        if self._has_open_calls():
            ledger.renew_lease()
        for path in spools_beside(self._path):
            try:
                with adopt(path) as lines:
                    if lines:
                        ledger.save(changes_of(lines, {}), path)
            except OSError as error:
                log.warning("Failed to save usage that waits in %s: %s", path, error)
        ledger.forget_spools()
        if lost := ledger.take_over():
            log.warning("%d model calls were running when their process died; what they cost is asked for now", lost)
        self._chores_at = time.monotonic() + CHORES_SECONDS

    def _fail(self, error: Exception) -> None:
        if self._ledger is not None:
            if is_locked(error):
                self._ledger.set_patience(IMPATIENT_MS)
            else:
                self._close_ledger()
        self._trouble.meet(error)
        self._park()

    def _park(self) -> None:
        self._trouble.drop(self._rows.park())
        self._trouble.tell(waiting=len(self._rows), spool=self._rows.spool)

    def _keep_promises(self) -> None:
        promises, self._promises = self._promises, []
        keep_promises(promises)

    def _leave(self) -> None:
        self._work()
        self._keep_promises()
        self._trouble.drop(self._rows.leave())
        self._trouble.lose()
        self._close_ledger()

    def _close_ledger(self) -> None:
        if self._ledger is not None:
            with contextlib.suppress(sqlite3.Error):
                self._ledger.close()
        self._ledger = None
