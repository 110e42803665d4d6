"""What people are told of a budget."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from fondation.budgets.budget import Budget
from fondation.budgets.statements import Statement

DOLLAR = 10**12
MIDNIGHT = 1_795_478_400.0


def statement(
    spent: int, limit: int = 5 * DOLLAR, *, daily: bool = True, set_aside: int = 0, held: int = 0
) -> Statement:
    budget = Budget("per-user", limit, ZoneInfo("UTC"), per="user", every="day" if daily else None)
    return Statement(budget, budget.counter(MIDNIGHT - 60, "ada"), spent, set_aside, held)


def test_a_part_holds_dollars_and_the_moment() -> None:
    assert statement(4_250_000_000_000).part().data == {
        "budget": "per-user",
        "spent": 4.25,
        "limit": 5.0,
        "reset": "2026-11-24T00:00:00Z",
    }
    assert statement(0, daily=False).data["reset"] is None


def test_a_sentence_says_why() -> None:
    reset = "It begins anew at 2026-11-24T00:00:00Z."
    used_up = 'The budget "per-user" is used up: $5.10 of $5.00 is spent.'
    no_room = 'The budget "per-user" has no room for another call: $4.9921 of $5.00 is spent.'
    runs_short = 'The budget "per-user" runs short: $4.00 of $5.00 is spent.'
    assert statement(5_100_000_000_000).sentence() == f"{used_up} {reset}"
    assert statement(4_992_100_000_000, daily=False).sentence() == no_room
    assert statement(4 * DOLLAR).warning() == f"{runs_short} {reset}"


def test_what_broken_off_calls_keep_is_said() -> None:
    told = statement(DOLLAR, 2 * DOLLAR, daily=False, held=DOLLAR).sentence()
    kept = "$1.00 of $2.00 is spent, and $1.00 is kept for calls that ended without telling their cost."
    assert told == f'The budget "per-user" is used up: {kept}'


def test_what_others_are_about_to_free_is_asked_for_again_soon() -> None:
    stop = statement(0, DOLLAR, set_aside=DOLLAR).stop()
    told = "has no room for another call now: $0.00 of $1.00 is spent, and $1.00 is set aside for calls under way."
    assert stop.sentence == f'The budget "per-user" {told}'
    assert stop.retry_after == 2
    assert stop.details["budget"] == statement(0, DOLLAR).data


def test_a_stop_says_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT - 59.5)
    stop = statement(5 * DOLLAR).stop()
    assert (stop.http_status, stop.error_type, stop.retry_after) == (402, "budget_exceeded", 60)
    assert stop.details == {"budget": statement(5 * DOLLAR).data}
    assert statement(5 * DOLLAR, daily=False).stop().retry_after is None
