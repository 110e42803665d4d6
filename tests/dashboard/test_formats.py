from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fondation.budgets import Budget
from fondation.dashboard.desk import Desk
from fondation.dashboard.formats import SECTIONS, as_csv, as_json
from fondation.dashboard.overview import Overview, Source
from fondation.dashboard.selection import BadSelection, Selection
from tests.usage.conftest import Fill

from .conftest import GRAPH

Look = Callable[..., Overview]

BUDGET = Budget("each-user", 2 * 10**12, ZoneInfo("UTC"), per="user")


@pytest.fixture
def source(overview: Overview, path: Path) -> Iterator[Source]:
    """What the overview was read from."""
    with Desk(path, ZoneInfo("UTC"), (BUDGET,), GRAPH).source(overview.selection) as source:
        yield source


def table(source: Source, section: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(source, section))))


@pytest.fixture
def overview(fill: Fill, look: Look) -> Overview:
    fill(
        {"run_id": "run_1", "cost": 0.0000125, "user_id": "=1+1", "model": "acme/main", "status": "done"},
        {"run_id": "run_2", "cost_source": "unknown", "cost_note": "no_price", "requested_model": "acme/mini"},
        {"run_id": "run_3", "handoff_chain": '["Triage", "Billing"]', "round": 2},
    )
    overview: Overview = look(budgets=(BUDGET,), since="2026-11-01")
    return overview


def test_every_section_is_in_json_and_a_table_of_its_own(overview: Overview, source: Source) -> None:
    told = json.loads(as_json(overview))
    assert set(SECTIONS) < told.keys()
    for section in SECTIONS:
        rows = [row for row in table(source, section) if row.get("row") != "total"]
        if section == "budgets":
            buckets = [each["bucket"] for each in told["budgets"][0]["buckets"]]
            assert [row["bucket"].removeprefix("'") for row in rows] == buckets
        else:
            assert len(rows) == len(told[section]) > 0


def test_json_says_what_it_is_about(overview: Overview) -> None:
    told = json.loads(as_json(overview))
    assert (told["since"], told["until"], told["timezone"]) == ("2026-11-01T00:00:00+00:00", None, "UTC")
    assert told["selection"] == {"since": "2026-11-01", "until": "", "agent": "", "model": "", "user": ""}
    assert told["handoffs"] == [{"source": "Triage", "target": "Billing", "times": 1, "is_gone": False}]


def test_an_unknown_cost_is_empty_and_a_small_one_has_all_its_digits(source: Source) -> None:
    costs: dict[str, Any] = {row["run_id"]: row["cost"] for row in table(source, "calls")}
    assert (costs["run_1"], costs["run_2"]) == ("0.0000125", "")


def test_a_spreadsheet_runs_no_name(source: Source) -> None:
    assert "'=1+1" in [row["user_id"] for row in table(source, "calls")]
    assert "'=1+1" in [row["user"] for row in table(source, "users")]


def test_a_section_that_is_none_is_told(source: Source) -> None:
    with pytest.raises(BadSelection, match="there is no section 'cats': type one of calls, days, "):
        as_csv(source, "cats")


def test_a_table_of_users_has_them_all(fill: Fill, path: Path) -> None:
    fill(*({"user_id": f"user{number:02}", "cost": 0.5} for number in range(25)))
    with Desk(path, ZoneInfo("UTC"), (), GRAPH).source(Selection()) as source:
        assert [row["row"] for row in table(source, "users")] == ["group"] * 25 + ["total"]
