from __future__ import annotations

import contextlib
import sqlite3
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.stores.rows import COST_PICO
from fondation.usage.money import brief_sum, cost_text, dollars, from_pico, pico, shortest_dollars, sum_text


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        (0.0078125, 6, "$0.007813"),  # a tie that binary holds exactly
        (1.005, 2, "$1.00"),  # below the tie, as binary holds it
        (0.00005, 4, "$0.0001"),  # above the tie, as binary holds it
        (0.0042, 4, "$0.0042"),
        (0.0, 4, "$0.0000"),
        (1234567.5, 4, "$1,234,567.5000"),
        (1e-13, 6, "$0.000000"),
        (Decimal("0.00005"), 4, "$0.0001"),
    ],
)
def test_dollars_round_half_up_on_the_exact_value(amount: float | Decimal, places: int, text: str) -> None:
    assert dollars(amount, places) == text


def test_dollars_have_four_decimals_unless_told_otherwise() -> None:
    assert dollars(0.25) == "$0.2500"


def test_a_cost_that_nobody_knows_is_not_told_as_zero() -> None:
    assert cost_text(0.0042, "billed") == "$0.0042"
    assert cost_text(0.0042, "priced", 6) == "$0.004200"
    assert cost_text(0.0, "none") == "$0.0000"
    assert [cost_text(None, source) for source in ("unknown", "pending")] == ["cost unknown"] * 2
    assert cost_text(None, "simulated") == "simulated"


@pytest.mark.parametrize(
    ("cost", "unknown", "pending", "text", "brief"),
    [
        ("0.25", 0, 0, "$0.2500", "$0.250000"),
        ("0.25", 1, 0, "$0.2500 + 1 call of unknown cost", "$0.250000 + ?"),
        ("0.25", 0, 1_200, "$0.2500 + 1,200 calls of pending cost", "$0.250000 + ?"),
        ("0", 2, 1, "$0.0000 + 2 calls of unknown cost and 1 call of pending cost", "$0.000000 + ?"),
        (None, 2, 0, "unknown (2 calls)", "unknown"),
        (None, 2, 1, "unknown (2 calls), pending (1 call)", "unknown"),
    ],
)
def test_a_total_says_what_it_misses(cost: str | None, unknown: int, pending: int, text: str, brief: str) -> None:
    known = None if cost is None else Decimal(cost)
    assert sum_text(known, unknown, pending_calls=pending) == text
    assert brief_sum(known, unknown + pending) == brief


def test_pico_dollars_are_exact() -> None:
    assert from_pico(3_351_000_001) == Decimal("0.003351000001")
    assert from_pico(2**62) == Decimal(2**62) / 10**12


@given(st.floats(0, 1_000_000) | st.floats(0, 1e-9) | st.integers(0, 10**13).map(lambda half: half * 5e-13))
def test_a_cost_is_the_integer_that_its_row_has(cost: float) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        assert pico(cost) == database.execute(f"SELECT {COST_PICO} FROM (SELECT ? AS cost)", [cost]).fetchone()[0]


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (0, "$0.00"),
        (5 * 10**12, "$5.00"),
        (1_234_500_000_000_000, "$1,234.50"),
        (3_351_000_000, "$0.003351"),
        (123_456_789_012, "$0.123457"),
        (100_000_000_000, "$0.10"),
        (12, "$0.000000000012"),
        (10**18, "$1,000,000.00"),
    ],
)
def test_money_takes_the_places_that_it_needs(pico: int, text: str) -> None:
    assert shortest_dollars(from_pico(pico)) == text
