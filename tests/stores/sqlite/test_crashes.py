"""Several processes on one file, some of which are killed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fondation.stores import open_store

from ..conftest import Rows

SCRIPT = Path(__file__).with_name("crashing.py")


@contextmanager
def process(path: Path, behaviour: str) -> Iterator[subprocess.Popen[str]]:
    """A process with calls open. It is killed at the end, without a chance to clean up."""
    command = [sys.executable, str(SCRIPT), str(path), behaviour]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as crashing:
        try:
            yield crashing
        finally:
            crashing.kill()


def read_line(crashing: subprocess.Popen[str]) -> str:
    assert crashing.stdout is not None
    return crashing.stdout.readline().strip()


def statuses(rows: Rows) -> dict[int, tuple[str, str]]:
    return {row["step"]: (row["status"], row["cost_source"]) for row in rows()}


def test_a_killed_process_loses_no_settled_row_and_its_open_calls_become_lost(path: Path, rows: Rows) -> None:
    with process(path, "steady") as crashing:
        assert read_line(crashing) == "ready"
    left = {1: ("done", "billed"), 2: ("running", "pending"), 3: ("running", "pending"), 4: ("running", "pending")}
    assert statuses(rows) == left
    open_store(path).close()
    lost = ("lost", "pending")
    assert statuses(rows) == {1: ("done", "billed"), 2: lost, 3: lost, 4: lost}
    assert [row["generation_id"] for row in rows()] == [None, "gen-2", None, None]


def test_the_rows_of_a_living_process_are_left_alone(path: Path, rows: Rows) -> None:
    with process(path, "steady") as crashing:
        assert read_line(crashing) == "ready"
        open_store(path).close()
        assert [row["status"] for row in rows()] == ["done", "running", "running", "running"]


def test_a_process_that_was_not_heard_of_for_the_length_of_a_lease_is_taken_for_dead(path: Path, rows: Rows) -> None:
    with process(path, "steady") as crashing:
        assert read_line(crashing) == "ready"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE usage_owners SET lease_until = lease_until - 31")
        open_store(path).close()
        assert [row["status"] for row in rows()] == ["done", "lost", "lost", "lost"]


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_every_row_that_was_durable_is_there_after_a_kill(path: Path, rows: Rows, seconds: float) -> None:
    with process(path, "busy") as crashing:
        assert read_line(crashing) == "1"
        time.sleep(seconds)
        crashing.kill()
        assert crashing.stdout is not None
        said = [int(line) for line in crashing.stdout.read().split() if line.isdigit()]
    open_store(path).close()
    steps = [row["step"] for row in rows()]
    assert len(said) > 5
    assert len(steps) == len(set(steps))
    assert set(said) <= set(steps)
    assert {row["status"] for row in rows()} <= {"done", "lost"}
    assert len(rows("status = 'lost'")) <= 2


def test_two_processes_share_the_file(path: Path, rows: Rows) -> None:
    with process(path, "busy") as one, process(path, "busy") as two:
        assert read_line(one) == read_line(two) == "1"
        time.sleep(0.3)
        for crashing in (one, two):
            crashing.kill()
        said = [int(crashing.stdout.read().split()[-1]) for crashing in (one, two) if crashing.stdout]
    open_store(path).close()
    assert min(said) > 5
    assert sum(said) <= len(rows()) <= sum(said) + 2


def test_a_kill_while_rows_wait_in_the_spool_loses_none_and_doubles_none(path: Path, rows: Rows) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with process(path, "busy") as crashing:
            assert [read_line(crashing) for _ in range(20)] == [str(step) for step in range(1, 21)]
        other.execute("ROLLBACK")
    assert rows() == []
    for _ in range(2):
        open_store(path).close()
    steps = [row["step"] for row in rows()]
    assert steps[:20] == list(range(1, 21))
    assert len(steps) == len(set(steps))
    assert list(path.parent.glob("*spool*")) == []


@pytest.mark.parametrize("when", ["stalled", "stalled-late"])
def test_a_kill_while_the_disk_stands_still_loses_none_and_doubles_none(path: Path, rows: Rows, when: str) -> None:
    with process(path, when) as crashing:
        assert read_line(crashing) == "ready"
    open_store(path).close()
    assert [(row["step"], row["status"]) for row in rows()] == [(1, "done"), (2, "lost")]
    assert list(path.parent.glob("*spool*")) == []
