from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.dashboard.cells import call_cost, counted_with_commas, marks, moment, number, segment, utc
from fondation.usage.calls import Call


def call(cost: object = 0.0, **row: Any) -> Call:
    pico = round(cost * 1e12) if isinstance(cost, float) else None
    known = {"cost": cost, "cost_pico": pico, "cost_source": "billed", "status": "done", "purpose": "answer"}
    return Call({**known, **row})


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (0.0078125, "$0.007813"),  # an exact half goes up
        (0.0000035, "$0.000003"),  # as a float it is a little less than a half
        (1234.5, "$1234.500000"),
        (0.0, "$0.000000"),
    ],
)
def test_a_cost_reads_as_tofixed_writes_it(cost: float, text: str) -> None:
    assert call_cost(call(cost=cost)) == text


@given(st.floats(0, 999_999))
def test_a_cost_is_rounded_at_its_exact_value(cost: float) -> None:
    assert call_cost(call(cost=cost)) == f"${Decimal(cost).quantize(Decimal('0.000001'), ROUND_HALF_UP):f}"


def test_a_cost_that_another_program_got_wrong_is_unknown() -> None:
    assert call_cost(call(cost="much")) == "unknown"
    assert call_cost(call(cost="much", cost_source="simulated")) == "$0.000000"


def test_numbers_have_their_commas() -> None:
    assert (number(12_345), number(None)) == ("12,345", "")
    assert [counted_with_commas(count, "run") for count in (0, 1, 12_345)] == ["0 runs", "1 run", "12,345 runs"]


def test_what_is_unusual_is_marked() -> None:
    odd = call(status="aborted", cost_source="simulated", purpose="title")
    assert list(marks(odd)) == ["aborted", "simulated", "title"]
    assert list(marks(call())) == []


def test_moments_are_of_the_time_zone_and_of_utc() -> None:
    assert moment(1_795_392_000, ZoneInfo("Pacific/Auckland")) == "2026-11-23 13:00:00"
    assert utc(1_795_392_000) == "2026-11-23T00:00:00Z"
    assert (moment(-1, ZoneInfo("UTC")), utc(1e15)) == ("no date", "")


def test_a_name_is_one_part_of_an_address() -> None:
    assert segment("a/b?c#d e") == "a%2Fb%3Fc%23d%20e"
