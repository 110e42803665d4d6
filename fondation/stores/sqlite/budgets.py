"""The one thread of a process that asks for money: all that is asked at the same time is one transaction.

Who does not get it at once, and could once others have settled, is looked at again until the time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias, TypeVar

from fondation.calls import Purpose
from fondation.stores.budgets import (
    BudgetStoreError,
    Claim,
    Counter,
    Crossing,
    Decision,
    Standing,
    decide,
    may_fit_later,
)
from fondation.stores.sqlite.budget_file import BudgetFile, failure
from fondation.stores.sqlite.budget_tables import BudgetTables

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.05
"""Seconds between two looks at what was refused."""
CLOSE_SECONDS = 5.0
MOST_CHECKED = 200
"""Counters that are compared with their rows now and then, of those that were asked for last."""
MOST_KNOWN = 10_000
"""Counters that are remembered to have been compared once; the oldest are compared anew."""


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


class _Amend(NamedTuple):
    token: str
    amount: int


class _Release(NamedTuple):
    token: str


class _Errand(NamedTuple):
    """Something else to do with the tables."""

    work: Callable[[BudgetTables], Any]
    future: asyncio.Future[Any]


_Job: TypeAlias = _Ask | _Amend | _Release | _Errand


class SqliteBudgetStore:
    """A `BudgetStore` in the ledger's file."""

    def __init__(self, path: Path) -> None:
        self._file = BudgetFile(path.absolute())
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._asks: list[_Ask] = []
        self._amends: dict[str, int] = {}
        self._releases: set[str] = set()
        self._errands: list[_Errand] = []
        self._used: dict[str, Counter] = {}
        self._checked: dict[str, None] = {}
        """The counters that this process has compared with their rows: what was written without a budget counts too."""
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

    def amend(self, token: str, amount: int) -> None:
        self._jobs.put(_Amend(token, amount))

    def release(self, token: str) -> None:
        self._jobs.put(_Release(token))

    async def warn(self, crossings: Sequence[Crossing]) -> Mapping[str, int]:
        found = await self._do(lambda tables: {each.key: tables.cross(each) for each in crossings})
        return {key: spent for key, spent in found.items() if spent is not None}

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
            with contextlib.closing(BudgetTables(self._file.path)) as tables:
                for counter in counters:
                    tables.check(counter)
                tables.forget()
        except (sqlite3.Error, OSError) as error:
            raise failure(self._file.path, error) from error

    async def _do(self, work: Callable[[BudgetTables], T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Errand(work, future))
        return await future

    def _run(self) -> None:
        while self._collect():
            self._work()
        self._work()
        self._refuse(BudgetStoreError("the budgets are closed"))
        self._file.close()

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
            case _Amend(token, amount):
                self._amends[token] = amount
            case _Release(token):
                self._asks = [ask for ask in self._asks if ask.token != token]
                self._releases.add(token)
            case _Errand():
                self._errands.append(job)

    def _work(self) -> None:
        if not (self._asks or self._amends or self._releases or self._errands):
            return
        try:
            self._do_all(self._file.tables())
        except Exception as error:  # whatever it is, the thread lives on: calls would wait for ever
            self._refuse(self._file.failed(error))
        else:
            self._file.worked()

    def _do_all(self, tables: BudgetTables) -> None:
        while self._errands:
            errand = self._errands[0]
            _deliver(errand.future, errand.work(tables))
            del self._errands[0]
        while (self._asks or self._amends or self._releases) and (unfilled := self._look(tables)):
            for counter in unfilled.values():
                tables.fill(counter)
                self._checked[counter.key] = None
            while len(self._checked) > MOST_KNOWN:
                del self._checked[next(iter(self._checked))]

    def _look(self, tables: BudgetTables) -> dict[str, Counter]:
        """Free what is to be freed, and tell those for whom it is decided.

        Returns the counters that are to be added up first.
        """
        now = time.time()
        unfilled: dict[str, Counter] = {}
        decided: dict[_Ask, Decision] = {}
        with tables.transaction():
            for token, amount in self._amends.items():
                tables.amend(token, amount)
            for token in self._releases:
                tables.release(token)
            standings: dict[str, Standing] = {}
            for ask in self._asks:
                missing = self._read(tables, ask, standings, now)
                unfilled.update(missing)
                if not missing and (decision := self._decide(tables, ask, standings, now)) is not None:
                    decided[ask] = decision
        self._amends.clear()
        self._releases.clear()
        for ask, decision in decided.items():
            _deliver(ask.future, decision)
        self._asks = [ask for ask in self._asks if ask not in decided]
        return unfilled

    def _read(self, tables: BudgetTables, ask: _Ask, standings: dict[str, Standing], now: float) -> dict[str, Counter]:
        """Add the standings of what is claimed. Returns the counters that are to be added up before."""
        missing: dict[str, Counter] = {}
        for claim in ask.claims:
            key = claim.counter.key
            if key not in standings:
                standing = tables.standing(claim.counter, now) if key in self._checked else None
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

    def _decide(self, tables: BudgetTables, ask: _Ask, standings: dict[str, Standing], now: float) -> Decision | None:
        """What becomes of the claims, where they stand so; None where they wait for others."""
        seen = {claim.counter.key: standings[claim.counter.key] for claim in ask.claims}
        decision = decide(ask.claims, seen, tuple(ask.crossed))
        if decision.refused:
            ask.look_at = time.monotonic() + ask.pause
            ask.pause = min(ask.pause * 2, LONGEST_PAUSE)
            return decision if _is_final(ask, decision) else None
        held = {claim.counter.key: claim.held for claim in ask.claims}
        amounts = [(key, amount, min(amount, held[key])) for key, amount in decision.granted.items()]
        tables.reserve(ask.token, amounts, now + ask.lease)
        for key, amount in decision.granted.items():
            standings[key] = standings[key]._replace(reserved=standings[key].reserved + amount)
        return decision

    def _refuse(self, error: BudgetStoreError) -> None:
        """Nobody waits for a database that fails."""
        for ask in self._asks:
            _deliver(ask.future, error)
        for errand in self._errands:
            _deliver(errand.future, error)
        self._asks, self._errands = [], []


def _is_final(ask: _Ask, decision: Decision) -> bool:
    """Whether waiting is of no use, or its time is up."""
    return time.monotonic() >= ask.give_up_at or not may_fit_later(ask.claims, decision)


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
