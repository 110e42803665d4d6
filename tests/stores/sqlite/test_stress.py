"""The writer under stress: whatever the disk does, calls go on, and no row that has a place is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fondation.calls import ModelCall, RunInfo
from fondation.stores import UsageStore, open_store
from fondation.stores.sqlite import waiting as waiting_module
from fondation.stores.sqlite import writer as writer_module
from fondation.stores.sqlite.ledger import Changes, Ledger

from ..conftest import NewCall, Rows
from .test_store import end, eventually, spools

NOTHING = 0


@contextmanager
def room_for(size: int) -> Generator[None, None, None]:
    """No file of this process can grow beyond this size, in bytes: what a full disk does to them."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)


class Stall:
    """A disk that stands still, from when it is told to until it is told to go on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.begun = threading.Event()
        self.over.set()
        self.error: Exception | None = None
        """What the disk says when it goes on, once."""

    def stop(self) -> None:
        self.over.clear()

    def wait(self) -> None:
        if not self.over.is_set():
            self.begun.set()
            self.over.wait(10)
        error, self.error = self.error, None
        if error is not None:
            raise error


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    stall = Stall()

    class SlowLedger(Ledger):
        def save(self, changes: Changes, spool: Path | None = None) -> None:
            stall.wait()
            super().save(changes, spool)

    monkeypatch.setattr(writer_module, "Ledger", SlowLedger)
    yield stall
    stall.over.set()


def database_room(path: Path) -> int:
    """So much that the log beside the database cannot grow, and a spool can."""
    return path.with_name(f"{path.name}-wal").stat().st_size


async def make_twenty_calls(store: UsageStore, run: RunInfo, new_call: NewCall) -> None:
    for step in range(20):
        call = new_call(step=step)
        await asyncio.wait_for(store.begin(call, run), 1)
        store.settle(end(call))


async def test_while_the_database_has_no_room_rows_wait_in_the_spool(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path)
    before, within = new_call(step=1), new_call(step=2)
    await store.begin(before, run)
    with room_for(database_room(path)):
        await asyncio.wait_for(store.begin(within, run), 1)
        store.settle(end(before))
        await eventually(lambda: spools(path) and b'"done"' in spools(path)[0].read_bytes())
        assert [row["status"] for row in rows()] == ["running"]
    await eventually(lambda: not spools(path))
    store.settle(end(within))
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done")]
    assert "Answers go on; rows that wait" in caplog.text
    assert "Can save usage to" in caplog.text


async def test_on_a_full_disk_rows_wait_in_memory(path: Path, rows: Rows, run: RunInfo, new_call: NewCall) -> None:
    store = open_store(path)
    with room_for(NOTHING):
        await make_twenty_calls(store, run, new_call)
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(step, "done") for step in range(20)]
    assert losses(path) == 0


async def test_what_finds_no_room_at_all_is_counted_in_the_ledger_and_the_log(
    path: Path,
    rows: Rows,
    run: RunInfo,
    new_call: NewCall,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_module, "MAX_IN_MEMORY", 5)
    store = open_store(path)
    with room_for(NOTHING):
        await make_twenty_calls(store, run, new_call)
    store.close()
    kept = len(rows())
    assert 5 <= kept < 20
    assert losses(path) >= 20 - kept
    assert f"rows lost: {losses(path)}" in caplog.text


async def test_a_loss_is_counted_once_however_often_what_comes_after_it_fails(
    path: Path, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 0

    def take_over(self: Ledger) -> int:
        nonlocal failures
        failures += 1
        if failures <= 3:
            raise sqlite3.OperationalError("disk I/O error")
        return 0

    monkeypatch.setattr(waiting_module, "MAX_IN_MEMORY", 5)
    store = open_store(path)
    monkeypatch.setattr(Ledger, "take_over", take_over)
    with room_for(NOTHING):
        for step in range(20):
            await asyncio.wait_for(store.begin(new_call(step=step), run), 1)
    await eventually(lambda: failures > 3)
    store.close()
    assert losses(path) == 15
    assert caplog.text.count("rows lost: 15") == 1


def losses(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute("SELECT COALESCE(SUM(rows), 0) FROM usage_losses").fetchone()[0]
    return count


def damage(path: Path) -> bytes:
    """Put nonsense into the very file that is open; returns what it held."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound = path.read_bytes()
    write_over(path, b"\xff" * len(sound))
    return sound


def write_over(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)


