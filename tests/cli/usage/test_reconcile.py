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
    "INSERT INTO usage_tracking (agent_name, provider, generation_id, total_tokens, cost, timestamp, cost_source, "
    "status) VALUES ('Billing', 'openrouter', 'gen-1', 10, 0.5, 1795392000, 'billed', 'done')"
)
EXPORT = "generation_id,created_at,cost_total,model_permaslug\ngen-1,2026-11-23 00:00:00.500,{cost},acme/one\n"


@pytest.fixture
def usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Usage:
    """Runs the command in a folder whose ledger has a call of half a dollar."""
    monkeypatch.chdir(tmp_path)
    open_store(Path("fondation.db")).close()
    with closing(sqlite3.connect("fondation.db")) as connection, connection:
        connection.execute(ROW)
    return lambda *arguments: CliRunner().invoke(command, arguments)


def export(cost: str) -> str:
    Path("activity.csv").write_text(EXPORT.format(cost=cost))
    return "activity.csv"


def test_books_that_agree_end_with_zero(usage: Usage) -> None:
    result = usage("reconcile", export("0.5"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("They agree.\n")


def test_books_that_differ_end_with_one(usage: Usage) -> None:
    result = usage("reconcile", export("0.5000001"))
    assert result.exit_code == 1
    assert "Difference     0 $0.0000001" in result.stdout
    result = usage("reconcile", export("0.5000001"), "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["difference"] == "0.0000001"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("missing.csv",), 1, "missing.csv cannot be read"),
        (("fondation.db",), 1, "fondation.db cannot be read"),
        (("activity.csv", "--since", "2026-11-24"), 1, "covers no time in that period: leave out --since and --until"),
        (("activity.csv", "--since", "tomorrow"), 2, '"tomorrow" is no period'),
        (("activity.csv", "--db", "no.db"), 1, "there is no file no.db"),
        ((), 2, "Missing argument 'FILE'"),
    ],
)
def test_what_cannot_be_compared_is_told(usage: Usage, arguments: tuple[str, ...], code: int, complaint: str) -> None:
    export("0.5")
    result = usage("reconcile", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert complaint in result.stderr


def test_another_providers_calls_may_be_meant(usage: Usage) -> None:
    result = usage("reconcile", export("0.5"), "--provider", "acme")
    assert result.exit_code == 1
    assert "Missing in the ledger: 1" in result.stdout
