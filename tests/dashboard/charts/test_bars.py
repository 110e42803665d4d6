from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.dashboard.charts.bars import bar, budget_bar, budget_state, part_bar
from fondation.svg import Element
from tests.dashboard.charts.geometry import assert_inside, of_class, share
from tests.dashboard.charts.pictures import assert_looks_as_kept

SHARES = st.floats(min_value=0, max_value=1)
MONEY = st.decimals(0, 10**9, places=6)


def width(drawing: Element, css: str) -> float:
    (mark,) = of_class(drawing, css)
    return share(mark.get("width"))


@given(SHARES, SHARES, MONEY, MONEY, MONEY)
def test_bars_are_inside(one: float, other: float, spent: Decimal, reserved: Decimal, limit: Decimal) -> None:
    for drawing in (bar(one), part_bar(one), budget_bar(spent, reserved, limit, other)):
        assert_inside(drawing)


def test_a_bar_is_as_long_as_its_share() -> None:
    assert width(bar(0.25), "series-1") == 0.25
    assert width(bar(1, "series-3"), "series-3") == 1


def test_zero_is_no_bar_but_almost_zero_is_seen() -> None:
    assert of_class(bar(0), "series-1") == []
    assert width(bar(1e-9), "series-1") == pytest.approx(0.006)


def test_what_is_unknown_is_outlined() -> None:
    for drawing in (bar(None), part_bar(None)):
        assert [rect.get("class") for rect in drawing.iter("rect")] == ["unknown"]


def test_a_part_lies_on_its_whole() -> None:
    assert [(rect.get("class"), rect.get("width")) for rect in part_bar(0.5).iter("rect")] == [
        ("track", "100%"),
        ("series-1", "50%"),
    ]


def test_a_bar_repeats_a_number_so_it_is_not_read_aloud() -> None:
    drawing = bar(0.5, tip="half of it")
    assert drawing.get("aria-hidden") == "true"
    assert drawing.findtext("title") == "half of it"


def test_a_budget_shows_what_is_spent_and_set_aside_and_where_it_warns() -> None:
    drawing = budget_bar(2, 1, 10, 0.8)
    assert width(drawing, "spent") == 0.2
    (held,) = of_class(drawing, "reserved")
    assert (held.get("x"), held.get("width")) == ("20%", "10%")
    (warn,) = of_class(drawing, "warn-mark")
    assert warn.get("x1") == "80%"
    assert of_class(drawing, "limit-mark") == []


def test_a_budget_that_is_overspent_shows_its_limit_within_the_bar() -> None:
    drawing = budget_bar(Decimal(20), 0, Decimal(10), 0.8)
    assert width(drawing, "full") == 1
    (limit,) = of_class(drawing, "limit-mark")
    (warn,) = of_class(drawing, "warn-mark")
    assert (limit.get("x1"), warn.get("x1")) == ("50%", "40%")


@pytest.mark.parametrize(
    ("spent", "reserved", "limit", "state"),
    [
        (0, 0, 10, "well"),
        (7, 2, 10, "well"),
        (8, 0, 10, "warned"),
        (8, 2, 10, "full"),
        (11, 0, 10, "full"),
        (0, 0, 0, "full"),
    ],
)
def test_the_state_of_a_budget(spent: int, reserved: int, limit: int, state: str) -> None:
    assert budget_state(spent, reserved, limit, 0.8) == state


def test_a_budget_of_nothing_is_an_empty_track() -> None:
    assert [rect.get("class") for rect in budget_bar(0, 0, 0).iter("rect")] == ["track"]


def test_it_looks_like_this() -> None:
    assert_looks_as_kept("budget", budget_bar(Decimal("4.1"), Decimal("0.3"), Decimal(5), 0.8, "per user <ada>"))
