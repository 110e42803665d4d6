from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.dashboard.charts.ticks import count_ticks, dollar_ticks, log_time_ticks, time_ticks

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("1e15"), places=12)
TIMES = st.integers(min_value=1, max_value=10**13)


@pytest.mark.parametrize(
    ("greatest", "labels"),
    [
        ("0", "$0 $1"),
        ("0.000000019", "$0 $5e-9 $1e-8 $1.5e-8 $2e-8"),
        ("0.0002", "$0 $0.00005 $0.00010 $0.00015 $0.00020"),
        ("0.99", "$0 $0.20 $0.40 $0.60 $0.80 $1.00"),
        ("3.2", "$0 $1 $2 $3 $4"),
        ("11500", "$0 $5,000 $10,000 $15,000"),
        ("1700000", "$0 $500,000 $1.0M $1.5M $2.0M"),
        ("4000000000000", "$0 $1T $2T $3T $4T"),
    ],
)
def test_dollars_have_as_many_digits_as_the_steps_need(greatest: str, labels: str) -> None:
    assert " ".join(dollar_ticks(Decimal(greatest)).labels) == labels


@pytest.mark.parametrize(
    ("greatest", "labels"),
    [
        (0, "0 1"),
        (1, "0 1"),
        (7, "0 2 4 6 8"),
        (9_999, "0 2,000 4,000 6,000 8,000 10k"),
        (12_345, "0 5,000 10k 15k"),
        (2_400_000, "0 500k 1.0M 1.5M 2.0M 2.5M"),
    ],
)
def test_counts_are_whole_and_short(greatest: int, labels: str) -> None:
    assert " ".join(count_ticks(greatest).labels) == labels


@pytest.mark.parametrize(
    ("longest", "labels"),
    [
        (1, "0, 1 ms"),
        (1700, "0, 500 ms, 1 s, 1.5 s, 2 s"),
        (61_000, "0, 20 s, 40 s, 1 min, 80 s"),
        (4_500_000, "0, 20 min, 40 min, 1 h, 80 min"),
        (10**9, "0, 5 d, 10 d, 15 d"),
    ],
)
def test_times_are_in_the_unit_that_says_them_well(longest: int, labels: str) -> None:
    assert ", ".join(time_ticks(longest).labels) == labels


@pytest.mark.parametrize(
    ("shortest", "longest", "labels"),
    [
        (31, 61_000, "20 ms, 200 ms, 2 s, 20 s, 5 min"),
        (400, 900, "200 ms, 500 ms, 1 s"),
        (100, 100, "50 ms, 100 ms"),
        (1, 1, "1 ms, 2 ms"),
        (86_400_000, 10**10, "1 d, 5 d, 20 d, 100 d, 500 d"),
    ],
)
def test_an_axis_of_doublings_begins_and_ends_beside_the_values(shortest: int, longest: int, labels: str) -> None:
    assert ", ".join(log_time_ticks(shortest, longest).labels) == labels


@given(AMOUNTS, TIMES)
def test_ticks_begin_at_zero_and_go_just_beyond_the_greatest(amount: Decimal, time: int) -> None:
    for ticks, greatest in (
        (dollar_ticks(amount), amount),
        (count_ticks(int(amount)), int(amount)),
        (time_ticks(time), time),
    ):
        steps = {after - before for before, after in pairwise(ticks.values)}
        assert ticks.values[0] == 0
        assert len(steps) == 1
        assert greatest <= ticks.top
        assert ticks.top - steps.pop() < max(greatest, 1)
        assert 2 <= len(ticks.values) == len(set(ticks.labels)) <= 6


@given(TIMES, TIMES)
def test_an_axis_of_doublings_holds_both_ends(one: int, other: int) -> None:
    shortest, longest = sorted((one, other))
    ticks = log_time_ticks(shortest, longest)
    assert ticks.values[0] <= shortest
    assert longest <= ticks.top
    assert 2 <= len(ticks.values) == len(set(ticks.labels)) <= 5
    assert list(ticks.values) == sorted(set(ticks.values))
