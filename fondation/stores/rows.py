"""A model call as a row of `usage_tracking`.

The first columns are those that dashboards read: their names, types and units stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from fondation.calls import CostSource, ModelCall, RunInfo, TokenUsage
from fondation.messages import mend_text

Value: TypeAlias = str | int | float | None
Row: TypeAlias = dict[str, Value]

BASE_COLUMNS = {
    "agent_name": "TEXT NOT NULL",
    "session_id": "TEXT",
    "user_id": "TEXT",
    "total_tokens": "INTEGER NOT NULL",
    "prompt_tokens": "INTEGER",
    "completion_tokens": "INTEGER",
    "cost": "REAL NOT NULL",
    "model": "TEXT",
    "method": "TEXT",
    "finish_reason": "TEXT",
    "duration": "INTEGER",
    "handoff_chain": "TEXT",
    "timestamp": "INTEGER NOT NULL",
}
"""Column -> type. duration is in milliseconds, timestamp in unix seconds, cost in US dollars."""

ADDED_COLUMNS = {
    "run_id": "TEXT",
    "chat_id": "TEXT",
    "round": "INTEGER",
    "step": "INTEGER",
    "attempt": "INTEGER",
    "requested_model": "TEXT",
    "provider": "TEXT",
    "generation_id": "TEXT",
    "cached_tokens": "INTEGER",
    "cache_write_tokens": "INTEGER",
    "reasoning_tokens": "INTEGER",
    "upstream_cost": "REAL",
    "is_byok": "INTEGER",
    "cost_source": "TEXT",
    "status": "TEXT",
    "error_type": "TEXT",
    "time_to_first_token": "INTEGER",
    "config_hash": "TEXT",
    "labels": "TEXT",
    "owner": "TEXT",
}
"""All nullable: a program that knows only the base columns can write rows too."""

LATER_COLUMNS = {
    "purpose": "TEXT",
    "cost_note": "TEXT",
    "number": "INTEGER",
    "reservation": "TEXT",
    "budgets": "TEXT",
}
"""Each has a migration of its own. `purpose` is empty in older rows, which are all of answers; `cost_note` says why a
cost is unknown; `number` tells the calls of an owner apart; `reservation` names the money that is set aside for a call,
and `budgets` the counters that it belongs to, as a JSON array."""

TOKEN_COLUMNS = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""Those that count tokens."""

COLUMNS = (*BASE_COLUMNS, *ADDED_COLUMNS, *LATER_COLUMNS)

LARGEST_COST = 1_000_000.0
"""US dollars for one call. What is more, or no number, is a cost that another program got wrong."""

CAST_PICO = "CAST(ROUND(cost * 1000000000000.0) AS INTEGER)"
IS_MONEY = f"cost BETWEEN -{LARGEST_COST} AND {LARGEST_COST}"
"""In SQL; any text is more than any number, and so is infinity."""
COST_PICO = f"CASE WHEN {IS_MONEY} THEN {CAST_PICO} END"
"""The cost in millionths of a millionth of a dollar: integers add up exactly, where reals drift. NULL if it is none."""

LARGEST = 2**63 - 1
"""The largest integer that the database can hold."""
IS_TIMED = f"+timestamp BETWEEN -{LARGEST} AND {LARGEST}"
"""Whether a row says when its call began: any text is more than any number. + keeps indexes out of it."""

UNKNOWN_COSTS = ("unknown", "pending", "simulated")
"""The sources of a `cost` that is 0 in its row and means nothing."""

_NO_USAGE = TokenUsage()


def row_of(call: ModelCall, run: RunInfo, owner: str, config_hash: str | None = None, number: int | None = None) -> Row:
    """The row of a call as it is now; while it runs, what is not known yet is empty."""
    return {**origin_of(call, run, owner, config_hash, number), **progress_of(call)}


