from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fondation.calls import RunInfo
from fondation.stores.rows import Row, row_of
from fondation.stores.sqlite.ledger import Entry, Ledger

from ..conftest import NewCall, Rows


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path, "me")) as ledger:
        yield ledger


@pytest.fixture
def row(new_call: NewCall, run: RunInfo) -> Row:
    return row_of(new_call(), run, "me")


def owners(path: Path) -> dict[str, float]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT owner, lease_until FROM usage_owners"))


def test_a_row_is_written_once_then_changed_then_removed(ledger: Ledger, rows: Rows, row: Row) -> None:
    entry = Entry(1)
    ledger.save({entry: row})
    ledger.save({entry: row | {"status": "done"}})
    assert [(found["id"], found["status"]) for found in rows()] == [(entry.row_id, "done")]
    ledger.save({entry: None})
    assert rows() == []


def test_what_was_begun_is_not_changed_by_what_ends(ledger: Ledger, rows: Rows, row: Row) -> None:
    entry = Entry(1)
    ledger.save({entry: row})
    ledger.save({entry: row | {"agent_name": "Another"}})
    assert [found["agent_name"] for found in rows()] == ["Billing"]


def test_a_row_that_is_gone_is_written_again(ledger: Ledger, rows: Rows, row: Row) -> None:
    ledger.save({Entry(1, row_id=99, file="another file"): row})
    entry = Entry(2)
    ledger.save({entry: row})
    entry.row_id = 99
    ledger.save({entry: row})
    assert [found["id"] for found in rows()] == [1, 2, 3]


def test_a_row_that_the_table_refuses_does_not_hold_up_the_others(
    ledger: Ledger, rows: Rows, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.save({Entry(1): row | {"cost": None}, Entry(2): row | {"total_tokens": 2**70}, Entry(3): row})
    assert len(rows()) == 1
    assert caplog.text.count("the table refuses a row") == 2


def test_a_spool_is_saved_once(ledger: Ledger, rows: Rows, row: Row, path: Path) -> None:
    spool = path.with_name("fondation.db-spool-1.jsonl")
    spool.touch()
    for _ in range(2):
        ledger.save({Entry(1): row}, spool)
        ledger.forget_spools()
    assert len(rows()) == 1
    spool.unlink()
    ledger.forget_spools()
    ledger.save({Entry(1): row}, spool)
    assert len(rows()) == 2


def test_a_row_of_a_spool_that_was_written_before_its_process_died_is_found_again(
    ledger: Ledger, rows: Rows, row: Row, path: Path
) -> None:
    ledger.save({Entry(1): row | {"number": 1}, Entry(2): row | {"number": 2}})
    spool = path.with_name("fondation.db-spool-1.jsonl")
    ledger.save({Entry(2): row | {"number": 2, "status": "done"}, Entry(3): row | {"number": 3}}, spool)
    assert [(found["number"], found["status"]) for found in rows()] == [(1, "running"), (2, "done"), (3, "running")]


def test_who_writes_rows_has_a_lease_of_half_a_minute(ledger: Ledger, row: Row, path: Path) -> None:
    assert owners(path) == {}
    ledger.save({Entry(1): row})
    assert owners(path)["me"] == pytest.approx(time.time() + 30, abs=2)


def test_a_lease_is_renewed_and_ends_with_the_process(path: Path) -> None:
    ledger = Ledger(path, "me")
    ledger.renew_lease()
    first = owners(path)["me"]
    time.sleep(0.01)
    ledger.renew_lease()
    assert owners(path)["me"] > first
    ledger.close()
    assert owners(path) == {}


def test_only_running_rows_of_lapsed_owners_are_taken_over(ledger: Ledger, rows: Rows, row: Row, path: Path) -> None:
    with closing(Ledger(path, "living")) as living:
        living.save({Entry(1): row | {"owner": "living"}})
        ledger.save(
            {Entry(1): row, Entry(2): row | {"owner": "gone"}, Entry(3): row | {"owner": "gone", "status": "done"}}
        )
        assert ledger.take_over() == 1
    assert {(found["owner"], found["status"]) for found in rows()} == {
        ("living", "running"),
        ("me", "running"),
        ("gone", "lost"),
        ("gone", "done"),
    }


def test_a_call_that_was_taken_for_lost_still_ends_as_it_ended(
    ledger: Ledger, rows: Rows, row: Row, path: Path
) -> None:
    entry = Entry(1)
    ledger.save({entry: row})
    with closing(Ledger(path, "another")) as another:
        ledger.close()
        assert another.take_over() == 1
    with closing(Ledger(path, "me")) as back:
        back.save({entry: row | {"status": "done", "cost_source": "billed"}})
    assert [(found["status"], found["cost_source"]) for found in rows()] == [("done", "billed")]


def test_a_file_that_is_replaced_has_moved(ledger: Ledger, path: Path) -> None:
    assert not ledger.is_moved()
    path.rename(path.with_name("old.db"))
    assert ledger.is_moved()
    path.touch()
    assert ledger.is_moved()


def test_a_file_that_is_cut_has_moved(ledger: Ledger, path: Path) -> None:
    path.write_bytes(b"")
    assert ledger.is_moved()
