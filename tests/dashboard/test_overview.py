from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.dashboard.desk import Desk
from fondation.dashboard.overview import NEWEST, Overview
from fondation.dashboard.selection import Selection
from fondation.stores import open_store
from fondation.usage.calls import UnknownCosts
from tests.usage.conftest import MONDAY, Fill, insert

from .conftest import GRAPH

Look = Callable[..., Overview]


def test_cards_count_every_row(fill: Fill, look: Look) -> None:
    fill(
        {"run_id": "run_1", "cost": 0.25, "prompt_tokens": 10, "completion_tokens": 1},
        {"run_id": "run_1", "status": "refused", "cost_source": "none"},
        {"run_id": "run_2", "cost_source": "simulated", "prompt_tokens": 100, "completion_tokens": 20},
        {"run_id": "run_3", "cost_source": "unknown", "status": "aborted", "prompt_tokens": 5},
    )
    overview = look()
    assert (overview.requests, overview.tokens, overview.total.cost) == (4, 136, Decimal("0.25"))


def test_every_split_has_the_same_total(fill: Fill, look: Look) -> None:
    calls = [
        {
            "agent_name": agent,
            "model": model,
            "user_id": user,
            "cost": 0.1 * number,
            "timestamp": MONDAY + number * 40_000,
        }
        for number, (agent, model, user) in enumerate(
            (agent, model, user) for agent in ("A", "B") for model in ("x", "y", None) for user in ("ada", None)
        )
    ]
    fill(*calls)
    overview = look()
    for report in (overview.days, overview.agents, overview.models, overview.users):
        assert report.total == overview.total
        assert sum(figures.cost_pico for _, figures in report.groups) == overview.total.cost_pico
        assert sum(figures.calls for _, figures in report.groups) == len(calls)
    assert [key for key, _ in overview.days.groups][:3] == [
        ("2026-11-23", "A"),
        ("2026-11-24", "A"),
        ("2026-11-25", "A"),
    ]


def test_days_are_those_of_the_time_zone(fill: Fill, look: Look) -> None:
    fill({"timestamp": MONDAY + 23 * 3600})
    assert [key for key, _ in look(zone=ZoneInfo("Europe/Paris")).days.groups] == [("2026-11-24", "Billing")]


def test_the_newest_calls_come_first_and_of_one_second_the_last_written(fill: Fill, look: Look) -> None:
    fill(*({"run_id": f"run_{number}", "timestamp": MONDAY + number // 2} for number in range(70)))
    assert [call.row["run_id"] for call in look().calls] == [f"run_{number}" for number in reversed(range(70))][:NEWEST]


def test_unknown_costs_are_told_by_their_reason(fill: Fill, look: Look) -> None:
    unknown = {"cost_source": "unknown", "cost_note": "no_price", "model": "acme/main"}
    fill(
        {**unknown, "run_id": "run_1"},
        {**unknown, "run_id": "run_2"},
        {"cost_source": "pending", "status": "running", "requested_model": "acme/mini", "run_id": "run_3"},
        {"cost_source": None, "run_id": "run_4"},
        {"cost_source": "none", "status": "refused"},
        {"cost_source": "simulated"},
        {"cost": 0.0, "cost_source": "billed"},
    )
    overview = look()
    assert overview.unknown == [
        UnknownCosts("no_price", "Billing", "acme/main", 2, "run_2"),
        UnknownCosts(None, "Billing", None, 1, "run_4"),
        UnknownCosts("pending", "Billing", "acme/mini", 1, "run_3"),
    ]
    assert overview.total.unknown_cost_calls == sum(each.calls for each in overview.unknown)


def test_handoffs_are_those_of_the_calls_that_are_selected(fill: Fill, look: Look) -> None:
    passed = {"handoff_chain": '["Triage", "Billing"]', "round": 2, "step": 2, "purpose": "answer"}
    fill(
        {**passed, "run_id": "run_1"},
        {**passed, "run_id": "run_2", "timestamp": MONDAY - 90_000},
        {**passed, "run_id": "run_3", "handoff_chain": '["Old", "Billing"]'},
    )
    assert [tuple(each) for each in look().handoffs] == [("Triage", "Billing", 2, False), ("Old", "Billing", 1, True)]
    assert [each.times for each in look(until="2026-11-23").handoffs] == [1]


_CALLS = st.fixed_dictionaries(
    {
        "agent_name": st.sampled_from(["Triage", "Billing"]),
        "model": st.sampled_from(["acme/main", "acme/mini"]),
        "user_id": st.sampled_from(["ada", None]),
        "cost": st.sampled_from([0.0, 1e-12, 0.3]),
        "cost_source": st.sampled_from(["billed", "unknown", "simulated", "none"]),
        "timestamp": st.integers(MONDAY - 200_000, MONDAY),
        "prompt_tokens": st.integers(0, 9),
    }
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(_CALLS, max_size=12),
    st.builds(
        Selection,
        since=st.sampled_from(["", "2026-11-22"]),
        until=st.sampled_from(["", "2026-11-23"]),
        agent=st.sampled_from(["", "Billing"]),
        model=st.sampled_from(["", "acme/mini"]),
        user=st.sampled_from(["", "ada"]),
    ),
)
def test_whatever_is_selected_cards_are_the_sums_of_its_rows(calls: list[dict[str, Any]], selection: Selection) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fondation.db"
        open_store(path).close()
        insert(path, *calls)
        overview = Desk(path, UTC, (), GRAPH).overview(selection)
    day = 86_400
    rows = [
        call
        for call in calls
        if (not selection.since or call["timestamp"] >= MONDAY - day)
        and (not selection.until or call["timestamp"] < MONDAY)
        and all(not typed or call[column] == typed for typed, column in _typed(selection))
    ]
    real = [call for call in rows if call["cost_source"] != "simulated"]
    assert overview.requests == len(overview.calls) == len(rows)
    assert overview.tokens == sum(call["prompt_tokens"] for call in rows)
    assert overview.total.cost_pico == sum(round(call["cost"] * 1e12) for call in real)
    assert sum(each.calls for each in overview.unknown) == overview.total.unknown_cost_calls


def _typed(selection: Selection) -> list[tuple[str, str]]:
    return [(selection.agent, "agent_name"), (selection.model, "model"), (selection.user, "user_id")]
