from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from fondation.stores import open_store
from fondation.usage.filters import Filters
from fondation.usage.reading import NoLedger, NothingRecorded, open_to_read
from fondation.usage.reports import count_calls, report

from .conftest import Fill, insert

BASE_TABLE = """
    CREATE TABLE usage_tracking (id integer PRIMARY KEY AUTOINCREMENT, agent_name text NOT NULL, session_id text,
    user_id text, total_tokens integer NOT NULL, prompt_tokens integer, completion_tokens integer, cost real NOT NULL,
    model text, method text, finish_reason text, duration integer, handoff_chain text, timestamp integer NOT NULL)
"""


def test_reading_leaves_no_trace(path: Path, fill: Fill) -> None:
    fill({"cost": 0.25})
    before = {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}
    with closing(open_to_read(path)) as connection:
        report(connection, Filters(), ["agent"], UTC)
    assert {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()} == before


def test_what_a_living_process_wrote_is_read(path: Path, fill: Fill) -> None:
    fill()
    with closing(open_store(path)):
        insert(path, {"cost": 0.25})
        with closing(open_to_read(path)) as connection:
            assert report(connection, Filters(), ["agent"], UTC).total.calls == 1


def test_the_ledger_cannot_be_changed(path: Path, fill: Fill) -> None:
    fill()
    with closing(open_to_read(path)) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM usage_tracking")
    with (
        closing(open_store(path)),
        closing(open_to_read(path)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM usage_tracking")


def test_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(NothingRecorded, match="there is no file"):
        open_to_read(path)
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize(
    ("content", "complaint", "is_new"),
    [
        (b"", "has no table usage_tracking", True),
        (b"a letter to grandmother" * 99, "cannot be read: file is not a database", False),
    ],
)
def test_a_file_that_is_no_ledger_is_said_to_be_none(path: Path, content: bytes, complaint: str, is_new: bool) -> None:
    path.write_bytes(content)
    with pytest.raises(NoLedger, match=complaint) as raised:
        open_to_read(path)
    assert isinstance(raised.value, NothingRecorded) is is_new


def test_a_table_with_the_base_columns_alone_is_read_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(BASE_TABLE)
        for cost in (0.5, 0.25, 0):
            connection.execute(
                "INSERT INTO usage_tracking (agent_name, total_tokens, cost, model, duration, timestamp) "
                "VALUES ('Billing', 10, ?, 'acme/one', 100, 1795392000)",
                [cost],
            )
    with closing(open_to_read(path)) as connection:
        total = report(connection, Filters(model="acme/one"), ["provider"], UTC).total
    assert (total.runs, total.calls, total.total_tokens, str(total.cost)) == (3, 3, 30, "0.75")
    assert (total.unknown_cost_calls, total.p50_ms) == (1, 100)


def test_a_table_with_the_base_columns_alone_is_widened_by_the_store(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(BASE_TABLE)
        connection.execute(
            "INSERT INTO usage_tracking (agent_name, total_tokens, cost, timestamp) VALUES ('Old', 1, 0.1, 1)"
        )
    open_store(path).close()
    insert(path, {"cost": 0.2, "run_id": "run_1"})
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT agent_name, cost_pico, status FROM usage_tracking").fetchall()
    assert rows == [("Old", 100_000_000_000, None), ("Billing", 200_000_000_000, "done")]


def test_names_with_special_characters_are_files_too(tmp_path: Path) -> None:
    path = tmp_path / "50% off? yes#1.db"
    open_store(path).close()
    insert(path, {})
    with closing(open_to_read(path)) as connection:
        assert count_calls(connection) == 1
