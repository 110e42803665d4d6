from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fondation.stores import open_store

Fill: TypeAlias = Callable[..., None]

MONDAY = 1_795_392_000
"""Monday, 23 November 2026, midnight UTC."""


def insert(path: Path, *calls: dict[str, Any]) -> None:
    """Put calls into the table as an outsider does; what a call does not say is as most calls are."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for call in calls:
            row = {
                "agent_name": "Billing",
                "total_tokens": (call.get("prompt_tokens") or 0) + (call.get("completion_tokens") or 0),
                "cost": 0.0,
                "timestamp": MONDAY,
                "cost_source": "billed",
                "status": "done",
            } | call
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO usage_tracking ({names}) VALUES ({marks})", row)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fondation.db"


@pytest.fixture
def fill(path: Path) -> Fill:
    """Makes the ledger, with these calls in it."""

    def fill(*calls: dict[str, Any]) -> None:
        open_store(path).close()
        insert(path, *calls)

    return fill


@pytest.fixture
def support_desk(fill: Fill) -> None:
    """A ledger with a bit of everything."""
    sonnet = {"model": "anthropic/claude-4.5-sonnet-20250929", "requested_model": "anthropic/claude-sonnet-4.5"}
    one = {"run_id": "run_1", "session_id": "s1", "user_id": "ada", "provider": "openrouter", **sonnet}
    two = {"run_id": "run_2", "session_id": "s2", "user_id": "=1+1", "provider": "openrouter", **sonnet}
    three = {"run_id": "run_3", "session_id": "s3", "provider": "simulated", "timestamp": MONDAY + 90_000}
    fill(
        {
            **one,
            "agent_name": "Triage",
            "prompt_tokens": 812,
            "completion_tokens": 61,
            "cost": 0.003351,
            "duration": 640,
            "time_to_first_token": 210,
        },
        {**one, "prompt_tokens": 12_345, "completion_tokens": 678, "cached_tokens": 1_024, "reasoning_tokens": 200}
        | {"cost": 0.0472, "duration": 4_210, "time_to_first_token": 380},
        {**one, "cost": 0.0000125, "duration": 59_999, "prompt_tokens": 10, "completion_tokens": 1},
        {**two, "status": "aborted", "cost_source": "unknown", "duration": 1_500},
        {**two, "status": "refused", "cost_source": "none", "model": None, "duration": 80},
        {**two, "status": "running", "cost_source": "pending", "agent_name": "Triage"},
        {**three, "cost_source": "simulated", "prompt_tokens": 70, "completion_tokens": 30, "model": "simulated"},
    )
