from __future__ import annotations

from decimal import Decimal

import pytest

from fondation.dashboard.charts.measures import COST, Amount, counts, total


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Amount(0), "$0.0000"),
        (Amount(Decimal("12345.67891")), "$12,345.6789"),
        (Amount(Decimal("0.000034")), "$0.000034"),
        (Amount(Decimal("0.00000000123")), "$0.0000000012"),
        (Amount(Decimal("1.5"), 1), "$1.5000 + 1 call of unknown cost"),
        (Amount(None, 2), "unknown (2 calls)"),
    ],
)
def test_costs_have_four_places_or_what_shows_two_digits(amount: Amount, words: str) -> None:
    assert COST.words(amount) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Amount(0), "0 tokens"),
        (Amount(1), "1 token"),
        (Amount(1_234_567), "1,234,567 tokens"),
        (Amount(5, 1), "5 tokens + 1 call of unknown tokens"),
        (Amount(None, 2), "unknown (2 calls)"),
    ],
)
def test_counts_name_what_they_count(amount: Amount, words: str) -> None:
    assert counts("token").words(amount) == words


def test_a_total_says_what_it_misses() -> None:
    assert total([]) == Amount(0)
    assert total([Amount(1), Amount(Decimal("0.5"), 2)]) == Amount(Decimal("1.5"), 2)
    assert total([Amount(None, 1), Amount(3)]) == Amount(3, 1)
    assert total([Amount(None, 1), Amount(None, 2)]) == Amount(None, 3)
