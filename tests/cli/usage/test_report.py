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

from fondation.cli.usage import command
from fondation.stores import open_store
from fondation.usage.formats import FIGURES
from fondation.usage.tallies import GROUPINGS

Usage: TypeAlias = Callable[..., Result]

PROJECT = """\
version: 1
models:
  claude: {{provider: simulated}}
agents:
  Billing: {{model: claude, instructions: Help.}}
routes:
  /api/chat: Billing
usage: {{timezone: {zone}}}
storage: {{url: {url}}}
"""


@pytest.fixture
def usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Usage:
    """Runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(command, arguments)


def make_ledger(path: Path, *ages: float, user: str = "ada") -> None:
    """Calls of a dollar each that began so many seconds ago."""
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        for age in ages:
            connection.execute(
                "INSERT INTO usage_tracking (agent_name, user_id, total_tokens, cost, timestamp, cost_source, status) "
                "VALUES ('Billing', ?, 10, 1.0, ?, 'billed', 'done')",
                (user, int(time.time() - age)),
            )


def write_project(folder: Path, zone: str = "UTC", url: str = "sqlite:///money.db") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "agents.yaml").write_text(PROJECT.format(zone=zone, url=url))


def total(result: Result) -> dict[str, float]:
    figures: dict[str, float] = json.loads(result.stdout)["total"]
    return figures


def test_without_a_project_the_ledger_is_in_this_folder(usage: Usage) -> None:
    make_ledger(Path("fondation.db"), 10)
    result = usage()
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage of all time (UTC)\n")
    assert "$1.0000" in result.stdout


def test_the_project_names_the_ledger_and_the_time_zone(usage: Usage, tmp_path: Path) -> None:
    write_project(tmp_path, zone="Asia/Tokyo")
    make_ledger(tmp_path / "money.db", 10)
    result = usage("--since", "2020-01-01")
    assert result.stdout.startswith("Usage since 2020-01-01 00:00 (Asia/Tokyo)\n")
    assert "$1.0000" in result.stdout


def test_another_project_may_be_named(usage: Usage, tmp_path: Path) -> None:
    write_project(tmp_path / "shop")
    make_ledger(tmp_path / "shop" / "money.db", 10)
    assert "$1.0000" in usage("--file", "shop/agents.yaml").stdout


def test_the_environment_may_name_the_ledger(usage: Usage, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ledger(Path("elsewhere.db"), 10)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.db")
    assert "$1.0000" in usage().stdout


def test_a_ledger_that_is_named_is_the_one(usage: Usage, tmp_path: Path) -> None:
    write_project(tmp_path, zone="Asia/Tokyo")
    make_ledger(Path("other.db"), 10)
    result = usage("--db", "other.db", "--format", "json")
    assert (total(result)["cost"], json.loads(result.stdout)["timezone"]) == (1.0, "Asia/Tokyo")


def test_a_project_with_problems_shows_them_and_what_to_type(usage: Usage) -> None:
    Path("agents.yaml").write_text("version: 1\nagent: {}\n")
    make_ledger(Path("other.db"), 10)
    result = usage()
    assert result.exit_code == 1
    assert "agents.yaml:2:1" in result.stderr
    assert "--db FILE" in result.stderr
    assert usage("--db", "other.db").exit_code == 0


def test_a_project_that_is_named_must_be_there(usage: Usage) -> None:
    result = usage("--file", "missing.yaml")
    assert result.exit_code == 1
    assert "missing.yaml" in result.stderr


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_without_a_ledger_it_says_how_to_get_one(usage: Usage, form: str) -> None:
    result = usage("--format", form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no file fondation.db" in result.stderr
    assert "--db FILE" in result.stderr
    assert not Path("fondation.db").exists()


def test_a_database_of_something_else_is_no_ledger(usage: Usage) -> None:
    with closing(sqlite3.connect("songs.db")) as connection:
        connection.execute("CREATE TABLE songs (id)")
    result = usage("--db", "songs.db")
    assert result.exit_code == 1
    assert "songs.db has no table usage_tracking" in result.stderr


def test_an_empty_ledger_says_what_to_do(usage: Usage) -> None:
    make_ledger(Path("fondation.db"))
    result = usage()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "fondation.db holds no model calls yet: send a message to `fondation serve`, or type `fondation chat`.\n"
    )


@pytest.mark.parametrize(
    ("enabled", "reason"),
    [
        ("false", "agents.yaml records no model calls: usage.enabled is false; write true there"),
        ("production", "agents.yaml records model calls only in production (usage.enabled): set FONDATION_ENV"),
    ],
)
def test_where_nothing_is_recorded_it_says_so(usage: Usage, tmp_path: Path, enabled: str, reason: str) -> None:
    write_project(tmp_path)
    file = tmp_path / "agents.yaml"
    file.write_text(file.read_text().replace("usage: {", f"usage: {{enabled: {enabled}, "))
    result = usage()
    assert result.exit_code == 1
    assert reason in result.stderr
    make_ledger(tmp_path / "money.db")
    result = usage()
    assert result.exit_code == 0
    assert reason in result.stdout
    assert "send a message" not in result.stdout
    make_ledger(tmp_path / "money.db", 10)
    assert "$1.0000" in usage().stdout


def test_a_period_without_calls_says_so(usage: Usage) -> None:
    make_ledger(Path("fondation.db"), 7200)
    result = usage("--since", "30m")
    assert result.exit_code == 0
    assert result.stdout == ("No model call matches (fondation.db holds 1): try a longer --since, or fewer filters.\n")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_programs_get_an_empty_report_and_people_the_sentence(usage: Usage, form: str) -> None:
    make_ledger(Path("fondation.db"), 7200)
    result = usage("--since", "30m", "--format", form)
    assert result.exit_code == 0
    assert "No model call matches" in result.stderr
    if form == "json":
        assert json.loads(result.stdout)["groups"] == []
    else:
        assert [line[0] for line in csv.reader(io.StringIO(result.stdout))] == ["row", "total"]


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ((), 4),
        (("--since", "30m"), 1),
        (("--since", "3h"), 2),
        (("--since", "2d"), 3),
        (("--since", "2w"), 4),
        (("--until", "30m"), 3),
        (("--since", "2d", "--until", "30m"), 2),
        (("--since", "1971-01-01", "--until", "1972-01-01"), 0),
    ],
)
def test_a_period_reaches_back_from_now(usage: Usage, options: tuple[str, ...], calls: int) -> None:
    make_ledger(Path("fondation.db"), 60, 7_200, 90_000, 800_000)
    assert total(usage("--format", "json", *options))["calls"] == calls


def test_filters_and_groups_are_passed_on(usage: Usage) -> None:
    make_ledger(Path("fondation.db"), 10, user="ada")
    make_ledger(Path("fondation.db"), 10, 20, user="bob")
    result = usage("--format", "json", "--by", "user,agent", "--by", "provider", "--user", "bob", "--agent", "Billing")
    report = json.loads(result.stdout)
    assert report["by"] == ["user", "agent", "provider"]
    assert [(group["user"], group["agent"], group["calls"]) for group in report["groups"]] == [("bob", "Billing", 2)]
    for option in ("--agent", "--model", "--user", "--session", "--provider"):
        assert total(usage("--format", "json", option, "nobody"))["calls"] == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--since", "yesterday"), '--since: "yesterday" is no period: type 30m, 24h, 7d or 2w'),
        (("--until", "2026-02-30"), "--until: 2026-02-30 is not in the calendar"),
        (("--since", "1d", "--until", "2d"), "--since 1d is not before --until 2d"),
        (("--by", "week"), '"week" is none of agent, model, user, session, day, provider'),
        (("--by", "agent,"), '"" is none of agent'),
        (("--by", "week"), "day, provider, purpose (no call has a label)"),
        (("--format", "xml"), "'xml' is not one of 'table', 'json', 'csv'"),
        (("--top", "0"), "0 is not in the range x>=1"),
        (("--watch",), "--watch draws a table on a terminal: leave it out where a program or a file reads"),
        (("--by", "day", "explain", "run_1"), "--by stands before explain: type it after it"),
        (("--format", "json", "explain", "run_1"), "--format stands before explain"),
        (("explian", "run_1"), "No such command 'explian'"),
    ],
)
def test_a_wrong_option_is_wrong_usage(usage: Usage, options: tuple[str, ...], complaint: str) -> None:
    make_ledger(Path("fondation.db"), 10)
    result = usage(*options)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())


def test_help_says_what_the_exit_codes_mean(usage: Usage) -> None:
    text = usage("--help").stdout
    assert "Exit codes" in text
    assert all(name in text for name in GROUPINGS)


def test_help_says_what_the_latencies_mix(usage: Usage) -> None:
    text = " ".join(usage("--help").stdout.split())
    assert "until the last byte" in text
    assert "A line of several models mixes fast ones with slow ones: split it with --by model." in text


def test_help_names_every_figure(usage: Usage) -> None:
    text = usage("--help").stdout
    assert [name for name in FIGURES if name not in text] == []


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_rows_that_were_lost_are_told_beside_every_report(usage: Usage, form: str) -> None:
    make_ledger(Path("fondation.db"), 10)
    assert "missing" not in usage("--format", form).output
    with closing(sqlite3.connect("fondation.db")) as connection, connection:
        connection.executemany("INSERT INTO usage_losses (timestamp, rows) VALUES (?, ?)", [(1_795_000_000, 5), (0, 7)])
    result = usage("--format", form)
    assert "Up to 12 model calls are missing or incomplete here" in result.stderr
    assert "missing" not in result.stdout
    assert "Up to 5 model calls" in usage("--since", "2020-01-01").stderr


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_calls_of_no_time_are_told_beside_every_report(usage: Usage, form: str) -> None:
    make_ledger(Path("fondation.db"), 10, 20, 30)
    assert "left out" not in usage("--format", form).output
    with closing(sqlite3.connect("fondation.db")) as connection, connection:
        connection.execute("UPDATE usage_tracking SET timestamp = '2026-11-22T10:00:00Z' WHERE id < 3")
    result = usage("--format", form, "--since", "7d")
    assert result.exit_code == 0
    assert "2 model calls are left out here: the timestamp" in result.stderr


def test_the_dearest_are_shown_and_the_others_are_one_line(usage: Usage) -> None:
    make_ledger(Path("fondation.db"), 10, 20, user="ada")
    for user in ("bob", "eve"):
        make_ledger(Path("fondation.db"), 10, user=user)
    result = json.loads(usage("--by", "user", "--top", "1", "--format", "json").stdout)
    assert [(group["user"], group["cost"]) for group in result["groups"]] == [("ada", 2.0)]
    assert (result["others"]["groups"], result["others"]["cost"], result["total"]["cost"]) == (2, 2.0, 4.0)
    assert "(2 others)" in usage("--by", "user", "--top", "1").stdout
    assert json.loads(usage("--by", "user", "--top", "9", "--format", "json").stdout)["others"] is None


def test_calls_are_split_by_a_label(usage: Usage) -> None:
    make_ledger(Path("fondation.db"), 10)
    with closing(sqlite3.connect("fondation.db")) as connection, connection:
        connection.execute("""UPDATE usage_tracking SET labels = '{"team": "red"}'""")
    assert json.loads(usage("--by", "team", "--format", "json").stdout)["groups"][0]["team"] == "red"
    result = usage("--by", "tema")
    assert result.exit_code == 2
    assert '"tema" is none of agent, model, user, session, day, provider, purpose (labels: team)' in result.stderr
