"""What the usage page shows, for programs: JSON of all of it, CSV of one section. Their keys stay."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal

from fondation.budgets import formats as budgets
from fondation.dashboard.desk import ChatRuns
from fondation.dashboard.overview import Overview, Source
from fondation.dashboard.selection import BadSelection
from fondation.graph import Passed, rows
from fondation.usage import formats as usage
from fondation.usage.calls import Call, UnknownCosts
from fondation.usage.explained import CALL_KEYS, call_json, chat_json, run_json
from fondation.usage.explaining import Run
from fondation.usage.formats import csv_text, dumps, json_figures
from fondation.usage.reports import Report

SECTIONS = ("calls", "days", "agents", "models", "users", "unknown", "handoffs", "budgets")
"""The tables of the page: lists of the JSON, and what CSV has one of."""

_WHOSE = ("run_id", "chat_id", "session_id", "user_id")
_FIRST = ("began_at", "agent", "total_tokens", "cost", "model")
CALL_COLUMNS = tuple(dict.fromkeys((*_FIRST, *CALL_KEYS, *_WHOSE)))
"""Of a call: those of the page in its order, then what else is known."""


def as_json(overview: Overview) -> str:
    """One object: now, timezone, since, until, selection, `requests` and `tokens` of every row, `total` of real calls,
    and a list for each of `SECTIONS`."""
    period = overview.period
    document = {
        "now": overview.now.isoformat(timespec="seconds"),
        "timezone": str(overview.now.tzinfo),
        "since": period.since and period.since.isoformat(),
        "until": period.until and period.until.isoformat(),
        "selection": asdict(overview.selection),
        "requests": overview.requests,
        "tokens": overview.tokens,
        "total": json_figures(overview.total),
        "calls": [_call(call) for call in overview.calls],
        "days": _groups(overview.days),
        "agents": _groups(overview.agents),
        "models": _groups(overview.models),
        "users": _groups(overview.users),
        "other_users": overview.users.others
        and {"users": overview.users.others.groups, **json_figures(overview.users.others.figures)},
        "unknown": [asdict(costs) for costs in overview.unknown],
        "handoffs": [passed._asdict() for passed in overview.handoffs],
        "budgets": [budgets.json_budget(spending) for spending in overview.budgets],
        "notices": list(overview.notices),
    }
    return dumps(document)


def as_csv(source: Source, section: str) -> str:
    """One of `SECTIONS`, and no more is read: a head, and a line for each of its rows. Raises `BadSelection`.

    Users are all of them.
    """
    match section:
        case "calls":
            return _table(map(_call, source.calls()), CALL_COLUMNS)
        case "days":
            return usage.as_csv(source.report("day", "agent"))
        case "agents" | "models" | "users":
            return usage.as_csv(source.report(section.removesuffix("s")))
        case "unknown":
            return _table(map(asdict, source.unknown()), UnknownCosts.__dataclass_fields__)
        case "handoffs":
            passed = rows(source.graph, source.traffic(source.report("agent")))
            return _table(map(Passed._asdict, passed), Passed._fields)
        case "budgets":
            return budgets.as_csv(source.spendings())
        case _:
            raise BadSelection(f"there is no section {section!r}: type one of {', '.join(SECTIONS)}")


def run_as_json(found: Run | ChatRuns) -> str:
    """The run, or the runs of the chat, as `fondation usage explain` tells them."""
    return dumps(chat_json(found.chat_id, found.runs) if isinstance(found, ChatRuns) else run_json(found))


def _groups(report: Report) -> list[dict[str, object]]:
    return [{**dict(zip(report.by, key, strict=True)), **json_figures(figures)} for key, figures in report.groups]


def _call(call: Call) -> dict[str, object]:
    told = {"agent": call.row["agent_name"], **call_json(call), **{name: call.row[name] for name in _WHOSE}}
    return {name: told[name] for name in CALL_COLUMNS}


def _table(told: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    text = io.StringIO()
    lines = csv.DictWriter(text, list(columns), lineterminator="\n")
    lines.writeheader()
    for row in told:
        lines.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{Decimal(str(value)):f}"
    return csv_text(None if value is None else str(value))
