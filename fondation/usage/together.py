"""A large ledger read by several threads at once, each over a connection of its own, all at one moment."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

from fondation.usage.reading import LedgerConnection

MANY = 50_000
"""Calls; fewer are read before another thread has begun."""
MOST = 4
"""Threads; what is read is put together by one."""
TRIES = 20

Connections: TypeAlias = Sequence[sqlite3.Connection]

T = TypeVar("T")
R = TypeVar("R")


@contextlib.contextmanager
def together(connection: sqlite3.Connection) -> Generator[Connections, None, None]:
    """As many connections as are of use, of which the first is this one.

    All that is read over them in the block is of one moment, whatever is written meanwhile.
    """
    with contextlib.ExitStack() as closing:
        others = _others(connection)
        for other in others:
            closing.callback(other.close)
        connections = [connection, *others[1:]]
        if not others or not _begin_together(connections, watcher=others[0]):
            connections = [connection]
            connection.execute("BEGIN")
        try:
            yield connections
        finally:
            connection.execute("ROLLBACK")


def spread(connections: Connections, work: Callable[[sqlite3.Connection, T], R], tasks: Sequence[T]) -> Iterator[R]:
    """What comes of each task, in their order; over several connections they are done side by side."""
    if len(connections) == 1 or len(tasks) < 2:
        yield from (work(connections[0], task) for task in tasks)
        return
    from concurrent.futures import ThreadPoolExecutor

    idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
    for connection in connections:
        idle.put(connection)

    def run(task: T) -> R:
        connection = idle.get()
        try:
            return work(connection, task)
        finally:
            idle.put(connection)

    with ThreadPoolExecutor(len(connections)) as threads:
        yield from threads.map(run, tasks)


def _others(connection: sqlite3.Connection) -> list[LedgerConnection]:
    """A connection that watches what is written, and those that read; none where one thread is enough."""
    threads = min(_processors(), MOST)
    if not isinstance(connection, LedgerConnection) or threads < 2:
        return []
    largest: int | None = connection.execute("SELECT MAX(rowid) FROM usage_tracking").fetchone()[0]
    return [connection.another() for _ in range(threads)] if (largest or 0) >= MANY else []


def _begin_together(connections: Connections, watcher: sqlite3.Connection) -> bool:
    """Begin to read on all of them between two writes of others. False where there is never a pause."""
    for _ in range(TRIES):
        before = _version(watcher)
        for connection in connections:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM usage_tracking LIMIT 1").fetchone()  # only now does it really begin
        if _version(watcher) == before:
            return True
        for connection in connections:
            connection.execute("ROLLBACK")
    return False


def _version(connection: sqlite3.Connection) -> int:
    """It is another one as soon as anything has been written."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
