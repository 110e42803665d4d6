from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fondation.usage import figures
from fondation.usage.filters import Filters
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.tallies import labels_of, tally

from .conftest import MONDAY, Fill


def split(path: Path, *by: str, zone: str = "UTC", **filters: Any) -> dict[Any, int]:
    """How many calls there are for each key."""
    with closing(open_to_read(path)) as connection:
        tallies = tally(connection, Filters(**filters), by, ZoneInfo(zone))
    return {key[0] if len(key) == 1 else key: calls.figures().calls for key, calls in tallies.items()}


def seconds(*time: int, zone: str) -> int:
    return int(datetime(*time, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[misc,arg-type]


def test_a_day_on_which_clocks_change_has_its_own_length(path: Path, fill: Fill) -> None:
    zone = "America/New_York"
    long_day = seconds(2026, 11, 1, zone=zone)
    fill(*({"timestamp": long_day + hour * 3600} for hour in (-1, 0, 24, 25)))
    assert split(path, "day", zone=zone) == {"2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 1}


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_change(path: Path, fill: Fill) -> None:
    zone = "Asia/Beirut"  # on this day 00:00 is 01:00
    first = int(datetime(2026, 3, 28, 22, tzinfo=UTC).timestamp())
    fill({"timestamp": first - 1}, {"timestamp": first})
    assert split(path, "day", zone=zone) == {"2026-03-28": 1, "2026-03-29": 1}


@pytest.mark.parametrize("moment", [-5, 1_795_392_000_000, 2**62])
def test_a_moment_in_no_calendar_is_counted_without_a_day(path: Path, fill: Fill, moment: int) -> None:
    fill({"timestamp": moment}, {"timestamp": MONDAY})
    assert split(path, "day")["2026-11-23"] == 1
    assert sum(split(path, "day").values()) == sum(split(path, "agent").values()) == 2


def test_a_period_cuts_the_days_at_its_ends(path: Path, fill: Fill) -> None:
    fill(*({"timestamp": MONDAY + hour * 3600} for hour in range(48)))
    period = Period(datetime(2026, 11, 23, 20, tzinfo=UTC), datetime(2026, 11, 24, 3, tzinfo=UTC))
    assert split(path, "day", period=period) == {"2026-11-23": 4, "2026-11-24": 3}


def test_calls_are_split_by_their_labels(path: Path, fill: Fill) -> None:
    fill(
        {"labels": '{"team": "red", "tier": 1}'},
        {"labels": '{"team": "blue"}', "agent_name": "Triage"},
        {"labels": '{"te\\"am": "odd"}'},
        {"labels": "no json"},
        {},
    )
    assert split(path, "team") == {"red": 1, "blue": 1, None: 3}
    assert split(path, "tier") == {"1": 1, None: 4}
    assert split(path, 'te"am') == {"odd": 1, None: 4}
    assert split(path, "agent", "team", "day") == {
        ("Billing", "red", "2026-11-23"): 1,
        ("Triage", "blue", "2026-11-23"): 1,
        ("Billing", None, "2026-11-23"): 3,
    }
    with closing(open_to_read(path)) as connection:
        assert labels_of(connection) == ['te"am', "team", "tier"]


def test_a_table_without_an_index_by_time_is_read_too(path: Path, fill: Fill) -> None:
    fill(*({"timestamp": MONDAY + 86_400 * day} for day in range(3)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX usage_tracking_timestamp")
    assert list(split(path, "day").values()) == [1, 1, 1]
    assert split(path, "agent", user="nobody") == {}


@pytest.mark.parametrize("by", [["agent"], ["model"], ["day"], ["provider", "day"], ["purpose"]])
def test_what_most_reports_need_is_in_one_index(path: Path, fill: Fill, by: list[str]) -> None:
    fill({}, {"cost_source": None}, {"status": "running"})
    plans = plans_of(path, Filters(), by)
    assert any("INDEX usage_tracking_kind (agent_name=? AND" in plan for plan in plans), plans
    assert any("INDEX usage_tracking_running (timestamp>? AND timestamp<?)" in plan for plan in plans), plans
    rest = [plan for plan in plans if "usage_tracking_kind" not in plan and "usage_tracking_running" not in plan]
    assert all("COVERING INDEX usage_tracking_timestamp (timestamp" in plan for plan in rest), plans
    assert not [plan for plan in plans if "usage_tracking_kind" in plan and "COVERING" not in plan]


@pytest.mark.parametrize("column", ["user", "session", "run"])
def test_calls_of_one_user_session_or_run_are_found_by_an_index(path: Path, fill: Fill, column: str) -> None:
    fill({})
    name: Any = {column: "x"}
    assert any(f"INDEX usage_tracking_{column}_id ({column}_id=?" in plan for plan in plans_of(path, Filters(**name)))


def plans_of(path: Path, filters: Filters, by: Sequence[str] = ("agent",)) -> list[str]:
    """How SQLite finds the calls, in each statement that reads them."""
    statements: list[str] = []
    with closing(open_to_read(path)) as connection:
        connection.set_trace_callback(statements.append)
        tally(connection, filters, by, UTC)
        connection.set_trace_callback(None)
        plans = [
            row[3]
            for text in statements
            if text.startswith("SELECT") and "FROM usage_tracking" in text and "MAX(rowid)" not in text
            for row in connection.execute(f"EXPLAIN QUERY PLAN {text.replace('Inf', '9e999')}")
        ]
    return [plan for plan in plans if plan.startswith(("SEARCH", "SCAN")) and "usage_tracking" in plan]


def test_all_figures_are_of_one_moment(path: Path, fill: Fill) -> None:
    fill(*({"timestamp": MONDAY + 86_400 * day} for day in range(3)))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer, closing(open_to_read(path)) as connection:
        writer.execute("UPDATE usage_tracking SET cost = 1")  # a log of writes is there: the reader follows it
        connection.close()
        connection = open_to_read(path)
        connection.set_trace_callback(
            lambda text: writer.execute("DELETE FROM usage_tracking") if "json_group_array" in text else None
        )
        tallies = tally(connection, Filters(), ["day"], UTC)
    assert len(tallies) == 3


def test_percentiles_are_the_same_for_few_and_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [(7 * number) % 997 for number in range(2_000)]
    expected = [sorted(times)[math.ceil(len(times) * share / 100) - 1] for share in (50, 95)]
    for many in (1, 500, 3_000):
        monkeypatch.setattr(figures, "_MANY", many)
        halves = figures._Times(), figures._Times()
        for half, start in zip(halves, (0, 1_300), strict=True):
            half.add([times[start : start + 700], times[start + 700 : start + 1_300 if start == 0 else None]])
        halves[0].merge(halves[1])
        assert halves[0].percentiles(50, 95) == expected
