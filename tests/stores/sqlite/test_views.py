from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fondation.stores import open_store
from fondation.stores.sqlite.views import views

NAMES = [
    "usage_by_agent",
    "usage_by_day",
    "usage_by_model",
    "usage_by_provider",
    "usage_by_run",
    "usage_by_session",
    "usage_by_user",
]
CALL = {"agent_name": "Billing", "total_tokens": 0, "cost": 0.0, "timestamp": 1_795_392_000, "run_id": "run_1"}


def rows(path: Path, view: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    """What a view shows of these calls."""
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for call in calls:
            row = CALL | call
            marks = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO usage_tracking ({', '.join(row)}) VALUES ({marks})", row)
        cursor = connection.execute(f"SELECT * FROM {view}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def test_the_views_are_there(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name").fetchall()
    assert [name for (name,) in found] == NAMES == sorted(views())


def test_refused_unknown_and_simulated_calls_are_counted_apart(path: Path) -> None:
    (row,) = rows(
        path,
        "usage_by_agent",
        {"cost": 0.1, "cost_source": "billed", "status": "done", "prompt_tokens": 5},
        {"cost": 0.2, "cost_source": "priced", "status": "done", "prompt_tokens": 5, "run_id": "run_2"},
        {"cost_source": "unknown", "status": "aborted"},
        {"cost_source": "none", "status": "refused"},
        {"cost_source": "simulated", "status": "done", "prompt_tokens": 70, "run_id": "run_3"},
        {"cost_source": None},
    )
    assert (row["agent"], row["runs"], row["calls"], row["refused_calls"]) == ("Billing", 2, 4, 1)
    assert (row["cost_usd"], row["unknown_cost_calls"], row["simulated_calls"]) == (0.3, 2, 1)
    assert row["prompt_tokens"] == 10


@pytest.mark.parametrize(("source", "cost"), [("unknown", None), ("billed", 0.0), ("simulated", 0.0), (None, None)])
def test_a_cost_of_which_nothing_is_known_is_null(path: Path, source: str | None, cost: float | None) -> None:
    (row,) = rows(path, "usage_by_model", {"cost_source": source})
    assert row["cost_usd"] == cost


@pytest.mark.parametrize("view", NAMES)
def test_every_view_splits_by_what_it_is_called_after(path: Path, view: str) -> None:
    one = {"cost_source": "billed", "cost": 1.0}
    other = {**one, "agent_name": "B", "model": "m", "provider": "p", "user_id": "u", "session_id": "s"}
    shown = rows(path, view, one, {**other, "run_id": "run_2", "timestamp": 1_795_392_000 - 1})
    assert [row["cost_usd"] for row in shown] == [1.0, 1.0]
    assert sorted(row["last_call_utc"] for row in shown) == ["2026-11-22 23:59:59", "2026-11-23 00:00:00"]


@pytest.mark.parametrize("source", ["billed", None])
@pytest.mark.parametrize("cost", [1e7, math.inf, "a lot"])
def test_a_cost_that_is_no_amount_of_money_is_unknown(path: Path, cost: object, source: str | None) -> None:
    odd = {"cost": cost, "cost_source": source, "total_tokens": 2**63 - 1, "timestamp": "2026-11-22T10:00:00Z"}
    (row,) = rows(path, "usage_by_agent", {"cost": 0.5, "cost_source": "billed"}, odd, odd)
    assert (row["calls"], row["cost_usd"], row["unknown_cost_calls"]) == (3, 0.5, 2)
    assert row["last_call_utc"] == "2026-11-23 00:00:00"
