"""Budgets for programs: JSON and CSV, whose keys stay. Money is in US dollars, moments are ISO 8601 in UTC."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import tzinfo

from fondation.budgets.budget import utc_text
from fondation.budgets.reports import Amounts, Bucket, Spending
from fondation.usage.formats import csv_text, dumps
from fondation.usage.money import from_pico

COLUMNS = (
    "row",
    "budget",
    "per",
    "bucket",
    "limit",
    "spent",
    "reserved",
    "left",
    "calls",
    "unknown_cost_calls",
    "pending_cost_calls",
    "since",
    "reset",
)
"""Of CSV, in this order."""
_MONEY = ("limit", "spent", "reserved", "left")


def as_json(spendings: Sequence[Spending], now: float, zone: tzinfo) -> str:
    """One object: at, timezone and budgets; each budget with its buckets, others (null where all are shown) and total.

    `since` and `reset` are null where a budget never begins anew, `bucket` where everyone spends from one.
    """
    return dumps({"at": utc_text(now), "timezone": str(zone), "budgets": [json_budget(each) for each in spendings]})


def as_csv(spendings: Sequence[Spending]) -> str:
    """A head and a line for each bucket, and one for those of a budget that are not shown.

    The first column, `row`, says what a line is: bucket, others, or none for a budget that nobody has spent from.
    """
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    lines.writeheader()
    for spending in spendings:
        for row in _csv_rows(spending):
            lines.writerow({name: _cell(name, value) for name, value in row.items()})
    return text.getvalue()


def json_budget(spending: Spending) -> dict[str, object]:
    """A budget with its buckets."""
    budget, others = spending.budget, spending.others
    return {
        "budget": budget.name,
        "per": budget.per,
        "every": budget.every,
        "limit": _dollars(budget.limit),
        "warn_at": None if budget.warn_at is None else _dollars(budget.warn_at),
        "use": budget.use,
        **_moments(spending),
        "buckets": [_bucket(spending, bucket) for bucket in spending.buckets],
        "others": others and {"buckets": others.buckets, **_json_amounts(others.amounts)},
        "total": _json_amounts(spending.total),
    }


def _bucket(spending: Spending, bucket: Bucket) -> dict[str, object]:
    amounts = {"left": _dollars(spending.left(bucket.amounts)), **_json_amounts(bucket.amounts)}
    return {"bucket": bucket.name, **{name: amounts[name] for name in COLUMNS if name in amounts}}


def _json_amounts(amounts: Amounts) -> dict[str, object]:
    return {name: _dollars(value) if name in _MONEY else value for name, value in amounts._asdict().items()}


def _csv_rows(spending: Spending) -> Iterator[dict[str, object]]:
    budget = spending.budget
    whose = {"budget": budget.name, "per": budget.per, "limit": budget.limit, **_moments(spending)}
    kind = "bucket" if spending.buckets else "none"
    for bucket in spending.buckets or [Bucket(None, Amounts())]:
        left = spending.left(bucket.amounts)
        yield {"row": kind, **whose, "bucket": bucket.name, **bucket.amounts._asdict(), "left": left}
    if spending.others is not None:
        yield {"row": "others", **whose, **spending.others.amounts._asdict()}


def _moments(spending: Spending) -> dict[str, str | None]:
    period = spending.period
    return {
        "since": None if period is None else utc_text(period.starts),
        "reset": None if period is None else utc_text(period.ends),
    }


def _cell(name: str, value: object) -> str:
    if isinstance(value, int) and name in _MONEY:
        return f"{from_pico(value):f}"
    return csv_text(None if value is None else str(value))


def _dollars(pico: int) -> float:
    return float(from_pico(pico))
