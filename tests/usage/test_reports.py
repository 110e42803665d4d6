from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores import open_store
from fondation.usage.figures import Figures
from fondation.usage.filters import Filters
from fondation.usage.losses import untimed_rows
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.reports import Report, regrouped, report, report_of, shortened
from fondation.usage.tallies import GROUPINGS, tally

from .conftest import MONDAY, Fill, insert


def read(path: Path, by: str = "agent", zone: str = "UTC", **filters: Any) -> Report:
    with closing(open_to_read(path)) as connection:
        return report(connection, Filters(**filters), by.split(","), ZoneInfo(zone))


def names(result: Report) -> list[Any]:
    return [key[0] if len(key) == 1 else key for key, _ in result.groups]


@pytest.mark.usefixtures("support_desk")
def test_calls_are_counted_refused_and_simulated_ones_apart(path: Path) -> None:
    total = read(path).total
    assert (total.runs, total.calls, total.refused) == (2, 5, 1)
    assert (total.simulated_runs, total.simulated) == (1, 1)


def test_calls_are_told_apart_by_what_they_were_for(path: Path, fill: Fill) -> None:
    fill({"cost": 0.5, "purpose": "title"}, {"cost": 0.75, "purpose": "answer"}, {"cost": 1.0, "purpose": None})
    groups = read(path, "purpose").groups
    assert [(key, figures.cost) for key, figures in groups] == [
        (("answer",), Decimal("1.75")),
        (("title",), Decimal("0.5")),
    ]


@pytest.mark.usefixtures("support_desk")
def test_unknown_costs_are_counted_and_known_ones_added(path: Path) -> None:
    total = read(path).total
    assert (total.cost, total.unknown_cost_calls) == (Decimal("0.0505635"), 2)


@pytest.mark.usefixtures("support_desk")
def test_tokens_are_summed_over_every_real_call(path: Path) -> None:
    total = read(path).total
    assert (total.prompt_tokens, total.completion_tokens, total.total_tokens) == (13_167, 740, 13_907)
    assert (total.cached_tokens, total.reasoning_tokens) == (1_024, 200)


TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def test_simulated_tokens_are_in_no_sum_but_their_own(path: Path, fill: Fill) -> None:
    fill(
        {**dict.fromkeys(TOKENS, 100), "cost_source": "simulated", "run_id": "run_1"},
        {**dict.fromkeys(TOKENS, 1), "run_id": "run_1"},
    )
    result = read(path)
    for figures in (result.total, result.groups[0][1]):
        assert [getattr(figures, name) for name in TOKENS] == [1] * 5
        assert (figures.total_tokens, figures.simulated_tokens) == (2, 200)
        assert (figures.runs, figures.simulated_runs) == (1, 1)


def test_a_run_of_several_agents_is_one_run_in_all(path: Path, fill: Fill) -> None:
    fill(
        *({"agent_name": name, "run_id": "run_1"} for name in ("A", "B", "B")),
        {"agent_name": "B", "run_id": "run_2", "status": "aborted"},
        {"agent_name": "B", "run_id": None},
    )
    result = read(path)
    assert [(key[0], figures.runs) for key, figures in result.groups] == [("A", 1), ("B", 3)]
    assert result.total.runs == 3


def test_a_cost_of_which_nothing_is_known_is_not_zero(path: Path, fill: Fill) -> None:
    fill({"cost_source": "unknown"}, {"cost_source": "none", "status": "refused"})
    assert read(path).total.cost is None


@pytest.mark.parametrize("source", ["billed", "priced", "estimated"])
def test_a_known_cost_of_zero_is_zero(path: Path, fill: Fill, source: str) -> None:
    fill({"cost_source": source})
    assert read(path).total.cost == 0


def test_simulated_calls_are_in_no_money_and_no_latency(path: Path, fill: Fill) -> None:
    fill({"cost": 5.0, "cost_source": "simulated", "duration": 9})
    total = read(path).total
    assert (total.simulated, total.calls) == (1, 0)
    assert total.cost == 0
    assert total.p50_ms is None


