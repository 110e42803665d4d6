from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fondation.usage.filters import Filters
from fondation.usage.formats import FIGURES, as_csv, as_json
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.reports import Report, report
from fondation.usage.table import table as lines_of

from .conftest import Fill

ZONE = ZoneInfo("Europe/Paris")
GOLDEN = Path(__file__).parent / "golden"


def read(path: Path, *by: str, top: int | None = None, **filters: Any) -> Report:
    with closing(open_to_read(path)) as connection:
        return report(connection, Filters(**filters), by or ("agent",), ZONE, top)


def table(result: Report, period: Period) -> str:
    return "".join(f"{line}\n" for line in lines_of(result, period, str(ZONE)))


SINCE = Period(since=datetime(2026, 11, 16, 8, 30, tzinfo=ZONE))
BOTH = Period(datetime(2026, 11, 16, tzinfo=ZONE), datetime(2026, 12, 1, tzinfo=ZONE))
GOLDENS: dict[str, Callable[[Path], str]] = {
    "by-agent.txt": lambda path: table(read(path), SINCE),
    "by-day-and-model.txt": lambda path: table(read(path, "day", "model"), BOTH),
    "by-user-of-triage.txt": lambda path: table(read(path, "user", agent="Triage"), Period()),
    "by-agent.json": lambda path: as_json(read(path), SINCE, ZONE),
    "by-day-and-user.json": lambda path: as_json(read(path, "day", "user"), BOTH, ZONE),
    "by-user.csv": lambda path: as_csv(read(path, "user")),
    "top-user.txt": lambda path: table(read(path, "user", top=1), Period()),
    "top-user.json": lambda path: as_json(read(path, "user", top=1), Period(), ZONE),
    "top-user-and-model.csv": lambda path: as_csv(read(path, "user", "model", top=1)),
    "by-provider-and-model.csv": lambda path: as_csv(read(path, "provider", "model")),
}


@pytest.mark.usefixtures("support_desk")
@pytest.mark.parametrize("name", GOLDENS)
def test_a_report_looks_as_agreed(path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "37")  # a table that goes into a file does not care
    assert GOLDENS[name](path) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["=SUM(A1)", "+1", "-1", "@home", "\tx", "\nx"])
def test_a_name_that_a_spreadsheet_would_run_is_quoted(path: Path, fill: Fill, name: str) -> None:
    fill({"user_id": name})
    (_, line, _) = csv.reader(io.StringIO(as_csv(read(path, "user")), newline=""))
    assert line[1] == f"'{name}"


def test_a_name_may_hold_commas_quotes_and_newlines(path: Path, fill: Fill) -> None:
    name = 'Ada, "the\nCountess"'
    fill({"user_id": name})
    (_, line, _) = csv.reader(io.StringIO(as_csv(read(path, "user")), newline=""))
    assert line[1] == name


def test_a_carriage_return_does_not_end_a_line(path: Path, fill: Fill) -> None:
    fill({"user_id": "ada\r=1"})
    (_, line, _) = csv.reader(io.StringIO(as_csv(read(path, "user")), newline=""))
    assert line[1] == "ada\n=1"


def test_programs_read_the_same_figures_in_both_formats(path: Path, fill: Fill) -> None:
    fill({"cost": 1234.5, "prompt_tokens": 10**9})
    total = json.loads(as_json(read(path), Period(), ZONE))["total"]
    head, *_, last = csv.reader(io.StringIO(as_csv(read(path))))
    assert list(total) == head[2:] == list(FIGURES)
    assert [float(cell) if cell else None for cell in last[2:]] == list(total.values())


def test_a_name_is_never_taken_for_the_total(path: Path, fill: Fill) -> None:
    fill({"user_id": "Total"}, {"user_id": "total"}, {"user_id": None})
    rows = list(csv.DictReader(io.StringIO(as_csv(read(path, "user")))))
    assert [(row["row"], row["user"], row["calls"]) for row in rows] == [
        ("group", "", "1"),
        ("group", "Total", "1"),
        ("group", "total", "1"),
        ("total", "", "3"),
    ]
    document = json.loads(as_json(read(path, "user"), Period(), ZONE))
    assert [group["user"] for group in document["groups"]] == [None, "Total", "total"]
    assert document["total"]["calls"] == 3


SIMULATED = {"cost_source": "simulated", "prompt_tokens": 70, "completion_tokens": 30, "run_id": "run_1"}


def test_where_all_was_simulated_there_is_no_other_table(path: Path, fill: Fill) -> None:
    fill(SIMULATED, SIMULATED | {"run_id": "run_2"})
    assert table(read(path), Period()).splitlines() == [
        "Usage of all time (Europe/Paris)",
        "",
        "Simulated calls: no model was called, and nothing was charged.",
        "",
        "Agent   Runs Calls Tokens",
        "─────────────────────────",
        "Billing    2     2    200",
        "─────────────────────────",
        "Total      2     2    200",
    ]


def test_without_simulated_calls_nothing_is_said_of_them(path: Path, fill: Fill) -> None:
    fill({"cost": 0.25})
    assert "imulated" not in table(read(path), Period())


def test_an_unknown_cost_is_null_and_empty(path: Path, fill: Fill) -> None:
    fill({"cost_source": "unknown"})
    assert json.loads(as_json(read(path), Period(), ZONE))["total"]["cost"] is None
    assert list(csv.DictReader(io.StringIO(as_csv(read(path)))))[-1]["cost"] == ""


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([{"cost": 0.25}], None),
        ([{"cost": 0.25}, {"cost_source": "unknown"}], "Total cost: $0.2500 + 1 call of unknown cost"),
        ([{"cost_source": "unknown"}] * 2, "Total cost: unknown (2 calls)"),
    ],
)
def test_a_table_says_what_its_total_misses(
    path: Path, fill: Fill, calls: list[dict[str, Any]], said: str | None
) -> None:
    fill(*calls)
    last = table(read(path), Period()).splitlines()[-1]
    assert last == said if said else last.startswith("Total ")


def test_names_cannot_paint_on_the_terminal(path: Path, fill: Fill) -> None:
    fill({"user_id": "[red]\x1b[31mada"})
    assert "[red]\N{REPLACEMENT CHARACTER}[31mada" in table(read(path, "user"), Period())


def test_no_number_is_cut(path: Path, fill: Fill) -> None:
    fill({"user_id": "u" * 90, "prompt_tokens": 10**15, "cost": 123_456.789})
    lines = table(read(path, "user"), Period()).splitlines()
    assert lines[4].startswith(f"{'u' * 90} ")
    assert "1,000,000,000,000,000" in lines[4]
    assert "$123,456.789000" in lines[4]


def test_a_terminal_folds_long_names(path: Path, fill: Fill) -> None:
    fill({"user_id": "u" * 90})
    lines = list(lines_of(read(path, "user"), Period(), "UTC", room=37))
    assert [line.count("u") for line in lines[4:8]] == [28, 28, 28, 6]


def test_a_line_for_each_of_many_groups_is_written_soon(path: Path, fill: Fill) -> None:
    fill(*({"user_id": f"user_{number}"} for number in range(5_000)))
    result = read(path, "user")
    begun = time.process_time()
    assert table(result, Period()).count("\n") == 5_000 + 6
    assert time.process_time() - begun < 1
