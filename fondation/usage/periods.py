"""The period of a report, as a person types its ends: `7d` before now, or a date, which is its midnight."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

_ROLLING = re.compile(r"([0-9]{1,15})([mhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = 0, datetime(9999, 12, 30, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to, and without, `until`; None leaves that end open. Both are aware of their time zone."""

    since: datetime | None = None
    until: datetime | None = None


def parse_moment(text: str, now: datetime) -> datetime:
    """One end of a period as a person types it; `now` brings the time zone.

    Raises ValueError, whose text says what to type.
    """
    typed = text.strip().lower()
    if match := _ROLLING.fullmatch(typed):
        return _before(now, int(match[1]), _UNITS[match[2]], text)
    if _DATE.fullmatch(typed):
        try:
            return datetime.combine(date.fromisoformat(typed), time(), now.tzinfo)
        except ValueError:
            raise ValueError(f"{text} is not in the calendar") from None
    raise ValueError(
        f'"{text}" is no period: type 30m, 24h, 7d or 2w for so long before now, or a date like 2026-11-01'
    )


def _before(now: datetime, count: int, unit: timedelta, text: str) -> datetime:
    if count > (now - _EPOCH) / unit:
        raise ValueError(f"{text} is before 1970")
    moment = now.astimezone(UTC) - count * unit  # in UTC, where every day has 24 hours
    return moment.astimezone(now.tzinfo)


def time_of(moment: float, zone: tzinfo) -> datetime | None:
    """A unix time in that time zone; None before 1970 and after 9999, where no call began."""
    return datetime.fromtimestamp(moment, zone) if _FIRST <= moment < _LAST else None


class Day(NamedTuple):
    """A day of a time zone."""

    name: str | None
    """YYYY-MM-DD; None before 1970 and after 9999, where no call began."""
    ends: float
    """The unix time at which the next day begins."""


def day_of(moment: int, zone: tzinfo) -> Day:
    """The day that a unix time is in. Where clocks change, it is shorter or longer than others."""
    if not _FIRST <= moment < _LAST:
        return Day(None, _FIRST if moment < _FIRST else math.inf)
    today = datetime.fromtimestamp(moment, zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), zone)
    return Day(today.isoformat(), max(midnight.timestamp(), moment + 1))


class Span(NamedTuple):
    """A stretch of time, in unix seconds, up to and without its end."""

    begins: float
    ends: float
    day: str | None = None
    """The day it is in, where that matters."""


def pieces_of(begins: float, ends: float, count: int) -> list[Span]:
    """So many stretches of the same length, one after the other."""
    moments = [begins + (ends - begins) * number // count for number in range(count)]
    return [Span(*both) for both in pairwise([*moments, ends])]
