from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from fondation.stores import open_store

COLUMNS = {
    "id": "INTEGER",
    "agent_name": "TEXT",
    "session_id": "TEXT",
    "user_id": "TEXT",
    "total_tokens": "INTEGER",
    "prompt_tokens": "INTEGER",
    "completion_tokens": "INTEGER",
    "cost": "REAL",
    "model": "TEXT",
    "method": "TEXT",
    "finish_reason": "TEXT",
    "duration": "INTEGER",
    "handoff_chain": "TEXT",
    "timestamp": "INTEGER",
    "run_id": "TEXT",
    "chat_id": "TEXT",
    "round": "INTEGER",
    "step": "INTEGER",
    "attempt": "INTEGER",
    "requested_model": "TEXT",
    "provider": "TEXT",
    "generation_id": "TEXT",
    "cached_tokens": "INTEGER",
    "cache_write_tokens": "INTEGER",
    "reasoning_tokens": "INTEGER",
    "upstream_cost": "REAL",
    "is_byok": "INTEGER",
    "cost_source": "TEXT",
    "status": "TEXT",
    "error_type": "TEXT",
    "time_to_first_token": "INTEGER",
    "config_hash": "TEXT",
    "labels": "TEXT",
    "owner": "TEXT",
    "purpose": "TEXT",
    "cost_note": "TEXT",
    "number": "INTEGER",
    "reservation": "TEXT",
    "budgets": "TEXT",
    "cost_pico": "INTEGER",
}
MIGRATIONS = [
    "m001_usage_tracking",
    "m002_usage_file",
    "m003_usage_owners",
    "m004_usage_spools",
    "m005_chats",
    "m006_chat_messages",
    "m007_chat_calls",
    "m008_chat_memory",
    "m009_chat_processes",
    "m010_chat_runs",
    "m011_usage_purpose",
    "m012_chat_summaries",
    "m013_usage_settlements",
    "m014_usage_losses",
    "m015_usage_by_time",
    "m016_usage_views",
    "m017_usage_budgets",
    "m018_usage_by_kind",
    "m019_usage_odd_costs",
]
NEEDED = {"agent_name", "total_tokens", "cost", "timestamp"}


def test_the_table_has_the_columns_that_dashboards_read(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        columns = connection.execute("PRAGMA table_xinfo(usage_tracking)").fetchall()
        indexes = {row[1] for row in connection.execute("PRAGMA index_list(usage_tracking)")}
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    assert {name: kind.split()[0] for _, name, kind, *_ in columns} == COLUMNS
    assert {name for _, name, _, needed, default, key, _ in columns if needed and default is None and not key} == NEEDED
    assert {f"usage_tracking_{name}" for name in ("timestamp", "session_id", "user_id", "run_id")} <= indexes
    assert mode == "wal"


def test_a_cost_is_an_integer_too(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        insert = "INSERT INTO usage_tracking (agent_name, total_tokens, cost, timestamp) VALUES ('A', 0, ?, 0)"
        connection.executemany(insert, [[0.1], [0.2], [1e-12], [123456.789]])
        pico = [row[0] for row in connection.execute("SELECT cost_pico FROM usage_tracking ORDER BY id")]
    assert pico == [100_000_000_000, 200_000_000_000, 1, 123_456_789_000_000_000]


def test_a_file_of_a_later_version_is_opened_as_it_is(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE usage_tracking ADD COLUMN mood TEXT")
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('fondation', 'm999_mood', '2030')"
        )
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY name")]
    assert names == [*MIGRATIONS, "m999_mood"]


def test_processes_that_start_together_make_one_ledger(path: Path) -> None:
    script = (
        f"from pathlib import Path; from fondation.stores import open_store; open_store(Path({str(path)!r})).close()"
    )
    starting = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=20)[1] for process in starting] == [""] * 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM _sqlite_migrations").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT COUNT(*) FROM usage_file").fetchone() == (1,)
