from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

import pytest

from fondation.stores.rows import Row
from fondation.stores.sqlite.aside import Aside
from fondation.stores.sqlite.changes import Change
from fondation.stores.sqlite.ledger import Entry
from fondation.stores.sqlite.spool import spools_beside
from fondation.stores.sqlite.waiting import WaitingRows

ONE, TWO = Entry(1), Entry(2)


@pytest.fixture
def queue() -> SimpleQueue[Change | None]:
    return SimpleQueue()


@pytest.fixture
def aside(path: Path, queue: SimpleQueue[Change | None]) -> Aside:
    return Aside(path, queue)


def row(status: str) -> Row:
    return {"agent_name": "Billing", "status": status}


def held(rows: WaitingRows) -> list[tuple[int, object]]:
    """Every row of every portion, in its order: the entry's key, and the status."""
    return [(entry.key, row and row["status"]) for changes, _ in rows.portions() for entry, row in changes.items()]


def test_rows_are_taken_only_while_the_writer_may_be_held_up(
    aside: Aside, queue: SimpleQueue[Change | None], path: Path
) -> None:
    queue.put(Change({ONE: row("running")}))
    aside.take()
    assert queue.qsize() == 1
    with aside.allowed(WaitingRows(path)):
        aside.take()
    assert queue.empty()
    assert len(spools_beside(path)) == 1


def test_the_end_stays_in_the_queue(aside: Aside, queue: SimpleQueue[Change | None], path: Path) -> None:
    queue.put(Change({ONE: row("running")}))
    queue.put(None)
    with aside.allowed(WaitingRows(path)):
        aside.take()
        aside.take()
    assert queue.get_nowait() is None
    assert queue.empty()


def test_where_nothing_was_taken_the_writer_keeps_its_rows(aside: Aside, path: Path) -> None:
    rows = WaitingRows(path)
    assert aside.hand_over(rows) == (rows, 0)


def test_a_writer_that_is_done_goes_on_with_what_was_taken(
    aside: Aside, queue: SimpleQueue[Change | None], path: Path
) -> None:
    rows = WaitingRows(path)
    rows.add({ONE: row("running")})
    with aside.allowed(rows):
        queue.put(Change({TWO: row("running")}))
        aside.take()
        rows.saved()
    taken, dropped = aside.hand_over(rows)
    assert (held(taken), dropped) == ([(1, "running"), (2, "running")], 0)
    taken.saved()
    assert spools_beside(path) == []


def test_a_writer_that_failed_keeps_its_rows_with_what_was_taken_over_them(
    aside: Aside, queue: SimpleQueue[Change | None], path: Path
) -> None:
    rows = WaitingRows(path)
    rows.add({ONE: row("running"), TWO: row("running")})
    with aside.allowed(rows):
        queue.put(Change({ONE: row("done"), TWO: None}))
        aside.take()
    (taken,) = spools_beside(path)
    kept, _ = aside.hand_over(rows)
    assert kept is rows
    assert held(kept) == [(1, "done"), (2, None)]
    (spool,) = spools_beside(path)
    assert spool != taken, "they are on disk all the time"


def test_what_finds_no_room_is_counted_once(
    aside: Aside, queue: SimpleQueue[Change | None], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.spool.MAX_BYTES", 10)
    monkeypatch.setattr("fondation.stores.sqlite.waiting.MAX_IN_MEMORY", 1)
    with aside.allowed(WaitingRows(path)):
        queue.put(Change({Entry(number): row("running") for number in range(4)}))
        aside.take()
    rows, dropped = aside.hand_over(WaitingRows(path))
    assert (len(rows), dropped) == (1, 3)
    assert aside.hand_over(rows) == (rows, 0)
