from __future__ import annotations

from pathlib import Path

import pytest

from fondation.stores.rows import COLUMNS, Row
from fondation.stores.sqlite import waiting
from fondation.stores.sqlite.ledger import Entry
from fondation.stores.sqlite.spool import Line, Spool
from fondation.stores.sqlite.waiting import WaitingRows, changes_of


@pytest.fixture
def rows(path: Path) -> WaitingRows:
    return WaitingRows(path)


def row(agent: str) -> Row:
    return dict.fromkeys(COLUMNS) | {"agent_name": agent}


def saved_in_order(rows: WaitingRows) -> list[tuple[int, str | None]]:
    return [
        (entry.key, str(change["agent_name"]) if change else None)
        for changes, _ in rows.portions()
        for entry, change in changes.items()
    ]


def test_of_several_changes_the_last_is_kept(rows: WaitingRows) -> None:
    entry = Entry(1)
    rows.add({entry: row("begun")})
    rows.add({entry: row("settled")})
    assert saved_in_order(rows) == [(1, "settled")]
    assert len(rows) == 1


def test_what_was_parked_is_saved_before_what_came_later(rows: WaitingRows) -> None:
    entry = Entry(1)
    rows.add({entry: row("begun")})
    assert rows.park() == 0
    rows.add({entry: row("settled")})
    assert saved_in_order(rows) == [(1, "begun"), (1, "settled")]
    assert [(list(changes), spool) for changes, spool in rows.portions()] == [([entry], rows.spool), ([entry], None)]
    assert rows.spool is not None


def test_what_is_saved_waits_no_more(rows: WaitingRows) -> None:
    rows.add({Entry(1): row("one")})
    rows.park()
    rows.add({Entry(2): row("two")})
    rows.saved()
    assert (len(rows), saved_in_order(rows), rows.spool) == (0, [], None)


def test_nothing_is_parked_where_nothing_waits(rows: WaitingRows) -> None:
    assert (rows.park(), rows.spool) == (0, None)


def test_where_the_spool_fails_rows_wait_in_memory_up_to_a_bound(
    rows: WaitingRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(spool: Spool, lines: list[Line]) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Spool, "append", fail)
    monkeypatch.setattr(waiting, "MAX_IN_MEMORY", 3)
    rows.add({Entry(key): row(str(key)) for key in range(5)})
    assert rows.park() == 2
    assert saved_in_order(rows) == [(0, "0"), (1, "1"), (2, "2")]
    assert rows.leave() == 3


def test_a_spools_lines_are_merged_and_completed() -> None:
    lines = [Line(1, None, None, {"agent_name": "begun"}), Line(2, 7, "mark", {}), Line(1, None, None, {"cost": 1.0})]
    changes = changes_of([*lines, Line(2, 7, "mark", None)], {})
    (one, first), (two, second) = changes.items()
    assert (one.row_id, two.row_id, two.file, second) == (None, 7, "mark", None)
    assert first == dict.fromkeys(COLUMNS) | {"cost": 1.0}