@pytest.mark.usefixtures("support_desk")
@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("agent", ["Billing", "Triage"]),
        ("model", ["anthropic/claude-4.5-sonnet-20250929", "simulated", "anthropic/claude-sonnet-4.5"]),
        ("user", ["ada", None, "=1+1"]),
        ("session", ["s1", "s3", "s2"]),
        ("provider", ["openrouter", "simulated"]),
        ("day", ["2026-11-23", "2026-11-24"]),
        ("agent,day", [("Billing", "2026-11-23"), ("Billing", "2026-11-24"), ("Triage", "2026-11-23")]),
    ],
)
def test_a_report_is_split_the_dearest_first_or_by_day(path: Path, by: str, groups: list[Any]) -> None:
    assert names(read(path, by)) == groups


@pytest.mark.usefixtures("support_desk")
@pytest.mark.parametrize(
    ("filters", "calls"),
    [
        ({"agent": "Triage"}, 2),
        ({"model": "anthropic/claude-sonnet-4.5"}, 6),
        ({"model": "anthropic/claude-4.5-sonnet-20250929"}, 5),
        ({"user": "ada"}, 3),
        ({"user": "ADA"}, 0),
        ({"session": "s2"}, 3),
        ({"session": "s2", "agent": "Billing"}, 2),
        ({"provider": "openrouter"}, 6),
        ({"run": "run_1"}, 3),
        ({"period": Period(since=datetime.fromtimestamp(MONDAY, UTC))}, 7),
        ({"period": Period(since=datetime.fromtimestamp(MONDAY + 1, UTC))}, 1),
        ({"period": Period(until=datetime.fromtimestamp(MONDAY, UTC))}, 0),
        ({"period": Period(until=datetime.fromtimestamp(MONDAY + 1, UTC))}, 6),
    ],
)
def test_filters_leave_what_they_name(path: Path, filters: dict[str, Any], calls: int) -> None:
    result = read(path, **filters)
    assert result.total.calls + result.total.refused + result.total.simulated == calls


def test_a_day_is_the_zones_own(path: Path, fill: Fill) -> None:
    fill({"timestamp": MONDAY - 1}, {"timestamp": MONDAY + 66_600 - 1}, {"timestamp": MONDAY + 66_600})
    assert names(read(path, "day", "Asia/Kolkata")) == ["2026-11-23", "2026-11-24"]
    assert [figures.calls for _, figures in read(path, "day", "Asia/Kolkata").groups] == [2, 1]


def test_percentiles_are_durations_of_answered_calls(path: Path, fill: Fill) -> None:
    fill(
        *({"duration": number, "agent_name": "A" if number <= 10 else "B"} for number in range(1, 101)),
        {"duration": 99_999, "status": "aborted"},
        {"duration": 99_999, "status": "error"},
    )
    result = read(path)
    assert (result.total.p50_ms, result.total.p95_ms) == (50, 95)
    assert {key: (figures.p50_ms, figures.p95_ms) for key, figures in result.groups} == {
        ("A",): (5, 10),
        ("B",): (55, 96),
        ("Billing",): (None, None),
    }


def test_an_empty_ledger_has_a_total_of_nothing(path: Path, fill: Fill) -> None:
    fill()
    result = read(path)
    assert result.groups == []
    assert astuple(result.total) == (*[0] * 13, *[None] * 4, *[0] * 3)
    assert result.total.cost == 0


@contextmanager
def ledger_of(folder: Path, calls: list[dict[str, Any]]) -> Iterator[Path]:
    path = folder / "property.db"
    try:
        insert(path, *calls)
        yield path
    finally:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM usage_tracking")


