from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from fondation.cli.usage import command
from fondation.stores import open_store

Usage: TypeAlias = Callable[..., Result]

ROW = (
    "INSERT INTO usage_tracking (agent_name, run_id, chat_id, step, round, total_tokens, cost, timestamp, cost_source, "
    "status, finish_reason) VALUES ('Billing', ?, 'c1', 1, 1, 10, 0.5, 1795392000, 'billed', 'done', 'stop')"
)


@pytest.fixture
def usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Usage:
    """Runs the command in a folder whose ledger has two runs of a chat."""
    monkeypatch.chdir(tmp_path)
    open_store(Path("fondation.db")).close()
    with closing(sqlite3.connect("fondation.db")) as connection, connection:
        connection.executemany(ROW, [["run_a1"], ["run_b2"]])
    return lambda *arguments: CliRunner().invoke(command, arguments)


def test_a_run_is_told_by_the_beginning_of_its_id(usage: Usage) -> None:
    result = usage("explain", "run_a")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Run run_a1 of chat c1\n2026-11-23 00:00:00 (UTC)")
    assert json.loads(usage("explain", "run_a", "--format", "json").stdout)["run_id"] == "run_a1"


def test_a_chat_lists_its_runs(usage: Usage) -> None:
    assert usage("explain", "c1").stdout.startswith("Chat c1: 2 runs (UTC)\n")
    document = json.loads(usage("explain", "c1", "--format", "json").stdout)
    assert [run["run_id"] for run in document["runs"]] == ["run_a1", "run_b2"]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("run_c", 'fondation.db: no run or chat with a model call is called "run_c": type the x-run-id'),
        ("run_", 'fondation.db: several runs begin with "run_": type more of one of\n  run_a1\n  run_b2'),
    ],
)
def test_what_is_no_single_run_ends_with_one(usage: Usage, typed: str, complaint: str) -> None:
    result = usage("explain", typed)
    assert (result.exit_code, result.stdout) == (1, "")
    assert complaint in result.stderr


def test_the_ledger_may_be_named_before_or_after(usage: Usage) -> None:
    Path("fondation.db").rename("other.db")
    assert usage("explain", "run_a").exit_code == 1
    assert usage("explain", "run_a", "--db", "other.db").exit_code == 0
    assert usage("--db", "other.db", "explain", "run_a").exit_code == 0


def test_without_a_run_it_is_wrong_usage(usage: Usage) -> None:
    assert usage("explain").exit_code == 2
