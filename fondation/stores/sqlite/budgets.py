"""The one thread of a process that asks for money: all that is asked at the same time is one transaction.

Who does not get it at once, and could once others have settled, is looked at again until the time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias, TypeVar

from fondation.calls import Purpose
from fondation.stores.budgets import BudgetStoreError, Claim, Counter, Decision, Standing, decide
from fondation.stores.sqlite.budget_tables import BudgetTables
from fondation.stores.sqlite.ledger import BUSY_MS
from fondation.stores.sqlite.trouble import FIRST_PAUSE as TROUBLE_SECONDS
from fondation.stores.sqlite.trouble import reason

T = TypeVar("T")

log = logging.getLogger("fondation.budgets")

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.05
"""Seconds between two looks at what was refused."""
CLOSE_SECONDS = 5.0
IMPATIENT_MS = 20
"""How long a try waits for other processes once one has failed."""
COMPLAINT_SECONDS = 60.0
"""The least time between two lines in the log."""
MOST_CHECKED = 200
"""Counters that are compared with their rows, of those that were asked for last."""


@dataclass(slots=True, eq=False)
class _Ask:
    token: str
    claims: Sequence[Claim]
    lease: float
    give_up_at: float
    """On the monotonic clock, as all moments here."""
    future: asyncio.Future[Decision]
    look_at: float = 0.0
    pause: float = FIRST_PAUSE
    crossed: list[str] = field(default_factory=list)
    decision: Decision | None = None


class _Release(NamedTuple):
    token: str


class _Errand(NamedTuple):
    """Something else to do with the tables."""

    work: Callable[[BudgetTables], Any]
    future: asyncio.Future[Any]


_Job: TypeAlias = _Ask | _Release | _Errand


class SqliteBudgetStore:
    """A `BudgetStore` in the ledger's file."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._asks: list[_Ask] = []
        self._releases: set[str] = set()
        self._errands: list[_Errand] = []
        self._used: dict[str, Counter] = {}
        self._tables: BudgetTables | None = None
        self._error: Exception | None = None
        self._retry_at = self._complain_at = 0.0
        self._thread = threading.Thread(target=self._run, name="fondation-budgets", daemon=True)
        self._thread.start()

    async def reserve(self, token: str, claims: Sequence[Claim], lease: float, patience: float) -> Decision:
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        for claim in claims:
            self._note_use(claim.counter)
        self._jobs.put(_Ask(token, claims, lease, time.monotonic() + patience, future))
        try:
            return await future
        except asyncio.CancelledError:
            self.release(token)
            raise

    def release(self, token: str) -> None:
        self._jobs.put(_Release(token))

    async def warn(self, keys: Sequence[str]) -> Sequence[str]:
        return await self._do(lambda tables: [key for key in keys if tables.warn(key)])

    async def costs(self, agent: str, model: str, purpose: Purpose, most: int) -> Sequence[int]:
        return await self._do(lambda tables: tables.costs(agent, model, purpose, most))

    async def tidy(self) -> None:
        await asyncio.to_thread(self._tidy, [*self._used.values()])

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _note_use(self, counter: Counter) -> None:
        self._used.pop(counter.key, None)
        self._used[counter.key] = counter
        if len(self._used) > MOST_CHECKED:
            del self._used[next(iter(self._used))]

    def _tidy(self, counters: Sequence[Counter]) -> None:
        """In a thread and with a connection of its own: nobody waits for it."""
        try:
            with contextlib.closing(BudgetTables(self._path)) as tables:
                for counter in counters:
                    tables.check(counter)
                tables.forget()
        except (sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    async def _do(self, work: Callable[[BudgetTables], T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Errand(work, future))
        return await future

    def _run(self) -> None:
        while self._collect():
            self._work()
        self._work()
        self._close_tables()

    def _collect(self) -> bool:
        """Wait for jobs, or until a look is due. False at the end."""
        try:
            job = self._jobs.get(timeout=self._idle_seconds())
            while job is not None:
                self._take(job)
                job = self._jobs.get_nowait()
            return False
        except Empty:
            return True

    def _idle_seconds(self) -> float | None:
        if not self._asks:
            return None
        return max(0.0, min(ask.look_at for ask in self._asks) - time.monotonic())

    def _take(self, job: _Job) -> None:
        match job:
            case _Ask():
                self._asks.append(job)
            case _Release(token):
                self._asks = [ask for ask in self._asks if ask.token != token]
                self._releases.add(token)
            case _Errand():
                self._errands.append(job)

    def _work(self) -> None:
        if not (self._asks or self._releases or self._errands):
            return
        try:
            if self._error is not None and time.monotonic() < self._retry_at:
                raise self._error
            self._do_all(self._open_tables())
        except Exception as error:  # whatever it is, the thread lives on: calls would wait for ever
            self._fail(error)
        else:
            self._end_trouble()
        self._answer()

    def _do_all(self, tables: BudgetTables) -> None:
        while self._errands:
            errand = self._errands[0]
            _deliver(errand.future, errand.work(tables))
            del self._errands[0]
        while unfilled := self._look(tables):
            for counter in unfilled.values():
                tables.fill(counter)

    def _look(self, tables: BudgetTables) -> dict[str, Counter]:
        """Free what is to be freed, and decide for whom there is money.

        Returns the counters that are to be added up first.
        """
        now = time.time()
        unfilled: dict[str, Counter] = {}
        with tables.transaction():
            for token in self._releases:
                tables.release(token)
            standings: dict[str, Standing] = {}
            for ask in self._asks:
                if ask.decision is not None:
                    continue
                missing = self._read(tables, ask, standings, now)
                unfilled.update(missing)
                if not missing:
                    self._decide(tables, ask, standings, now)
        self._releases.clear()
        return unfilled

    def _read(self, tables: BudgetTables, ask: _Ask, standings: dict[str, Standing], now: float) -> dict[str, Counter]:
        """Add the standings of what is claimed. Returns the counters that have none yet."""
        missing: dict[str, Counter] = {}
        for claim in ask.claims:
            key = claim.counter.key
            if key not in standings:
                standing = tables.standing(claim.counter, now)
                if standing is None:
                    missing[key] = claim.counter
                    continue
                standings[key] = standing
            standing = standings[key]
            if claim.warn_at is not None and standing.spent >= claim.warn_at and not standing.warned:
                standings[key] = standing._replace(warned=True)
                if tables.warn(key):
                    ask.crossed.append(key)
        return missing

    def _decide(self, tables: BudgetTables, ask: _Ask, standings: dict[str, Standing], now: float) -> None:
        seen = {claim.counter.key: standings[claim.counter.key] for claim in ask.claims}
        decision = decide(ask.claims, seen, tuple(ask.crossed))
        if decision.refused:
            ask.decision = decision if _is_final(ask, decision) else None
            ask.look_at = time.monotonic() + ask.pause
            ask.pause = min(ask.pause * 2, LONGEST_PAUSE)
            return
        tables.reserve(ask.token, decision.granted.items(), now + ask.lease)
        for key, amount in decision.granted.items():
            standings[key] = standings[key]._replace(reserved=standings[key].reserved + amount)
        ask.decision = decision

    def _answer(self) -> None:
        """Tell those for whom it is decided."""
        for ask in self._asks:
            if ask.decision is not None:
                _deliver(ask.future, ask.decision)
        self._asks = [ask for ask in self._asks if ask.decision is None]

    def _fail(self, error: Exception) -> None:
        """Nobody waits for a database that fails."""
        if error is not self._error:
            self._retry_at = time.monotonic() + TROUBLE_SECONDS
            if (
                isinstance(error, sqlite3.Error)
                and self._tables is not None
                and error.sqlite_errorcode & 0xFF
                in (
                    sqlite3.SQLITE_BUSY,
                    sqlite3.SQLITE_LOCKED,
                )
            ):
                self._tables.set_patience(IMPATIENT_MS)
            else:
                self._close_tables()
        self._error = error
        self._complain(error)
        failure = self._failure(error)
        for ask in self._asks:
            _deliver(ask.future, failure)
        for errand in self._errands:
            _deliver(errand.future, failure)
        self._asks, self._errands = [], []

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAINT_SECONDS
            log.error(
                "Budgets cannot be counted in %s: %s. Calls go on by what this process knows of them",
                self._path,
                reason(error),
            )

    def _end_trouble(self) -> None:
        if self._error is not None:
            log.warning("Budgets are counted in %s again", self._path)
            self._error, self._complain_at = None, 0.0
            if self._tables is not None:
                self._tables.set_patience(BUSY_MS)

    def _failure(self, error: Exception) -> BudgetStoreError:
        return BudgetStoreError(f"budgets cannot be counted in {self._path}: {reason(error)}")

    def _open_tables(self) -> BudgetTables:
        if self._tables is not None and self._tables.is_moved():
            self._close_tables()
        if self._tables is None:
            self._tables = BudgetTables(self._path)
        return self._tables

    def _close_tables(self) -> None:
        if self._tables is not None:
            with contextlib.suppress(sqlite3.Error):
                self._tables.close()
        self._tables = None


def _is_final(ask: _Ask, decision: Decision) -> bool:
    """Whether waiting is of no use, or its time is up."""
    if time.monotonic() >= ask.give_up_at:
        return True
    return any(
        not claim.may_fit_later(*decision.standings[claim.counter.key][:2])
        for claim in ask.claims
        if claim.counter.key in decision.refused
    )


def _deliver(future: asyncio.Future[Any], result: object) -> None:
    """Give whoever waits an answer, on the loop that waits; called in any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
        future.get_loop().call_soon_threadsafe(_resolve, future, result)


def _resolve(future: asyncio.Future[Any], result: object) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
