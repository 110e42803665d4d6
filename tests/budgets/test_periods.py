from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.budgets.periods import Every, period_of

ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",  # its summer time began at midnight
    "America/Havana",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # its summer time is half an hour
    "Pacific/Apia",  # it left out a day
    "Pacific/Chatham",
]
EVERY: list[Every] = ["hour", "day", "week", "month"]


def at(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


@pytest.mark.parametrize(
    ("every", "moment", "starts", "ends"),
    [
        ("hour", "2026-11-23T01:34:56+00:00", "2026-11-23T01:00:00+00:00", "2026-11-23T02:00:00+00:00"),
        ("day", "2026-11-23T00:30:00+01:00", "2026-11-23T00:00:00+01:00", "2026-11-24T00:00:00+01:00"),
        ("week", "2026-11-29T23:59:59+01:00", "2026-11-23T00:00:00+01:00", "2026-11-30T00:00:00+01:00"),
        ("week", "2026-11-23T00:00:00+01:00", "2026-11-23T00:00:00+01:00", "2026-11-30T00:00:00+01:00"),
        ("month", "2026-12-31T23:00:00+01:00", "2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("month", "2028-02-29T12:00:00+01:00", "2028-02-01T00:00:00+01:00", "2028-03-01T00:00:00+01:00"),
        ("day", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("day", "2026-10-25T12:00:00+01:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        ("hour", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"),
        ("hour", "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"),
    ],
)
def test_a_period_is_the_calendars(every: Every, moment: str, starts: str, ends: str) -> None:
    zone = ZoneInfo("UTC" if moment.endswith("+00:00") else "Europe/Paris")
    assert period_of(every, at(moment), zone) == (at(starts), at(ends))


@given(st.sampled_from(EVERY), st.sampled_from(ZONES), st.floats(0, 4e9))
@settings(max_examples=300)
def test_periods_follow_each_other_without_gap_or_overlap(every: Every, name: str, moment: float) -> None:
    zone = ZoneInfo(name)
    period = period_of(every, moment, zone)
    assert period.starts <= moment < period.ends
    assert period_of(every, period.starts, zone) == period
    assert period_of(every, period.ends - 1, zone) == period
    assert period_of(every, period.ends, zone).starts == period.ends
    assert period_of(every, period.starts - 1, zone).ends == period.starts


@given(st.sampled_from(["day", "week", "month"]), st.sampled_from(ZONES), st.floats(1e9, 4e9))
@settings(max_examples=100)
def test_a_period_begins_with_a_day(every: Every, name: str, moment: float) -> None:
    zone = ZoneInfo(name)
    starts = datetime.fromtimestamp(period_of(every, moment, zone).starts, zone)
    before = datetime.fromtimestamp(period_of(every, moment, zone).starts - 1, zone)
    assert before.date() < starts.date()
    assert every != "week" or starts.weekday() == 0
    assert every != "month" or starts.day == 1
