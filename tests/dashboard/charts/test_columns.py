from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.dashboard.charts.columns import columns

LAST = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("days", "unit", "number", "short", "long"),
    [
        (1, "day", 1, "23 Nov", "Mon 23 Nov 2026"),
        (120, "day", 120, "23 Nov", "Mon 23 Nov 2026"),
        (121, "week", 19, "23 Nov 26", "week of 23 Nov 2026"),
        (400, "week", 58, "23 Nov 26", "week of 23 Nov 2026"),
        (900, "month", 30, "Nov 2026", "November 2026"),
        (20_000, "year", 55, "2026", "2026"),
    ],
)
def test_days_are_gathered_where_they_are_too_many(days: int, unit: str, number: int, short: str, long: str) -> None:
    over = columns(LAST - timedelta(days - 1), LAST)
    last = over.index(LAST)
    assert (over.unit.name, len(over.numbers), over.short(last), over.long(last)) == (unit, number, short, long)
    assert last == number - 1


def test_a_week_begins_on_monday() -> None:
    over = columns(LAST - timedelta(300), LAST)
    assert over.index(date(2026, 11, 22)) == over.index(date(2026, 11, 16)) == over.index(LAST) - 1


@given(st.dates(), st.dates(), st.dates())
def test_every_day_between_has_a_column_that_begins_at_it_or_before(one: date, two: date, three: date) -> None:
    first, day, last = sorted((one, two, three))
    over = columns(first, last)
    number = over.unit.number(day)
    assert over.index(first) == 0
    assert over.index(last) == len(over.numbers) - 1
    assert over.unit.begins(number) <= day
    assert over.unit.number(over.unit.begins(number)) == number
    assert over.short(over.index(day))
    assert over.long(over.index(day))
