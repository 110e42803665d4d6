from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.usage.calls import Call
from fondation.usage.run_times import begins_of, end_of

from .conftest import MONDAY


def calls_of(*rows: dict[str, Any]) -> list[Call]:
    usual = {"timestamp": MONDAY, "step": 1, "purpose": None, "duration": None}
    return [Call({"id": number, **usual, **row}) for number, row in enumerate(rows)]


def times(*rows: dict[str, Any]) -> tuple[list[int], int | None]:
    calls = calls_of(*rows)
    begins = begins_of(calls)
    return [begins[call] for call in calls], end_of(begins)


def test_attempts_and_steps_of_one_second_follow_one_another() -> None:
    rows = [{"duration": 4}, {"duration": 6}, {"duration": 108}, {"duration": 33, "step": 2}]
    assert times(*rows) == ([0, 4, 10, 118], 151)


def test_a_call_of_a_later_second_begins_there() -> None:
    second, third = ({"timestamp": MONDAY + seconds, "duration": took} for seconds, took in ((1, 1_123), (2, 5)))
    assert times({"duration": 33}, second, third) == ([0, 1_000, 2_123], 2_128)


def test_a_title_is_written_meanwhile() -> None:
    title = {"purpose": "title", "step": 0}
    assert times({"duration": 900}, {**title, "duration": 40}, {**title, "duration": 950}) == ([0, 0, 40], 990)


def test_the_answer_waits_for_a_summary_and_suggestions_for_the_answer() -> None:
    summary: dict[str, Any] = {"purpose": "summary", "step": 0, "duration": 300}
    suggestions: dict[str, Any] = {"purpose": "suggestions", "step": 0, "duration": 50}
    assert times(summary, {"duration": 900}, suggestions) == ([0, 300, 1_200], 1_250)


def test_calls_of_another_program_wait_for_none() -> None:
    assert times({"duration": 900, "step": None}, {"duration": 40, "step": None}) == ([0, 0], 900)


def test_nobody_knows_the_end_where_the_last_call_has_none() -> None:
    assert times({"duration": 900}, {}) == ([0, 900], None)
    assert times({}, {"duration": 900}) == ([0, 0], 900)
    assert times({"duration": 900}, {"purpose": "title", "step": 0}) == ([0, 0], None)


def test_what_was_written_later_may_have_begun_before() -> None:
    assert times({"duration": 10, "timestamp": MONDAY + 1}, {"duration": 20}) == ([1_000, 0], 1_010)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5_000)), min_size=1, max_size=12))
def test_no_call_begins_before_its_second_or_before_the_last_one_has_ended(given: list[tuple[int, int]]) -> None:
    rows = [{"timestamp": MONDAY + second, "duration": took} for second, took in sorted(given)]
    begins, end = times(*rows)
    assert all(
        begin >= (row["timestamp"] - rows[0]["timestamp"]) * 1000 for begin, row in zip(begins, rows, strict=True)
    )
    assert all(begin + row["duration"] <= after for (begin, after), row in zip(pairwise(begins), rows, strict=False))
    assert end == begins[-1] + rows[-1]["duration"]
