from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.dashboard.charts.measures import COST, Amount, counts
from fondation.dashboard.charts.series import Days
from fondation.dashboard.charts.stacked import GROUND, TOP, Stacked, stacked
from fondation.svg import Element
from tests.dashboard.charts.geometry import assert_inside, assert_legible, number, of_class, share
from tests.dashboard.charts.pictures import assert_looks_as_kept

LAST = date(2026, 11, 23)
PHONE = 225
"""Pixels: beside the plane are the labels of its axis."""

AMOUNTS = st.builds(
    Amount,
    st.none() | st.integers(min_value=0, max_value=10**12) | st.decimals(0, 10**9, places=12),
    st.integers(min_value=0, max_value=3),
)
NAMES = st.sampled_from([f"agent {number}" for number in range(12)]) | st.text(max_size=80)
DAYS = st.dictionaries(
    st.integers(min_value=0, max_value=1300).map(lambda ago: LAST - timedelta(ago)),
    st.dictionaries(NAMES, AMOUNTS, max_size=12),
    min_size=1,
    max_size=8,
)


def draw(days: Days, first: date | None = None) -> Stacked:
    return stacked("Cost", days, COST, first)


def bars(column: Element) -> list[Element]:
    """From the ground up."""
    return [rect for rect in column.iter("rect") if rect.get("class") != "hit"]


def tip(mark: Element) -> str:
    return mark.findtext("title") or ""


@settings(max_examples=60, deadline=None)
@given(DAYS)
def test_whatever_is_drawn_is_inside_and_legible(days: Days) -> None:
    drawing = draw(days).drawing
    assert_inside(drawing)
    assert_legible(drawing, PHONE)


@settings(max_examples=60, deadline=None)
@given(DAYS)
def test_the_bars_of_a_column_stand_upon_each_other_and_are_as_high_as_their_sum(days: Days) -> None:
    chart = draw(days)
    columns = of_class(chart.drawing, "column")
    heights = []
    for column in columns:
        y = float(GROUND)
        for bar in bars(column):
            assert number(bar, "y") <= y
            assert number(bar, "y") + number(bar, "height") == pytest.approx(y, abs=1.02)  # a gap of a pixel
            y = number(bar, "y")
        heights.append(GROUND - y)
    drawn = sum(amount.drawn for amounts in days.values() for amount in amounts.values())
    if drawn and len(columns) == 1:
        assert GROUND - TOP >= heights[0] > (GROUND - TOP) / 2 - 1
    assert any(heights) == bool(drawn)


@given(st.dictionaries(NAMES, AMOUNTS, max_size=14))
def test_all_names_are_in_the_legend_and_no_amount_is_lost(amounts: dict[str, Amount]) -> None:
    legend = draw({LAST: amounts}).legend
    assert frozenset().union(*(series.members for series in legend)) == frozenset(amounts)
    assert sum(series.amount.drawn for series in legend) == sum(amount.drawn for amount in amounts.values())
    assert sum(series.amount.unknown for series in legend) == sum(amount.unknown for amount in amounts.values())
    assert [series.css for series in legend][:8] == [f"series-{number}" for number in range(1, min(len(legend), 8) + 1)]


def test_the_greatest_stands_lowest_and_the_ninth_is_among_the_others() -> None:
    chart = draw({LAST: {f"agent {number}": Amount(number) for number in range(1, 11)}})
    assert [series.name for series in chart.legend] == [*(f"agent {number}" for number in range(10, 2, -1)), "2 others"]
    assert chart.legend[-1].words == "$3.0000"
    (column,) = of_class(chart.drawing, "column")
    assert [bar.get("class") for bar in bars(column)] == [*(f"series-{each}" for each in range(1, 9)), "series-other"]


def test_a_colour_stays_with_its_name_from_day_to_day() -> None:
    chart = draw({LAST: {"small": Amount(1), "large": Amount(1)}, LAST - timedelta(1): {"large": Amount(9)}})
    yesterday, today = (bars(column) for column in of_class(chart.drawing, "column"))
    assert [bar.get("class") for bar in yesterday] == ["series-1"]
    assert [tip(bar).splitlines()[0] for bar in today] == ["large: $1.0000", "small: $1.0000"]
    assert [bar.get("class") for bar in today] == ["series-1", "series-2"]