async def test_while_the_database_is_damaged_rows_wait_beside_it(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    store = open_store(path)
    before, within = new_call(step=1), new_call(step=2)
    await store.begin(before, run)
    sound = damage(path)
    await asyncio.wait_for(store.begin(within, run), 1)
    store.settle(end(before))
    store.settle(end(within))
    await eventually(lambda: spools(path) and spools(path)[0].read_bytes().count(b'"done"') == 2)
    write_over(path, sound)
    await eventually(lambda: not spools(path))
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done")]


def damage_behind_its_back(path: Path) -> bytes:
    """The same, where the pages that the open connection needs are in its memory."""
    sound = path.read_bytes()
    write_over(path, sound[:4096] + b"\xff" * (len(sound) - 4096))
    return sound


async def test_damage_that_the_open_connection_does_not_see_is_found_all_the_same(
    path: Path,
    rows: Rows,
    run: RunInfo,
    new_call: NewCall,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "CHORES_SECONDS", 0.01)
    open_store(path).close()
    store = open_store(path)
    before, within = new_call(step=1), new_call(step=2)
    await store.begin(before, run)
    sound = damage_behind_its_back(path)
    await eventually(lambda: "malformed" in caplog.text)
    store.settle(end(before))
    await store.begin(within, run)
    await eventually(lambda: spools(path))
    write_over(path, sound)
    await eventually(lambda: not spools(path))
    store.close()
    assert {row["step"] for row in rows()} == {1, 2}


async def hurried(store: Any, call: ModelCall, run: RunInfo) -> None:
    """What the recorder does with a row that takes too long."""
    durable = store.begin(call, run)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(durable), 0.02)
    store.hurry()
    await asyncio.wait_for(durable, 2)


async def test_what_waits_for_a_slow_disk_is_in_the_spool_until_it_answers(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, stall: Stall
) -> None:
    store = open_store(path)
    calls = [new_call(step=step) for step in range(1, 5)]
    await store.begin(calls[0], run)
    stall.stop()
    store.settle(end(calls[0]))
    await asyncio.to_thread(stall.begun.wait, 5)
    await hurried(store, calls[1], run)
    await hurried(store, calls[2], run)
    store.settle(end(calls[1]))
    (spool,) = spools(path)
    assert spool.read_bytes().count(b'"running"') == 2
    assert spool.read_bytes().count(b'"done"') == 1, "the row that the disk holds up is there too"
    stall.over.set()
    await eventually(lambda: not spools(path))
    store.settle(end(calls[2]))
    await store.begin(calls[3], run)
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done"), (3, "done"), (4, "running")]


async def test_the_end_of_a_call_is_told_once_its_row_says_so(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, stall: Stall
) -> None:
    told: list[tuple[int, object, list[dict[str, Any]]]] = []
    store = open_store(path, on_ended=lambda call, origin: told.append((call.step, origin["run_id"], rows())))
    call = new_call(step=1)
    await store.begin(call, run)
    stall.stop()
    store.settle(end(call))
    await asyncio.to_thread(stall.begun.wait, 5)
    assert told == []
    stall.over.set()
    await eventually(lambda: told)
    store.close()
    [(step, run_id, kept)] = told
    assert (step, run_id, kept[0]["status"]) == (1, run.run_id, "done")


async def test_what_was_taken_while_the_disk_stood_still_is_newer_than_what_it_failed_to_write(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, stall: Stall
) -> None:
    store = open_store(path)
    calls = [new_call(step=step) for step in range(1, 3)]
    await store.begin(calls[0], run)
    stall.stop()
    store.begin(calls[1], run)
    await asyncio.to_thread(stall.begun.wait, 5)
    store.settle(end(calls[0]))
    store.settle(end(calls[1]))
    await hurried(store, new_call(step=3), run)
    stall.error = sqlite3.OperationalError("disk I/O error")
    stall.over.set()
    await eventually(lambda: len(rows("status = 'done'")) == 2)
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done"), (3, "running")]
    assert spools(path) == []


async def test_what_a_slow_disk_holds_up_at_the_end_is_written_at_the_next_start(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.store.CLOSE_SECONDS", 0.05)
    store = open_store(path)
    calls = [new_call(step=step) for step in range(1, 3)]
    await store.begin(calls[0], run)
    stall.stop()
    store.settle(end(calls[0]))
    await asyncio.to_thread(stall.begun.wait, 5)
    store.begin(calls[1], run)
    store.settle(end(calls[1]))
    store.close()
    assert len(spools(path)) == 1
    stall.over.set()
    await eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "fondation-usage"])
    open_store(path).close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done")]
    assert spools(path) == []


async def test_without_a_stall_hurry_changes_nothing(path: Path, rows: Rows, run: RunInfo, new_call: NewCall) -> None:
    store = open_store(path)
    for step in range(50):
        call = new_call(step=step)
        store.begin(call, run)
        store.hurry()
        store.settle(end(call))
        await asyncio.sleep(0)
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(step, "done") for step in range(50)]
    assert spools(path) == []
