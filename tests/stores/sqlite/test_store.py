from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from fondation.calls import ModelCall, RunInfo
from fondation.stores import CannotOpen, UsageStore, open_store
from fondation.stores.sqlite import store as store_module
from fondation.stores.sqlite import writer as writer_module
from fondation.stores.sqlite.ledger import Ledger

from ..conftest import NewCall, Rows


async def eventually(condition: Callable[[], object], seconds: float = 3.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Another process holds the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def end(call: ModelCall) -> ModelCall:
    call.status, call.cost, call.cost_source, call.ended = "done", 0.25, "billed", call.started + 1
    return call


def write_letter(path: Path) -> bytes:
    """Put something that is no database where the database should be."""
    letter = b"a letter to grandmother\n" * 100
    path.write_bytes(letter)
    return letter


def read(path: Path) -> bytes:
    return path.read_bytes()


def spools(path: Path) -> list[Path]:
    return list(path.parent.glob("fondation.db-spool-*.jsonl"))


async def test_a_row_is_durable_when_begin_is_done(
    store: UsageStore, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    await store.begin(new_call(), run)
    (row,) = rows()
    assert (row["agent_name"], row["status"], row["cost_source"]) == ("Billing", "running", "pending")


async def test_what_a_call_learns_is_kept_at_once(
    store: UsageStore, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    call = new_call()
    await store.begin(call, run)
    call.generation_id, call.model = "gen-1", "acme/one-2026"
    store.note(call)
    await eventually(lambda: rows("generation_id = 'gen-1' AND model = 'acme/one-2026' AND status = 'running'"))


async def test_settling_completes_the_same_row(path: Path, rows: Rows, run: RunInfo, new_call: NewCall) -> None:
    store = open_store(path)
    call = new_call()
    await store.begin(call, run)
    store.settle(end(call))
    store.close()
    (row,) = rows()
    assert (row["status"], row["cost"], row["cost_pico"], row["duration"]) == ("done", 0.25, 250_000_000_000, 1000)


async def test_a_call_that_was_never_sent_leaves_no_row(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    store = open_store(path)
    committed, queued = new_call(), new_call()
    await store.begin(committed, run)
    store.withdraw(committed)
    store.begin(queued, run)
    store.withdraw(queued)
    store.close()
    assert rows() == []


async def test_a_hundred_calls_at_once_have_a_row_each(path: Path, rows: Rows, run: RunInfo, new_call: NewCall) -> None:
    store = open_store(path)
    calls = [new_call(step=number) for number in range(100)]
    await asyncio.gather(*(store.begin(call, run) for call in calls))
    assert sorted(row["step"] for row in rows()) == list(range(100))
    for call in calls:
        store.settle(end(call))
    store.close()
    assert {(row["step"], row["status"]) for row in rows()} == {(number, "done") for number in range(100)}


async def test_more_calls_than_one_transaction_takes_are_all_written(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    store = open_store(path)
    for number in range(1_200):
        call = new_call(step=number)
        store.begin(call, run)
        store.settle(end(call))
    store.close()
    assert len(rows("status = 'done'")) == 1_200


async def test_what_is_said_of_an_unknown_call_is_ignored(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    store = open_store(path)
    for method in (store.note, store.settle, store.withdraw):
        method(new_call())
    store.close()
    assert rows() == []


async def test_a_closed_store_says_what_it_does_not_keep(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path)
    store.close()
    store.close()
    await asyncio.wait_for(store.begin(new_call(), run), 1)
    assert rows() == []
    assert "Failed to save usage: the ledger is closed already" in caplog.text


async def test_while_the_database_is_locked_calls_go_on_and_rows_wait_beside_it(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path)
    before, within = new_call(step=1), new_call(step=2)
    await store.begin(before, run)
    async with locked(path):
        begun = time.monotonic()
        await store.begin(within, run)
        assert time.monotonic() - begun < 2
        begun = time.monotonic()
        await store.begin(new_call(step=3), run)
        assert time.monotonic() - begun < 0.24, "the next one is not waited for"
        store.settle(end(before))
        await eventually(lambda: spools(path) and b'"done"' in spools(path)[0].read_bytes())
        store.settle(end(within))
    await eventually(lambda: not spools(path))
    await eventually(lambda: len(rows("status = 'done'")) == 2)
    store.close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done"), (3, "running")]
    assert "Failed to save usage" in caplog.text
    assert "database is locked" in caplog.text
    assert "Can save usage" in caplog.text


async def test_rows_that_wait_at_the_end_are_written_at_the_next_start(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall
) -> None:
    store = open_store(path)
    first, second = new_call(step=1), new_call(step=2)
    await store.begin(first, run)
    async with locked(path):
        await store.begin(second, run)
        store.settle(end(first))
        store.settle(end(second))
        store.close()
        assert len(spools(path)) == 1
    open_store(path).close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "done")]
    assert spools(path) == []


async def test_a_removed_file_is_made_anew(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path)
    old, new = new_call(step=1), new_call(step=2)
    await store.begin(old, run)
    os.unlink(path)
    await store.begin(new, run)
    assert [row["step"] for row in rows()] == [2]
    store.settle(end(old))
    store.settle(end(new))
    store.close()
    assert {(row["step"], row["status"]) for row in rows()} == {(1, "done"), (2, "done")}
    assert "was removed, replaced or cut" in caplog.text


async def test_a_file_that_is_a_database_no_more_is_left_alone_until_it_is_gone(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(path)
    for file in path.parent.iterdir():
        file.unlink()
    letter = write_letter(path)
    call = new_call()
    await asyncio.wait_for(store.begin(call, run), 1)
    store.settle(end(call))
    await eventually(lambda: spools(path))
    assert read(path) == letter
    os.unlink(path)
    await eventually(lambda: not spools(path))
    store.close()
    assert [row["status"] for row in rows()] == ["done"]
    assert "file is not a database" in caplog.text


async def test_where_nothing_can_be_written_answers_go_on_and_the_loss_is_told(
    tmp_path: Path, run: RunInfo, new_call: NewCall, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(tmp_path / "data" / "fondation.db")
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data").write_text("not a folder")
    for _ in range(3):
        await asyncio.wait_for(store.begin(new_call(), run), 1)
    store.close()
    assert "rows lost: 3" in caplog.text


async def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    open_store(tmp_path / "data" / "usage" / "fondation.db").close()
    assert (tmp_path / "data" / "usage" / "fondation.db").exists()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "fondation-usage"]


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    letter = write_letter(path)
    with pytest.raises(CannotOpen, match=r"^file is not a database$") as refused:
        open_store(path)
    assert refused.value.help == "if fondation made it, move the damaged file away and a new one is made"
    assert read(path) == letter
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert threads() == []


def test_a_damaged_database_is_refused(path: Path) -> None:
    open_store(path).close()
    path.write_bytes(read(path)[:4096] + b"\xff" * 8192)
    with pytest.raises(CannotOpen, match="database disk image is malformed"):
        open_store(path)


def test_a_database_that_can_only_be_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(path).close()
    connect = sqlite3.connect

    def connect_to_read(database: Path, **options: Any) -> Any:
        """What SQLite does with a file that it may not write; root may write any."""
        return connect(f"{database.as_uri()}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", connect_to_read)
    with pytest.raises(CannotOpen, match="readonly database") as refused:
        open_store(path)
    assert "this user can write" in refused.value.help


def test_a_folder_is_no_ledger(path: Path) -> None:
    path.mkdir()
    with pytest.raises(CannotOpen, match="unable to open database file"):
        open_store(path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CannotOpen, match=f"^{tmp_path}/file: File exists$"):
        open_store(tmp_path / "file" / "fondation.db")


def test_a_database_with_another_table_of_that_name_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE VIEW usage_tracking AS SELECT 1 AS one")
    with pytest.raises(CannotOpen, match="view") as refused:
        open_store(path)
    assert "another program made it" in refused.value.help


@pytest.mark.parametrize("exists", [True, False])
async def test_a_database_that_is_only_locked_is_opened_when_it_is_free(
    path: Path, rows: Rows, run: RunInfo, new_call: NewCall, exists: bool
) -> None:
    if exists:
        open_store(path).close()
    async with locked(path):
        store = open_store(path)
        call = new_call()
        await asyncio.wait_for(store.begin(call, run), 1)
        store.settle(end(call))
        await eventually(lambda: spools(path))
    await eventually(lambda: not spools(path))
    store.close()
    assert [row["status"] for row in rows()] == ["done"]


def test_a_database_that_is_slow_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowLedger(Ledger):
        def __init__(self, path: Path, owner: str) -> None:
            time.sleep(1)
            super().__init__(path, owner)

    monkeypatch.setattr(store_module, "OPEN_SECONDS", 0.05)
    monkeypatch.setattr(writer_module, "Ledger", SlowLedger)
    begun = time.monotonic()
    store = open_store(path)
    assert time.monotonic() - begun < 0.9
    store.close()