def origin_of(call: ModelCall, run: RunInfo, owner: str, config_hash: str | None, number: int | None) -> Row:
    """The columns that are known when the call begins, and stay; `number` is the call's among those of its owner."""
    return {
        "agent_name": _text(call.agent) or "",
        "session_id": _text(run.session_id),
        "user_id": _text(run.user_id),
        "method": run.method,
        "handoff_chain": _array(call.handoff_chain),
        "timestamp": int(call.started_at),
        "run_id": _text(run.run_id),
        "chat_id": _text(run.chat_id),
        "round": call.round,
        "step": call.step,
        "attempt": call.attempt,
        "requested_model": _text(call.requested_model),
        "provider": _text(call.provider),
        "config_hash": config_hash,
        "labels": None,
        "owner": owner,
        "purpose": call.purpose,
        "number": number,
        "reservation": None if call.reservation is None else call.reservation.token,
        "budgets": None if call.reservation is None else _array(call.reservation.counters),
    }


def progress_of(call: ModelCall) -> Row:
    """The columns that the call fills as it goes on."""
    if call.status == "running" and call.usage is None and call.generation_id is None and call.model is None:
        return dict(_NOTHING_YET)
    return _progress(call)


def _progress(call: ModelCall) -> Row:
    usage = call.usage or _NO_USAGE
    return {
        "total_tokens": _count(usage.total) or 0,
        "prompt_tokens": _count(usage.prompt_tokens),
        "completion_tokens": _count(usage.completion_tokens),
        "cost": _amount(call.cost) or 0.0,
        "model": _text(call.model),
        "finish_reason": call.finish_reason,
        "duration": None if call.status == "running" else call.duration_ms,
        "generation_id": _text(call.generation_id),
        "cached_tokens": _count(usage.cached_tokens),
        "cache_write_tokens": _count(usage.cache_write_tokens),
        "reasoning_tokens": _count(usage.reasoning_tokens),
        "upstream_cost": _amount(usage.upstream_cost),
        "is_byok": None if usage.is_byok is None else int(usage.is_byok),
        "cost_source": "pending" if call.status == "running" else call.cost_source,
        "cost_note": call.cost_note,
        "status": call.status,
        "error_type": call.error_type,
        "time_to_first_token": call.time_to_first_token_ms,
    }


def call_of(row: Mapping[str, Any]) -> ModelCall:
    """The call that a row tells of, as far as its cost depends on it."""
    source: CostSource = row["cost_source"] or "unknown"
    known = {name: row[name] for name in TokenUsage.__struct_fields__ if name != "cost" and row[name] is not None}
    if known.get("is_byok") is not None:
        known["is_byok"] = bool(known["is_byok"])
    if not row["total_tokens"]:
        del known["total_tokens"]  # 0 where it is unknown
    return ModelCall(
        agent=row["agent_name"],
        provider=row["provider"] or "",
        requested_model=row["requested_model"] or "",
        handoff_chain=(),
        started_at=row["timestamp"],
        generation_id=row["generation_id"],
        model=row["model"],
        usage=TokenUsage(**known) if known else None,
        finish_reason=row["finish_reason"],
        status=row["status"],
        error_type=row["error_type"],
        cost=None if source in UNKNOWN_COSTS else row["cost"],
        cost_source=source,
    )


@lru_cache(maxsize=256)
def _array(texts: tuple[str, ...]) -> str | None:
    return _text(json.dumps(texts, ensure_ascii=False))


def _text(value: str | None) -> str | None:
    """Absent is NULL, never an empty text. Half a surrogate pair, which JSON can smuggle in, is no text."""
    if not value:
        return None
    return value if value.isascii() else mend_text(value)


def _count(value: int | None) -> int | None:
    """A number of tokens that the database can hold; a server that sends nonsense has told nothing."""
    return value if value is not None and 0 <= value <= LARGEST else None


def _amount(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


_NOTHING_YET = _progress(ModelCall("", "", "", ()))

PROGRESS_COLUMNS = tuple(_NOTHING_YET)
"""Those that an update writes. Of the indexes, the one by time, from which reports are read, holds most of them."""
