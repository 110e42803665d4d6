"""The one thread of a process in which its chats are read and written.

It has no timer: it does what is asked as one transaction, and what is asked meanwhile is the next. While the database
fails, what is to be saved waits and is tried again; who asked for something else is told.
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
from fondation.stores.chats import ChatKey, StoredChat
from fondation.stores.sqlite.chats_file import ChatFile
from fondation.stores.sqlite.chats_late import LateSaves, Save
from fondation.stores.sqlite.chats_pages import ChatPages
from fondation.stores.sqlite.chats_processes import RENEW_SECONDS, Processes
from fondation.stores.sqlite.chats_runs import Runs
from fondation.stores.sqlite.chats_tables import ChatTables
from fondation.stores.sqlite.owners import new_owner
from fondation.stores.sqlite.trouble import Trouble, is_locked, is_trouble

log = logging.getLogger("fondation.chats")

MAX_JOBS = 200
"""In one transaction."""

T = TypeVar("T")


class ChatDatabase:
    """The open file, and what knows its way in it."""

    def __init__(self, path: Path, process: str, address: str | None, late: LateSaves) -> None:
        self.file = ChatFile(path)
        self.processes = Processes(self.file.connection, process)
        self.runs = Runs(self.file.connection, self.processes, address)
        self.tables = ChatTables(self.file.connection, self.processes, self.runs)
        self.pages = ChatPages(self.file.connection)
        self._late = late

    def load(self, key: ChatKey) -> StoredChat | None:
        """A chat as it is, with what is saved late."""
        return self._late.over(key, self.tables.load(key))

    def leave(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.processes.leave()


class _Job(NamedTuple):
    work: Callable[[ChatDatabase], object]
    """May be done twice: when another of the same transaction fails."""
    writes: bool
    key: ChatKey | None
    """Of the chat that it is about; None where it is about several."""
    future: asyncio.Future[object] | None
    """None where nobody waits."""
    late: Save | None = None
    """What may also be done later instead."""


class _Outcome(NamedTuple):
    future: asyncio.Future[object] | None
    result: object = None
    error: ChatStoreError | None = None


class ChatThread:
    def __init__(self, path: Path, address: str | None = None) -> None:
        self._path = path
        self._process = new_owner()
        self._address = address
        self._asking = threading.Lock()
        """Over what is asked and handed over, and over the end of that: nothing comes after the last."""
        self._asked: list[_Job] = []
        self._queue: SimpleQueue[list[_Job]] = SimpleQueue()
        self._database: ChatDatabase | None = None
        self._late = LateSaves()
        self._trouble = Trouble(path, "chats", "messages")
        self._chores_at = time.monotonic() + RENEW_SECONDS
        self._chores_failed = False
        self._tried = threading.Event()
        self._unusable: Exception | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="fondation-chats", daemon=True)

    def start(self, timeout: float) -> None:
        """Start the thread, and wait up to `timeout` seconds until it has tried to open the file.

        Raises what makes the file unusable; one that is only locked, or slow, is tried again.
        """
        self._thread.start()
        self._tried.wait(timeout)
        if self._unusable is not None:
            self.stop(timeout)
            raise self._unusable

    async def do(
        self, work: Callable[[ChatDatabase], T], *, writes: bool, key: ChatKey | None = None, late: Save | None = None
    ) -> T:
        """What `work` returns, in the thread and inside a transaction. Raises `ChatStoreError`.

        It is done also where the caller is cancelled meanwhile. While the database fails `late` is kept for later
        instead, and the result is None.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if not self._ask(_Job(work, writes, key, future, late)):
            raise ChatStoreError(f"The chats in {self._path} are closed already")
        return cast("T", await future)

    def tell(self, work: Callable[[ChatDatabase], object], key: ChatKey, late: Save | None = None) -> None:
        """Have `work` done that writes, and go on; trouble with what cannot be done later is logged."""
        self._ask(_Job(work, writes=True, key=key, future=None, late=late))

    def _ask(self, job: _Job) -> bool:
        """Whether it will be done: nothing is once the thread is to stop."""
        with self._asking:
            if self._stopped:
                return False
            if not self._asked:
                asyncio.get_running_loop().call_soon(self._hand_over)
            self._asked.append(job)
            return True

    def _hand_over(self) -> None:
        """What one turn of the loop asks goes to the thread together: waking it costs more than most of its work."""
        with self._asking:
            asked, self._asked = self._asked, []
            if asked:
                self._queue.put(asked)

    def stop(self, timeout: float) -> None:
        """Do what was asked and end the thread; `timeout` in seconds."""
        with self._asking:
            if self._stopped:
                return
            self._stopped = True
        self._hand_over()
        self._queue.put([])
        self._thread.join(timeout)
        if self._thread.is_alive():
            log.error("The chats in %s were not closed: the file did not answer for %g seconds", self._path, timeout)

    def _run(self) -> None:
        self._open_first()
        ending = False
        while not ending:
            jobs, ending = self._collect()
            for batch in _readers_first(jobs):
                _tell(self._perform(batch))
            if self._trouble and (ending or time.monotonic() >= self._trouble.retry_at):
                self._try_again()
            if time.monotonic() >= self._chores_at:
                self._do_chores()
        self._trouble.drop(len(self._late))
        self._trouble.lose()
        if self._database is not None:
            self._database.leave()
        self._close_database()

    def _open_first(self) -> None:
        """Open the file before it is needed."""
        try:
            self._open_database()
        except Exception as error:
            self._recover(error)
            self._unusable = None if is_locked(error) else error
        self._tried.set()

    def _collect(self) -> tuple[list[_Job], bool]:
        """Wait until something is asked or due; the jobs, and whether they are the last."""
        jobs: list[_Job] = []
        due = min(self._chores_at, self._trouble.retry_at) if self._trouble else self._chores_at
        with contextlib.suppress(Empty):
            asked = self._queue.get(timeout=max(0.0, due - time.monotonic()))
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
            return self._do_together(jobs, writes=any(job.writes for job in jobs))
        except Exception as error:  # whatever it is, the thread lives on, and each caller gets an answer
            if is_locked(error):
                return self._do_without(jobs, error)
            if len(jobs) > 1:
                return [outcome for job in jobs for outcome in self._perform([job])]
            if not is_trouble(error) and self._give_up_the_impossible():
                return self._perform(jobs)
            return self._fail(jobs, error)

    def _do_together(self, jobs: Sequence[_Job], *, writes: bool) -> list[_Outcome]:
        """Do the jobs in one transaction; what is saved late comes first."""
        database = self._open_database()
        with database.file.transaction(writes=writes, patiently=not self._trouble):
            if writes:
                for save in self._late:
                    save.do(database.tables)
            outcomes = [_Outcome(job.future, job.work(database)) for job in jobs]
        if writes and self._trouble:
            self._late.clear()
            self._trouble.end()
        return outcomes

    def _do_without(self, jobs: Sequence[_Job], error: Exception) -> list[_Outcome]:
        """Somebody else writes to the file for too long: those who only read need not wait for it."""
        reading = [job for job in jobs if not job.writes]
        writing = [job for job in jobs if job.writes]
        if not writing:
            return self._fail(reading, error)
        return [*self._fail(writing, error), *self._perform(reading)]

    def _fail(self, jobs: Sequence[_Job], error: Exception) -> list[_Outcome]:
        """What can be saved later is; the others are told."""
        if not is_trouble(error):
            self._recover(error)
            return [self._refusal(job, error) for job in jobs]
        self._struggle(error, [job.late for job in jobs if job.late is not None])
        return [self._refusal(job, error) if job.late is None else _Outcome(job.future) for job in jobs]

    def _struggle(self, error: Exception, late: Sequence[Save] = ()) -> None:
        """The database fails: keep what is to be saved late, and try again soon."""
        self._recover(error)
        self._trouble.meet(error)
        self._trouble.drop(sum(map(self._late.add, late)))
        self._trouble.tell(len(self._late), None)

    def _refusal(self, job: _Job, error: Exception) -> _Outcome:
        refusal = ChatStoreError(f"The chats in {self._path} cannot be read or written: {error}")
        refusal.__cause__ = error
        return _Outcome(job.future, error=refusal)

    def _try_again(self) -> None:
        """Save what is late."""
        try:
            self._do_together([], writes=True)
        except Exception as error:
            if is_trouble(error) or not self._give_up_the_impossible():
                self._struggle(error)

    def _give_up_the_impossible(self) -> bool:
        """Give up each late save that fails for its own sake; whether there was one."""
        found = False
        try:
            database = self._open_database()
        except Exception:  # then it is not the saves
            return False
        for save in [*self._late]:
            try:
                with database.file.transaction(writes=True, patiently=not self._trouble):
                    save.do(database.tables)
            except Exception as error:
                if is_trouble(error):
                    return found
                log.error("chat %s: what was said cannot be saved: %s", save.key.id, error)  # noqa: TRY400
                found = True
            self._late.remove(save)
        return found

    def _open_database(self) -> ChatDatabase:
        if self._database is not None and self._database.file.is_moved():
            log.error("%s was removed, replaced or cut; it is opened anew", self._path)
            self._close_database()
        if self._database is None:
            self._database = ChatDatabase(self._path, self._process, self._address, self._late)
        return self._database

    def _do_chores(self) -> None:
        """What nobody asked for; trouble with it is told once."""
        self._chores_at = time.monotonic() + RENEW_SECONDS
        try:
            database = self._open_database()
            with database.file.transaction(writes=True, patiently=not (self._trouble or self._chores_failed)):
                cut = _look_after_processes(database)
            self._chores_failed = False
            if cut:
                log.warning("%d answers were being written when their process died", cut)
        except Exception as error:
            self._recover(error)
            if not self._chores_failed:
                log.error("The chats in %s cannot be read or written: %s", self._path, error)  # noqa: TRY400
            self._chores_failed = True

    def _recover(self, error: Exception) -> None:
        """Open the file anew for the next job, where it may be the file that failed."""
        if isinstance(error, (sqlite3.Error, OSError)) and not is_locked(error):
            self._close_database()

    def _close_database(self) -> None:
        """Without leaving: what this process writes goes on in the next one that is opened."""
        if self._database is not None:
            self._database.file.close()
        self._database = None


def _readers_first(jobs: Sequence[_Job]) -> tuple[list[_Job], list[_Job]]:
    """Who only reads need not wait until others let the rest be written; except for what was asked before and is
    written of the same chat, or of several.
    """
    first, rest, written = list[_Job](), list[_Job](), set[ChatKey | None]()
    for job in jobs:
        if job.writes:
            written.add(job.key)
        (first if written.isdisjoint((job.key, None)) else rest).append(job)
    return first, rest


def _look_after_processes(database: ChatDatabase) -> int:
    """How many answers of dead processes were cut."""
    database.processes.renew()
    cut = database.processes.cut_dead()
    database.runs.forget_old()
    return cut


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
