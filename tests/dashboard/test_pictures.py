from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fondation.dashboard.desk import Desk
from fondation.dashboard.overview import Overview
from fondation.dashboard.pictures import by_day, latencies, run_over_time
from fondation.svg import Element
from fondation.usage.explaining import Run
from tests.usage.conftest import MONDAY, Fill

from .conftest import GRAPH

Look = Callable[..., Overview]


def titles(drawing: Element) -> list[str]:
    return [each.text or "" for each in drawing.iter("title")]


def test_each_agent_is_a_colour_of_the_days(fill: Fill, look: Look) -> None:
    fill(
        {"cost": 0.25}, {"agent_name": "Triage", "cost": 0.5}, {"cost_source": "unknown", "timestamp": MONDAY + 90_000}
    )
    days = by_day(look())
    assert days is not None
    assert (days.title, days.unit, days.has_unknown) == ("Cost by day", "day", True)
    assert [(each.name, each.css, each.words) for each in days.legend] == [
        ("Triage", "series-1", "$0.5000"),
        ("Billing", "series-2", "$0.2500 + 1 call of unknown cost"),
    ]
    assert len(list(days.drawing.iter("g"))) == 2


def test_where_no_money_is_charged_the_days_show_tokens(fill: Fill, look: Look) -> None:
    fill({"cost_source": "simulated", "prompt_tokens": 1_500})
    days = by_day(look())
    assert days is not None
    assert (days.title, days.legend[0].words) == ("Tokens by day", "1,500 tokens")


def test_the_days_are_all_of_the_period_until_now(fill: Fill, look: Look) -> None:
    fill({"cost": 0.25}, {"cost": 0.25, "timestamp": MONDAY + 3 * 86_400})
    for until, columns in {"2026-12-01": 5, "2026-11-28": 5, "2026-11-27": 4, "": 5}.items():
        overview = replace(look(since="2026-11-23", until=until), now=datetime(2026, 11, 27, 9, tzinfo=UTC))
        week = by_day(overview)
        assert week is not None
        assert len(list(week.drawing.iter("g"))) == columns


def test_without_a_call_there_is_no_picture(look: Look) -> None:
    assert by_day(look()) is None
    assert latencies(look()) is None


def test_models_that_answered_are_timed(fill: Fill, look: Look) -> None:
    fill(
        {"model": "acme/main", "duration": 4_000, "time_to_first_token": 500},
        {"model": "acme/mini", "duration": 900, "status": "error"},
        {"model": "acme/nano", "duration": 80},
    )
    drawing = latencies(look())
    assert drawing is not None
    assert titles(drawing) == [
        "acme/main: first token 500ms (median), 500ms (p95); last byte 4.0s (median), 4.0s (p95)",
        "acme/nano: first token - (median), - (p95); last byte 80ms (median), 80ms (p95)",
    ]


def test_a_runs_calls_follow_each_other_and_say_what_they_are(fill: Fill, path: Path) -> None:
    run = {"run_id": "run_1", "requested_model": "acme/main", "round": 1}
    fill(
        {**run, "step": 1, "attempt": 1, "duration": 1_500, "time_to_first_token": 300},
        {**run, "step": 2, "attempt": 1, "duration": 200, "status": "error", "timestamp": MONDAY + 1},
        {**run, "step": 2, "attempt": 2, "duration": 400, "timestamp": MONDAY + 1},
        {**run, "step": 2, "attempt": 3, "duration": 700, "requested_model": "acme/mini", "timestamp": MONDAY + 2},
        {**run, "step": 0, "purpose": "title", "duration": 600, "timestamp": MONDAY + 1},
        {**run, "step": 3, "attempt": 1, "status": "running", "cost_source": "pending", "timestamp": MONDAY + 4},
    )
    found = Desk(path, UTC, (), GRAPH).run("run_1")
    assert isinstance(found, Run)
    picture = run_over_time(found)
    drawing = picture.drawing
    assert [title.split("\n")[:2] for title in titles(drawing) if "\n" in title] == [
        ["1  acme/main", "begins after 0ms, takes 1.5s, first token after 300ms"],
        ["2.1  acme/main", "begins after 1.5s, takes 200ms"],
        ["2.2  acme/main", "begins after 1.7s, takes 400ms"],
        ["2.3  acme/mini", "begins after 2.1s, takes 700ms"],
        ["3  acme/main", "begins after 4.0s, and is still running"],
        ["title  acme/main", "begins after 1.0s, takes 600ms"],
    ]
    drawn = [each.get("class") for each in drawing.iter("rect") if each.get("class") != "hit"]
    assert drawn == ["answer waiting", "answer", "failed", "retry", "fallback", "unknown", "beside"]
    assert picture.legend == {
        "answer": "answer",
        "retry": "retry",
        "fallback": "fallback",
        "beside": "beside the answer",
        "failed": "failed",
        "unknown": "running",
    }
    assert [text.text for text in drawing.iter("text") if text.get("class") == "group"] == [
        "Billing",
        "Beside the answer",
    ]


def test_a_runs_legend_is_of_what_is_there(fill: Fill, path: Path) -> None:
    fill(
        {"run_id": "run_1", "step": 1, "duration": 1_500, "time_to_first_token": 300},
        {"run_id": "run_2", "step": 1, "duration": 80, "status": "refused"},
        {"run_id": "run_3", "step": 1, "status": "lost"},
    )
    found = [Desk(path, UTC, (), GRAPH).run(f"run_{number}") for number in (1, 2, 3)]
    pictures = [run_over_time(run) for run in found if isinstance(run, Run)]
    assert [(picture.legend, picture.has_waits) for picture in pictures] == [
        ({"answer": "answer"}, True),
        ({"failed": "failed"}, False),
        ({"unknown": "end unknown"}, False),
    ]
