from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fondation.usage import together as module
from fondation.usage.reading import open_to_read
from fondation.usage.together import spread, together

from .conftest import Fill, insert


@pytest.fixture(autouse=True)
def _large_on_three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    monkeypatch.setattr(module, "_processors", lambda: 3)


def count(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("SELECT COUNT(*) FROM usage_tracking").fetchone()[0]
    return number


def written_to(path: Path) -> sqlite3.Connection:
    """A writer that has written, so that there is a log, which readers follow."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("UPDATE usage_tracking SET cost = 1")
    return writer


def test_a_large_ledger_is_read_over_several_connections(path: Path, fill: Fill) -> None:
    fill({}, {})
    with closing(open_to_read(path)) as connection, together(connection) as connections:
        assert connections[0] is connection
        assert [count(each) for each in connections] == [2, 2, 2]


def test_a_small_one_is_read_over_one(path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill({}, {})
    monkeypatch.setattr(module, "MANY", 3)
    with closing(open_to_read(path)) as connection, together(connection) as connections:
        assert list(connections) == [connection]


def test_so_is_every_ledger_where_there_is_one_processor(
    path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill({}, {})
    monkeypatch.setattr(module, "_processors", lambda: 1)
    with closing(open_to_read(path)) as connection, together(connection) as connections:
        assert list(connections) == [connection]


def test_what_is_written_meanwhile_is_seen_by_none(path: Path, fill: Fill) -> None:
    fill({}, {})
    with closing(written_to(path)), closing(open_to_read(path)) as connection, together(connection) as connections:
        insert(path, {})
        assert [count(each) for each in connections] == [2, 2, 2]
        with closing(sqlite3.connect(path)) as other:
            assert count(other) == 3


def test_connections_that_begin_around_a_write_begin_again(path: Path, fill: Fill) -> None:
    fill({}, {})
    with closing(written_to(path)), closing(open_to_read(path)) as connection:
        calls: list[dict[str, Any]] = [{}]

        def write_once(text: str) -> None:
            if "LIMIT 1" in text and calls:
                insert(path, calls.pop())

        connection.set_trace_callback(write_once)
        with together(connection) as connections:
            assert [count(each) for each in connections] == [3, 3, 3]


def test_where_others_write_all_the_time_one_connection_reads(path: Path, fill: Fill) -> None:
    fill({}, {})
    with closing(written_to(path)), closing(open_to_read(path)) as connection:
        connection.set_trace_callback(lambda text: insert(path, {}) if "LIMIT 1" in text else None)
        with together(connection) as connections:
            assert list(connections) == [connection]
        assert count(connection) == 2 + module.TRIES


def test_all_of_them_are_given_back(path: Path, fill: Fill) -> None:
    fill({}, {})
    with closing(open_to_read(path)) as connection:
        with together(connection) as connections:
            others = connections[1:]
        assert not connection.in_transaction
        for other in others:
            with pytest.raises(sqlite3.ProgrammingError, match="closed"):
                other.execute("SELECT 1")


def test_tasks_are_done_side_by_side_and_told_in_order(path: Path, fill: Fill) -> None:
    fill({}, {})
    both_there = threading.Barrier(2, timeout=20)

    def work(connection: sqlite3.Connection, task: int) -> tuple[int, int]:
        both_there.wait()
        return task, count(connection)

    with closing(open_to_read(path)) as connection, together(connection) as connections:
        assert list(spread(connections[:2], work, range(4))) == [(task, 2) for task in range(4)]


def test_what_a_task_raises_is_raised(path: Path, fill: Fill) -> None:
    fill({}, {})

    def work(connection: sqlite3.Connection, task: str) -> None:
        connection.execute(task)

    with (
        closing(open_to_read(path)) as connection,
        together(connection) as connections,
        pytest.raises(sqlite3.OperationalError, match="nothing_there"),
    ):
        list(spread(connections, work, ["SELECT 1", "SELECT * FROM nothing_there"]))
