"""One proof from its beginning to its end: scenes, kills, the wait for what is settled late, the comparison."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from .books import Books
from .driver import Driver
from .fleet import Fleet, fleet, upstream
from .project import write_project
from .scenes import Scene, plan

AT_ONCE = 24
"""Scenes."""
SETTLE_SECONDS = 120.0
"""The longest that calls may stay pending when all scenes are over: receipts come late, and are asked for with pauses
that double."""
LOOK_SECONDS = 0.2
BUSY_CALLS, BUSY_LOOKS = 3, 500
LOCK_SECONDS = 0.8
"""For how long another program keeps the database to itself; longer than calls wait for their rows."""


@dataclass(frozen=True, slots=True)
class Size:
    calls: int
    """About so many."""
    processes: int
    kills: int
    """SIGKILL and SIGTERM by turns, beginning with the former."""
    seed: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is left when all is over."""

    folder: Path
    scenes: dict[int, Scene]
    books: Books
    killed: set[int]
    stopped: set[int]
    seconds: float


async def run(folder: Path, size: Size) -> Evidence:
    """Play a proof of this size in an empty folder."""
    began = time.monotonic()
    scenes = plan(size.calls, size.seed)
    async with upstream(size.seed) as url:
        plain = f"{url}/plain/v1"
        write_project(folder, f"{url}/router/v1", plain)
        async with fleet(folder, plain, size.processes) as servers:
            database = folder / "fondation.db"
            await _play(scenes, servers, size, database)
            await _settled(database)
            await servers.end()
            books = await _books(url)
        told = {scene.number: scene for scene in scenes}
        return Evidence(folder, told, books, servers.killed, servers.stopped, time.monotonic() - began)


async def _play(scenes: Sequence[Scene], servers: Fleet, size: Size, database: Path) -> None:
    """All scenes, some at once; servers are ended at even distances between them."""
    driver, places = Driver(servers, size.seed), asyncio.Semaphore(AT_ONCE)
    ends = {len(scenes) * (number + 1) // (size.kills + 1): number for number in range(size.kills)}

    async def play(scene: Scene) -> None:
        try:
            await driver.play(scene)
        finally:
            places.release()

    async with asyncio.TaskGroup() as group:
        replacing: asyncio.Task[None] | None = None
        for index, scene in enumerate(scenes):
            await places.acquire()
            group.create_task(play(scene))
            if (number := ends.get(index)) is not None:
                if replacing is not None:
                    await replacing
                replacing = group.create_task(_trouble(servers, number, database))


async def _trouble(servers: Fleet, number: int, database: Path) -> None:
    """End a server in the middle of what it does, and start it again; every other pair of them while the database is
    locked.
    """
    how = signal.SIGTERM if number % 2 else signal.SIGKILL
    if number % 4 < 2:
        await _busy(servers.pid_of(number), database)
        await servers.replace(number, how)
        return
    async with _locked(database):
        await asyncio.sleep(LOCK_SECONDS / 2)
        replacing = asyncio.ensure_future(servers.replace(number, how))
        await asyncio.sleep(LOCK_SECONDS / 2)
    await replacing


async def _busy(pid: int, database: Path) -> None:
    """Until calls of this process are under way, or it is clear that none come."""
    query = "SELECT COUNT(*) FROM usage_tracking WHERE status = 'running' AND owner LIKE ?"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for _ in range(BUSY_LOOKS):
            if connection.execute(query, (f"%:{pid}:%",)).fetchone()[0] >= BUSY_CALLS:
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _locked(database: Path) -> AsyncIterator[None]:
    """Another program writes, and takes its time."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as connection:
        await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


async def _settled(database: Path) -> None:
    """Until nothing runs and nothing is pending."""
    query = "SELECT * FROM usage_tracking WHERE cost_source = 'pending' LIMIT 1"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for _ in range(round(SETTLE_SECONDS / LOOK_SECONDS)):
            if not (pending := connection.execute(query).fetchone()):
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise AssertionError(f"it is pending for ever: {pending}")


async def _books(url: str) -> Books:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/books") as response:
        return msgspec.json.decode(await response.read(), type=Books)