calls = st.fixed_dictionaries(
    {
        "agent_name": st.sampled_from(["A", "B", "C"]),
        "model": st.sampled_from(["m", "n", None]),
        "timestamp": st.integers(MONDAY, MONDAY + 10 * 86_400),
        "cost": st.floats(0, 1000),
        "cost_source": st.sampled_from(
            ["billed", "priced", "estimated", "none", "simulated", "unknown", "pending", None]
        ),
        "status": st.sampled_from(["done", "refused", "error", "aborted", "lost", None]),
        "prompt_tokens": st.none() | st.integers(0, 10**12),
        "duration": st.none() | st.integers(0, 10**6),
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("property")
    open_store(folder / "property.db").close()
    return folder


@given(st.lists(calls, max_size=25), st.sampled_from([*GROUPINGS, "agent,model", "model,day"]))
@settings(max_examples=60, deadline=None)
def test_a_total_is_the_sum_of_its_groups_and_of_its_rows(folder: Path, made: list[dict[str, Any]], by: str) -> None:
    with ledger_of(folder, made) as path:
        result = read(path, by)
    sums = Figures.__dataclass_fields__.keys() - {"runs", "simulated_runs"}
    sums = {name for name in sums if not name.endswith("_ms")}
    for name in sums:
        assert getattr(result.total, name) == sum(getattr(figures, name) for _, figures in result.groups)
    billed = [call["cost"] for call in made if call["cost_source"] != "simulated"]
    assert result.total.cost_pico == sum(math.floor(cost * 1e12 + 0.5) for cost in billed)
    assert result.total.calls + result.total.refused + result.total.simulated == len(made)
    tokens = [(call["cost_source"] == "simulated", call["prompt_tokens"] or 0) for call in made]
    assert result.total.total_tokens == sum(count for simulated, count in tokens if not simulated)
    assert result.total.simulated_tokens == sum(count for simulated, count in tokens if simulated)
    durations = [call["duration"] for call in made if is_answered(call) and call["duration"] is not None]
    assert result.total.p50_ms == (sorted(durations)[(len(durations) - 1) // 2] if durations else None)


def is_answered(call: dict[str, Any]) -> bool:
    return call["cost_source"] != "simulated" and call["status"] in ("done", None)


@pytest.mark.parametrize("by", ["agent", "user", "day"])
@pytest.mark.parametrize("source", ["billed", None])
@pytest.mark.parametrize("cost", [1e7, math.inf, -math.inf, "a lot", b"x"])
def test_a_cost_that_is_no_amount_of_money_is_unknown(
    path: Path, fill: Fill, cost: object, source: str | None, by: str
) -> None:
    odd = {"cost": cost, "cost_source": source}
    fill({"cost": 0.5}, odd, odd)
    total = read(path, by).total
    assert (total.calls, total.cost_pico, total.known_cost_calls, total.unknown_cost_calls) == (3, 5 * 10**11, 1, 2)


@pytest.mark.parametrize("by", ["agent", "user", "day"])
@pytest.mark.parametrize("timestamp", ["2026-11-22T10:00:00Z", b"x", math.inf, -math.inf])
def test_a_call_whose_time_is_no_number_is_left_out(path: Path, fill: Fill, timestamp: object, by: str) -> None:
    fill({"cost": 0.5}, {"cost": 0.5, "timestamp": timestamp})
    assert (read(path, by).total.calls, read(path, by).total.cost_pico) == (1, 5 * 10**11)
    with closing(open_to_read(path)) as connection:
        assert untimed_rows(connection) == 1


@pytest.mark.parametrize("by", ["agent", "user"])
@pytest.mark.parametrize("duration", ["long", b"x", math.inf])
def test_a_duration_that_is_no_number_is_in_no_percentile(path: Path, fill: Fill, duration: object, by: str) -> None:
    fill({"duration": 5, "time_to_first_token": 3}, {"duration": duration, "time_to_first_token": duration})
    total = read(path, by).total
    assert (total.calls, total.p95_ms, total.first_token_p95_ms) == (2, 5, 3)


@pytest.mark.parametrize("tokens", ["many", 2**63 - 1])
def test_tokens_that_are_too_many_or_no_number_break_no_report(path: Path, fill: Fill, tokens: object) -> None:
    fill({"total_tokens": 7}, {"total_tokens": tokens}, {"total_tokens": tokens})
    assert read(path).total.total_tokens == (7 if tokens == "many" else 2**63 - 1)


@pytest.mark.usefixtures("support_desk")
@pytest.mark.parametrize("kept", [("agent",), ("model",), ("day", "agent"), ("model", "day"), ()])
def test_calls_that_were_split_can_be_put_together_again(path: Path, kept: tuple[str, ...]) -> None:
    split = ("day", "agent", "model")
    with closing(open_to_read(path)) as connection:
        tallies = tally(connection, Filters(), split, UTC)
        assert report_of(regrouped(tallies, split, kept), kept) == report(connection, Filters(), kept, UTC)


@pytest.mark.usefixtures("support_desk")
@pytest.mark.parametrize("top", [1, 2, 9])
def test_a_report_shortened_later_is_the_one_of_the_dearest(path: Path, top: int) -> None:
    with closing(open_to_read(path)) as connection:
        tallies = tally(connection, Filters(), ("model",), UTC)
        assert shortened(report_of(tallies, ("model",)), tallies, top) == report_of(tallies, ("model",), top)
