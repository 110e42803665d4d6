"""A report for programs: JSON and CSV, whose keys stay."""

from __future__ import annotations

import csv
import io
import json
from datetime import tzinfo

from fondation.usage.figures import Figures
from fondation.usage.periods import Period
from fondation.usage.reports import Report

FIGURES = (
    "runs",
    "calls",
    "refused",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cached_share",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost",
    "unknown_cost_calls",
    "p50_ms",
    "p95_ms",
    "first_token_p50_ms",
    "first_token_p95_ms",
    "simulated_runs",
    "simulated",
    "simulated_tokens",
)
"""The figures of a group and of the total, in this order, each by its name in `Figures`.

`cost` is in US dollars, empty (null) where no call's cost is known; calls, refused and simulated add up to all.
"""

_FORMULA = ("=", "+", "-", "@", "\t", "\n")


def as_json(report: Report, period: Period, zone: tzinfo) -> str:
    """One object: since, until (ISO 8601 or null), timezone, by, groups, others (null but with `top`) and total."""
    groups: list[dict[str, object]] = [
        {**dict(zip(report.by, key, strict=True)), **json_figures(figures)} for key, figures in report.groups
    ]
    document = {
        "since": period.since and period.since.isoformat(),
        "until": period.until and period.until.isoformat(),
        "timezone": str(zone),
        "by": list(report.by),
        "groups": groups,
        "others": report.others and {"groups": report.others.groups, **json_figures(report.others.figures)},
        "total": json_figures(report.total),
    }
    return dumps(document)


def dumps(document: object) -> str:
    """JSON as every report prints it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_csv(report: Report) -> str:
    """A head, a line for each group, perhaps one for all the others, and last the total.

    The first column, `row`, says which of them a line is.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["row", *report.by, *FIGURES])
    for key, figures in report.groups:
        lines.writerow(["group", *map(csv_text, key), *_csv_figures(figures)])
    nameless = [""] * len(report.by)
    if report.others:
        lines.writerow(["others", *nameless, *_csv_figures(report.others.figures)])
    lines.writerow(["total", *nameless, *_csv_figures(report.total)])
    return text.getvalue()


def json_figures(figures: Figures) -> dict[str, object]:
    """`FIGURES` of some calls."""
    values = {name: getattr(figures, name) for name in FIGURES}
    return values | {"cost": None if figures.cost is None else float(figures.cost)}


def _csv_figures(figures: Figures) -> list[str]:
    values = (getattr(figures, name) for name in FIGURES)
    return [
        "" if value is None else f"{value:f}" if name == "cost" else str(value)
        for name, value in zip(FIGURES, values, strict=True)
    ]


def csv_text(text: str | None) -> str:
    """A name as a cell. A spreadsheet runs what begins like a formula: an apostrophe makes it text."""
    if text is None:
        return ""
    line = text.replace("\r", "\n")  # alone it ends a line unquoted
    return f"'{line}" if line.startswith(_FORMULA) else line
