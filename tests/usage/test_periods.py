from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.usage.periods import parse_moment

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 22, 18, 30, tzinfo=PARIS)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("30m", "2026-11-22T18:00:00+01:00"),
        ("24h", "2026-11-21T18:30:00+01:00"),
        ("7d", "2026-11-15T18:30:00+01:00"),
        ("2w", "2026-11-08T18:30:00+01:00"),
        ("0d", "2026-11-22T18:30:00+01:00"),
        (" 7D ", "2026-11-15T18:30:00+01:00"),
        ("2026-11-01", "2026-11-01T00:00:00+01:00"),
        ("2026-07-01", "2026-07-01T00:00:00+02:00"),
        ("30d", "2026-10-23T19:30:00+02:00"),  # 720 hours, and the clocks went back meanwhile
    ],
)
def test_a_moment_is_understood(typed: str, moment: str) -> None:
    assert parse_moment(typed, NOW).isoformat() == moment


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("", "type 30m, 24h, 7d or 2w for so long before now, or a date like 2026-11-01"),
        ("yesterday", '"yesterday" is no period'),
        ("7", '"7" is no period'),
        ("-7d", '"-7d" is no period'),
        ("1.5d", '"1.5d" is no period'),
        ("7 d", '"7 d" is no period'),
        ("7y", '"7y" is no period'),
        ("\u0667d", "is no period"),
        ("20261101", '"20261101" is no period'),
        ("2026-W10-1", '"2026-W10-1" is no period'),
        ("2026-02-30", "2026-02-30 is not in the calendar"),
        ("0000-01-01", "0000-01-01 is not in the calendar"),
        ("99999d", "99999d is before 1970"),
        ("9" * 15 + "w", "is before 1970"),
        ("9" * 5000 + "w", "is no period"),
    ],
)
def test_what_is_no_moment_is_answered_with_what_to_type(typed: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        parse_moment(typed, NOW)


@given(st.integers(0, 20_000), st.sampled_from(sorted(UNITS)), st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"]))
@settings(max_examples=60, deadline=None)
def test_rolling_periods_are_exact_in_every_zone(count: int, unit: str, zone: str) -> None:
    now = NOW.astimezone(ZoneInfo(zone))
    if unit == "w":
        count %= 2_000
    moment = parse_moment(f"{count}{unit}", now)
    assert now.astimezone(UTC) - moment.astimezone(UTC) == count * UNITS[unit]
    assert moment.utcoffset() == moment.astimezone(ZoneInfo(zone)).utcoffset()


@given(st.dates(date(1970, 1, 2), date(9999, 12, 30)), st.sampled_from(["UTC", "Europe/Paris", "America/Los_Angeles"]))
@settings(max_examples=60, deadline=None)
def test_a_date_is_its_midnight(day: date, zone: str) -> None:
    moment = parse_moment(day.isoformat(), NOW.astimezone(ZoneInfo(zone)))
    assert (moment.date(), moment.hour, moment.minute) == (day, 0, 0)


@given(st.text(max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_moment_or_a_complaint_that_shows_it(text: str) -> None:
    try:
        shown = parse_moment(text, NOW).isoformat()
    except ValueError as error:
        shown = str(error)
    assert text in shown or text.strip().lower()[-1] in UNITS
