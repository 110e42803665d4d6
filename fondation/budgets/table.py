"""Budgets for people: a table, and what must be said beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from fondation.budgets.reports import Amounts, Bucket, Spending
from fondation.config.words import listed
from fondation.usage.layout import lay_out
from fondation.usage.money import ROW_PLACES, dollars, from_pico, missing_texts, shortest_dollars
from fondation.usage.table import name_text

_NAMES = ("Budget", "For")
_TITLES = ("Limit", "Spent", "Reserved", "Left", "Used", "Calls")
_ONLY_IF_ANY = {"unknown_cost_calls": "Unknown", "pending_cost_calls": "Pending"}
_LAST = "Resets"
_EVERYONE = "everyone"


def table(spendings: Sequence[Spending], now: float, zone: tzinfo, room: int | None = None) -> Iterator[str]:
    """The lines: each budget with its buckets, and which calls' costs are missing in it.

    `room` is the terminal's width; without one nothing is folded.
    """
    yield f"Budgets at {_moment(now, zone)} ({zone})"
    yield ""
    extra = [name for name in _ONLY_IF_ANY if any(getattr(spending.total, name) for spending in spendings)]
    titles = (*_NAMES, *_TITLES, *(_ONLY_IF_ANY[name] for name in extra), _LAST)
    rows = [row for spending in spendings for row in _rows(spending, extra, zone)]
    yield from lay_out(titles, rows, None, names=len(_NAMES), room=room)
    missing = [sentence for spending in spendings if (sentence := missing_text(spending))]
    if missing:
        yield from ("", *missing)


def _rows(spending: Spending, extra: Sequence[str], zone: tzinfo) -> Iterator[list[str]]:
    budget = spending.budget
    resets = "never" if spending.period is None else _moment(spending.period.ends, zone)
    for bucket in spending.buckets or [Bucket(None, Amounts())]:
        amounts = bucket.amounts
        yield [
            budget.name,
            whose(spending, bucket),
            shortest_dollars(from_pico(budget.limit)),
            _dollars(amounts.spent),
            _dollars(amounts.reserved),
            _dollars(spending.left(amounts)),
            f"{amounts.spent * 100 // budget.limit:,}%",
            *_counts(amounts, extra),
            resets,
        ]
    if spending.others is not None:
        rest = spending.others.amounts
        more = f"... and {spending.others.buckets:,} more"
        money = ["", _dollars(rest.spent), _dollars(rest.reserved), "", ""]
        yield [budget.name, more, *money, *_counts(rest, extra), resets]


def whose(spending: Spending, bucket: Bucket) -> str:
    """Who spends from the bucket: `everyone`, `user ada`."""
    if spending.budget.per is None:
        return _EVERYONE
    if not spending.buckets:
        return f"(no {spending.budget.per} yet)"
    return f"{spending.budget.per} {name_text(bucket.name)}"


def _counts(amounts: Amounts, extra: Sequence[str]) -> list[str]:
    return [f"{getattr(amounts, name):,}" for name in ("calls", *extra)]


def missing_text(spending: Spending) -> str | None:
    """What is spent, and nobody knows how much."""
    unknown, pending = spending.total.unknown_cost_calls, spending.total.pending_cost_calls
    if not unknown + pending:
        return None
    verb = "is" if unknown + pending == 1 else "are"
    return f"{spending.budget.name}: {listed(missing_texts(unknown, pending), 'and')} {verb} not in what is spent."


def _dollars(pico: int) -> str:
    return dollars(from_pico(pico), ROW_PLACES)


def _moment(moment: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M}"
