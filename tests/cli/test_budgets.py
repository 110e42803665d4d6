from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from fondation.budgets.formats import COLUMNS
from fondation.cli.budgets import command
from fondation.config import load
from fondation.stores import open_store
from tests.usage.conftest import insert

Budgets: TypeAlias = Callable[..., Result]

PROJECT = """\
version: 1
models:
  sim: {provider: simulated}
agents:
  Helper: {model: sim, instructions: Help.}
routes:
  /api/chat: Helper
"""
BUDGETS = """\
budgets:
  - {name: each-user, limit: $5.00, per: user, every: day}
  - {name: everyone, limit: $0.5}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def budgets(folder: Path) -> Budgets:
    """Runs the command in a folder with two budgets."""
    (folder / "agents.yaml").write_text(PROJECT + BUDGETS)
    return lambda *arguments: CliRunner().invoke(command, arguments)


def spend(path: Path, **costs: float) -> None:
    """A call for each user, just now."""
    open_store(path).close()
    now = int(time.time())
    insert(path, *({"user_id": user, "cost": cost, "timestamp": now} for user, cost in costs.items()))


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_each_budget_is_shown_with_what_is_spent_and_left(budgets: Budgets) -> None:
    spend(Path("fondation.db"), ada=1.25, eve=0.25)
    result = budgets()
    assert result.exit_code == 0
    title, _, head, _, ada, eve, everyone = result.stdout.splitlines()
    assert title.startswith("Budgets at 20")
    assert head.split() == ["Budget", "For", "Limit", "Spent", "Reserved", "Left", "Used", "Calls", "Resets"]
    assert ada.split()[:8] == ["each-user", "user", "ada", "$5.00", "$1.250000", "$0.000000", "$3.750000", "25%"]
    assert eve.split()[2] == "eve"
    assert everyone.split()[1:] == ["everyone", "$0.50", "$1.500000", "$0.000000", "$0.000000", "300%", "2", "never"]


def test_only_those_who_spent_most_are_shown(budgets: Budgets) -> None:
    spend(Path("fondation.db"), **{f"user{number}": number / 100 for number in range(1, 25)})
    assert "... and 4 more" in budgets().stdout
    result = budgets("--top", "1")
    assert "user user24" in result.stdout
    assert "... and 23 more" in result.stdout
    assert "user user23" not in result.stdout


def test_a_ledger_that_was_never_made_is_one_of_zeros(budgets: Budgets, folder: Path) -> None:
    result = budgets()
    assert result.exit_code == 0
    assert "(no user yet)" in result.stdout
    assert result.stdout.endswith(f"\n\n{folder / 'fondation.db'} holds no model calls yet: nothing is spent.\n")
    assert not (folder / "fondation.db").exists()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_for_people_stays_out_of_what_programs_read(budgets: Budgets, form: str) -> None:
    result = budgets("--format", form)
    assert "nothing is spent" not in result.stdout
    assert "nothing is spent" in result.stderr


def test_json_names_the_buckets_of_each_budget(budgets: Budgets) -> None:
    spend(Path("fondation.db"), ada=1.25)
    each, everyone = json.loads(budgets("--format", "json").stdout)["budgets"]
    assert (each["budget"], each["limit"], each["buckets"][0]["bucket"], each["buckets"][0]["left"]) == (
        "each-user",
        5.0,
        "ada",
        3.75,
    )
    assert (everyone["reset"], everyone["total"]["spent"]) == (None, 1.25)


def test_csv_has_a_line_for_each_bucket(budgets: Budgets) -> None:
    spend(Path("fondation.db"), ada=1.25)
    each, everyone = rows(budgets("--format", "csv"))
    assert list(each) == list(COLUMNS)
    assert (each["row"], each["bucket"], each["spent"], each["left"]) == ("bucket", "ada", "1.25", "3.75")
    assert (everyone["bucket"], everyone["reset"]) == ("", "")


def test_another_ledger_is_named_by_its_file(budgets: Budgets, folder: Path) -> None:
    spend(folder / "other.db", ada=2.5)
    assert rows(budgets("--db", "other.db", "--format", "csv"))[0]["spent"] == "2.5"


def test_a_ledger_that_is_named_must_be_there(budgets: Budgets) -> None:
    result = budgets("--db", "nope.db")
    assert result.exit_code == 1
    assert "there is no file nope.db" in result.stderr
    assert "--db FILE" in result.stderr


def test_a_file_that_is_no_database_is_not_taken_for_nothing_spent(budgets: Budgets, folder: Path) -> None:
    (folder / "fondation.db").write_bytes(b"a letter to grandmother" * 99)
    result = budgets()
    assert result.exit_code == 1
    assert "cannot be read: file is not a database" in result.stderr


def test_a_file_of_another_application_has_no_calls_yet(budgets: Budgets, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "fondation.db")) as connection, connection:
        connection.execute("CREATE TABLE letters (text TEXT)")
    result = budgets()
    assert (result.exit_code, "nothing is spent" in result.stdout) == (0, True)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_file_without_budgets_says_how_to_write_one(budgets: Budgets, folder: Path, form: str) -> None:
    (folder / "agents.yaml").write_text(PROJECT)
    result = budgets("--format", form)
    assert result.exit_code == 0
    said = result.stdout if form == "table" else result.stderr
    sentence, _, example = said.partition("\n\n")
    assert sentence == "agents.yaml has no budgets. One is written like this:"
    (folder / "agents.yaml").write_text(PROJECT + example)
    assert load(folder / "agents.yaml").problems == []
    if form == "json":
        assert json.loads(result.stdout)["budgets"] == []
    if form == "csv":
        assert result.stdout == ",".join(COLUMNS) + "\n"


def test_a_file_with_problems_is_not_read_further(budgets: Budgets, folder: Path) -> None:
    (folder / "agents.yaml").write_text((PROJECT + BUDGETS).replace("$5.00", "5"))
    result = budgets()
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'write "$5.00"' in result.stderr


def test_another_file_is_named_as_by_other_commands(budgets: Budgets, folder: Path) -> None:
    (folder / "agents.yaml").rename(folder / "team.yaml")
    assert budgets("team.yaml").exit_code == 0
    assert budgets().exit_code == 1


def test_moments_are_of_the_files_time_zone(budgets: Budgets, folder: Path) -> None:
    (folder / "agents.yaml").write_text(f"{PROJECT}{BUDGETS}usage: {{timezone: Asia/Kathmandu}}\n")
    assert "(Asia/Kathmandu)" in budgets().stdout
    each = json.loads(budgets("--format", "json").stdout)["budgets"][0]
    assert each["reset"].endswith("T18:15:00Z")


def test_that_nothing_is_recorded_is_said(budgets: Budgets, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FONDATION_ENV", raising=False)
    (folder / "agents.yaml").write_text(f"{PROJECT}{BUDGETS}usage: {{enabled: production}}\n")
    assert "records model calls only in production" in budgets().stdout


@pytest.mark.parametrize("every", ["every: month", ""])
def test_rows_that_were_lost_in_the_period_are_missing(budgets: Budgets, folder: Path, every: str) -> None:
    (folder / "agents.yaml").write_text(f"{PROJECT}budgets:\n- name: all\n  limit: $1\n  {every}\n")
    spend(folder / "fondation.db", ada=0.25)
    assert "missing" not in budgets().stdout
    lost_at = time.time() if every else 0
    with closing(sqlite3.connect(folder / "fondation.db")) as connection, connection:
        connection.execute("INSERT INTO usage_losses VALUES (?, 3)", (int(lost_at),))
    assert budgets().stdout.endswith(
        "\n\nUp to 3 model calls are missing or incomplete here: neither the ledger nor its spool could be written.\n"
    )


def test_rows_that_were_lost_before_all_periods_are_of_no_interest(budgets: Budgets, folder: Path) -> None:
    (folder / "agents.yaml").write_text(f"{PROJECT}budgets:\n- {{name: all, limit: $1, every: week}}\n")
    spend(folder / "fondation.db", ada=0.25)
    with closing(sqlite3.connect(folder / "fondation.db")) as connection, connection:
        connection.execute("INSERT INTO usage_losses VALUES (0, 3)")
    assert "missing" not in budgets().stdout


def test_a_line_of_nobody_is_asked_for_in_vain(budgets: Budgets) -> None:
    result = budgets("--top", "0")
    assert result.exit_code == 2
