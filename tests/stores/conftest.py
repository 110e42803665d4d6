from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fondation.calls import ModelCall, RunInfo
from fondation.stores import UsageStore, open_store

NewCall: TypeAlias = Callable[..., ModelCall]
Rows: TypeAlias = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fondation.db"


@pytest.fixture
def store(path: Path) -> Iterator[UsageStore]:
    with closing(open_store(path)) as store:
        yield store


@pytest.fixture
def run() -> RunInfo:
    return RunInfo("run_1", "session_1", user_id="ada", chat_id="c1")


@pytest.fixture
def new_call() -> NewCall:
    def new_call(**fields: Any) -> ModelCall:
        call = ModelCall("Billing", "openrouter", "acme/one", ("Triage", "Billing"))
        for name, value in fields.items():
            setattr(call, name, value)
        return call

    return new_call


@pytest.fixture
def rows(path: Path) -> Rows:
    """Reads the table as an outsider does."""

    def rows(where: str = "1") -> list[dict[str, Any]]:
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            query = f"SELECT *, cost_pico FROM usage_tracking WHERE {where} ORDER BY id"
            return [dict(row) for row in connection.execute(query)]

    return rows
