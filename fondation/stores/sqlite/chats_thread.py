"""The one thread of a process in which its chats are read and written.

It has no timer: it does what is asked as one transaction, and what is asked meanwhile is the next. Whatever the disk
does, only those hear of it who asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar, cast

from fondation.errors import ChatStoreError
from fondation.stores.sqlite.chats_file import ChatFile
from fondation.stores.sqlite.chats_pages import ChatPages
from fondation.stores.sqlite.chats_processes import RENEW_SECONDS, Processes
from fondation.stores.sqlite.chats_runs import Runs
from fondation.stores.sqlite.chats_tables import ChatTables
from fondation.stores.sqlite.owners import new_owner
from fondation.stores.sqlite.trouble import is_locked

log = logging.getLogger("fondation.chats")

MAX_JOBS = 200
"""In one transaction."""

T = TypeVar("T")


class ChatDatabase:
    """The open file, and what knows its way in it."""

    def __init__(self, path: Path, process: str, address: str | None) -> None:
        self.file = ChatFile(path)
        self.processes = Processes(self.file.connection, process)
        self.runs = Runs(self.file.connection, self.processes, address)
        self.tables = ChatTables(self.file.connection, self.processes, self.runs)
        self.pages = ChatPages(self.file.connection)

    def leave(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.processes.leave()


class _Job(NamedTuple):
    work: Callable[[ChatDatabase], object]
    """May be done twice: when another of the same transaction fails."""
    writes: bool
    future: asyncio.Future[object] | None
    """None where nobody waits."""


class _Outcome(NamedTuple):
    future: asyncio.Future[object] | None
    result: object = None
    error: ChatStoreError | None = None


class ChatThread:
    def __init__(self, path: Path, address: str | None = None) -> None:
        self._path = path
        self._process = new_owner()
        self._address = address
        self._asked: list[_Job] = []
        self._queue: SimpleQueue[list[_Job]] = SimpleQueue()
        self._database: ChatDatabase | None = None
        self._chores_at = time.monotonic() + RENEW_SECONDS
        self._in_trouble = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="fondation-chats", daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[ChatDatabase], T], *, writes: bool) -> T:
        """What `work` returns, in the thread and inside a transaction. Raises `ChatStoreError`.

        It is done also where the caller is cancelled meanwhile.
        """
        if self._stopped:
            raise ChatStoreError(f"The chats in {self._path} are closed already")
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._ask(_Job(work, writes, future))
        return cast("T", await future)

    def tell(self, work: Callable[[ChatDatabase], object]) -> None:
        """Have `work` done that writes, and go on; trouble with it is logged."""
        if not self._stopped:
            self._ask(_Job(work, writes=True, future=None))

    def _ask(self, job: _Job) -> None:
        if not self._asked:
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._asked.append(job)

    def _hand_over(self) -> None:
        """What one turn of the loop asks goes to the thread together: waking it costs more than most of its work."""
        asked, self._asked = self._asked, []
        if asked:
            self._queue.put(asked)

    def stop(self, timeout: float) -> None:
        """Do what was asked and end the thread; `timeout` in seconds."""
        if self._stopped:
            return
        self._stopped = True
        self._hand_over()
        self._queue.put([])
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("The chats in %s were not closed: the file did not answer for %g seconds", self._path, timeout)

    def _run(self) -> None:
        self._try(lambda database: None)  # open the file before it is needed
        ending = False
        while not ending:
            jobs, ending = self._collect()
            _tell(self._perform(jobs))
            if time.monotonic() >= self._chores_at:
                self._try(_do_chores)
                self._chores_at = time.monotonic() + RENEW_SECONDS
        if self._database is not None:
            self._database.leave()
        self._close_database()

    def _collect(self) -> tuple[list[_Job], bool]:
        """Wait until something is asked or due; the jobs, and whether they are the last."""
        jobs: list[_Job] = []
        with contextlib.suppress(Empty):
            asked = self._queue.get(timeout=max(0.0, self._chores_at - time.monotonic()))
            while asked and len(jobs) + len(asked) < MAX_JOBS:
                jobs += asked
                asked = self._queue.get_nowait()
            return [*jobs, *asked], not asked
        return jobs, False

    def _perform(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        """Do the jobs together; where that fails, each alone, so that one cannot spoil the others."""
        if not jobs:
            return []
        try:
            database = self._open_database()
            with database.file.transaction(writes=any(job.writes for job in jobs)):
                return [_Outcome(job.future, job.work(database)) for job in jobs]
        except Exception as error:  # whatever it is, the thread lives on, and each caller gets an answer
            if len(jobs) > 1 and not is_locked(error):
                return [outcome for job in jobs for outcome in self._perform([job])]
            self._recover(error)
            text = f"The chats in {self._path} cannot be read or written: {error}"
            return [_Outcome(job.future, error=_caused(ChatStoreError(text), error)) for job in jobs]

    def _open_database(self) -> ChatDatabase:
        if self._database is not None and self._database.file.is_moved():
            log.error("%s was removed, replaced or cut; it is opened anew", self._path)
            self._close_database()
        if self._database is None:
            self._database = ChatDatabase(self._path, self._process, self._address)
        return self._database

    def _try(self, work: Callable[[ChatDatabase], None]) -> None:
        """Do what nobody asked for; trouble with it is told once."""
        try:
            work(self._open_database())
            self._in_trouble = False
        except Exception as error:
            self._recover(error)
            if not self._in_trouble:
                log.error("The chats in %s cannot be read or written: %s", self._path, error)  # noqa: TRY400
            self._in_trouble = True

    def _recover(self, error: Exception) -> None:
        """Open the file anew for the next job, where it may be the file that failed."""
        if isinstance(error, (sqlite3.Error, OSError)) and not is_locked(error):
            self._close_database()

    def _close_database(self) -> None:
        """Without leaving: what this process writes goes on in the next one that is opened."""
        if self._database is not None:
            self._database.file.close()
        self._database = None


def _do_chores(database: ChatDatabase) -> None:
    with database.file.transaction(writes=True):
        database.processes.renew()
        cut = database.processes.cut_dead()
        database.runs.forget_old()
    if cut:
        log.warning("%d answers were being written when their process died", cut)


def _caused(error: ChatStoreError, cause: Exception) -> ChatStoreError:
    error.__cause__ = cause
    return error


def _tell(outcomes: Sequence[_Outcome]) -> None:
    for loop, told in itertools.groupby(outcomes, lambda outcome: outcome.future and outcome.future.get_loop()):
        if loop is None:
            _log_trouble(told)
            continue
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_resolve, list(told))


def _log_trouble(outcomes: Iterable[_Outcome]) -> None:
    for outcome in outcomes:
        if outcome.error is not None:
            log.error("%s", outcome.error)


def _resolve(outcomes: Sequence[_Outcome]) -> None:
    for future, result, error in outcomes:
        if future is None or future.done():  # its caller is gone
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