def test_what_nobody_knows_is_a_cap_upon_the_rest_that_is_no_amount() -> None:
    chart = draw(
        {
            LAST: {"a": Amount(4), "b": Amount(None, 2)},
            LAST - timedelta(1): {"b": Amount(None, 1)},
            LAST - timedelta(2): {"a": Amount(0)},
        }
    )
    zero, alone, upon = of_class(chart.drawing, "column")
    assert bars(zero) == []
    assert of_class(zero, "cap") == bars(alone) == []
    (cap,) = of_class(alone, "cap")
    assert tip(cap) == "1 call of unknown amount\nSun 22 Nov 2026: unknown (1 call)"
    (bar,), (upper,) = bars(upon), of_class(upon, "cap")
    assert bar.get("class") == "series-1"
    assert GROUND - number(cap, "y1") == number(bar, "y") - number(upper, "y1")
    assert tip(upon) == "Mon 23 Nov 2026: $4.0000 + 2 calls of unknown cost\na: $4.0000\nb: unknown (2 calls)"
    assert chart.has_unknown


def test_what_is_almost_nothing_can_be_seen() -> None:
    chart = draw({LAST: {"a": Amount(1000)}, LAST - timedelta(1): {"a": Amount(Decimal("0.000001"))}})
    small, _ = of_class(chart.drawing, "column")
    assert [number(bar, "height") for bar in bars(small)] == [2]


def test_the_title_names_what_a_column_stands_for() -> None:
    assert draw({LAST: {}}).title == "Cost by day"
    assert draw({LAST: {}}, first=LAST - timedelta(400)).title == "Cost by week"


def test_days_between_are_empty_columns() -> None:
    chart = draw({LAST: {"a": Amount(1)}}, first=LAST - timedelta(6))
    columns = of_class(chart.drawing, "column")
    assert [len(bars(column)) for column in columns] == [0] * 6 + [1]
    assert tip(columns[0]) == "Tue 17 Nov 2026: $0.0000"
    assert [share(each.get("width")) for each in of_class(chart.drawing, "hit")] == [pytest.approx(1 / 7, abs=1e-4)] * 7


def test_the_same_as_a_table_has_the_newest_first_and_no_empty_day() -> None:
    chart = draw({LAST: {"a": Amount(3), "b": Amount(None, 1)}, LAST - timedelta(9): {"b": Amount(1)}})
    assert [series.name for series in chart.legend] == ["a", "b"]
    assert [(row.name, row.total, list(row.parts)) for row in chart.rows] == [
        ("Mon 23 Nov 2026", "$3.0000 + ?", ["$3.0000", "unknown"]),
        ("Sat 14 Nov 2026", "$1.0000", ["", "$1.0000"]),
    ]


def test_the_name_of_the_picture_says_its_main_fact() -> None:
    days = {LAST: {"a": Amount(3), "b": Amount(1)}, LAST - timedelta(1): {"b": Amount(1)}}
    assert draw(days).drawing.get("aria-label") == (
        "Cost by day: $5.0000 in 2 days; the most in one day is $4.0000 (Mon 23 Nov 2026); a has the greatest part"
    )
    assert draw({LAST: {}}).drawing.get("aria-label") == "Cost by day: nothing in 1 day"


def test_without_a_day_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="empty"):
        draw({})


def test_a_chart_of_tokens() -> None:
    chart = stacked("Tokens", {LAST: {"a": Amount(12_000)}}, counts("token"))
    assert chart.legend[0].words == "12,000 tokens"
    assert [tick.text for tick in of_class(chart.drawing, "tick")][:4] == ["0", "5,000", "10k", "15k"]


def test_it_looks_like_this() -> None:
    chart = draw(
        {
            LAST: {"Triage": Amount(Decimal("0.31")), "<b>": Amount(Decimal("0.07"))},
            LAST - timedelta(2): {"Triage": Amount(Decimal("0.12"), 1)},
        }
    )
    assert_looks_as_kept("stacked", chart.drawing)
