"""The periods in which budgets begin anew: hours, days, weeks from Monday and months of a time zone.

They follow each other without a gap, so where clocks are set back an hour of the calendar is two hours long.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Literal, NamedTuple, TypeAlias

Every: TypeAlias = Literal["hour", "day", "week", "month"]


class Period(NamedTuple):
    """Unix seconds; the end is not part of it."""

    starts: float
    ends: float


def period_of(every: Every, moment: float, zone: tzinfo) -> Period:
    """The period that a unix time is in."""
    starts = _start(every, datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0))
    return Period(_unix(starts, zone), _unix(_next(every, starts), zone))


def _start(every: Every, local: datetime) -> datetime:
    hour = local.replace(minute=0, second=0, microsecond=0)
    match every:
        case "hour":
            return hour
        case "day":
            return hour.replace(hour=0)
        case "week":
            return hour.replace(hour=0) - timedelta(days=local.weekday())
        case "month":
            return hour.replace(hour=0, day=1)


def _next(every: Every, start: datetime) -> datetime:
    match every:
        case "hour":
            return start + timedelta(hours=1)
        case "day":
            return start + timedelta(days=1)
        case "week":
            return start + timedelta(days=7)
        case "month":
            return (start + timedelta(days=31)).replace(day=1)


def _unix(local: datetime, zone: tzinfo) -> float:
    """Of a time that clocks show twice the first, of one that they skip the moment at which they do."""
    return local.replace(tzinfo=zone).timestamp()
