"""The views of the ledger, for `sqlite3`, Datasette and their like: the figures of `fondation usage` by one thing each.

Real calls are in `calls`, tokens and `cost_usd`; refused ones, those of unknown cost and simulated ones have columns of
their own. `cost_usd` is NULL where no cost is known, which is not zero.
"""

from __future__ import annotations

from fondation.stores.rows import COST_PICO, IS_MONEY, IS_TIMED

_REAL = "cost_source IS NOT 'simulated'"
_SIMULATED = "cost_source IS 'simulated'"
_KNOWN = f"{IS_MONEY} AND (cost_source IN ('billed', 'priced', 'estimated') OR (cost_source IS NULL AND cost <> 0))"
_UNKNOWN = (
    "cost_source IN ('unknown', 'pending') OR (cost_source IS NULL AND cost = 0) "
    f"OR ({_REAL} AND ({IS_MONEY}) IS NOT TRUE)"
)
_REFUSED = "status IS 'refused'"
_TOKENS = (
    "prompt_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "total_tokens",
)

_COUNTS = {
    "runs": f"COUNT(DISTINCT COALESCE(run_id, id)) FILTER (WHERE {_REAL})",
    "calls": f"COUNT(*) FILTER (WHERE {_REAL} AND NOT {_REFUSED})",
    "refused_calls": f"COUNT(*) FILTER (WHERE {_REAL} AND {_REFUSED})",
    **{name: f"CAST(TOTAL({name}) FILTER (WHERE {_REAL}) AS INTEGER)" for name in _TOKENS},
    "cost_usd": f"CASE WHEN COUNT(*) FILTER (WHERE {_UNKNOWN}) = 0 OR COUNT(*) FILTER (WHERE {_KNOWN}) > 0 "
    f"THEN TOTAL({COST_PICO}) FILTER (WHERE {_REAL}) / 1e12 END",
    "unknown_cost_calls": f"COUNT(*) FILTER (WHERE {_UNKNOWN})",
    "simulated_calls": f"COUNT(*) FILTER (WHERE {_SIMULATED})",
    "first_call_utc": f"DATETIME(MIN(timestamp) FILTER (WHERE {IS_TIMED}), 'unixepoch')",
    "last_call_utc": f"DATETIME(MAX(timestamp) FILTER (WHERE {IS_TIMED}), 'unixepoch')",
}

_FIGURES = ", ".join(f"{expression} AS {name}" for name, expression in _COUNTS.items())
_MODEL = "COALESCE(model, requested_model)"
_DAY = "DATE(timestamp, 'unixepoch')"

_GROUPS = {
    "usage_by_day": (f"{_DAY} AS day_utc", _DAY),
    "usage_by_agent": ("agent_name AS agent", "agent_name"),
    "usage_by_model": (f"{_MODEL} AS model", _MODEL),
    "usage_by_provider": ("provider", "provider"),
    "usage_by_user": ("user_id", "user_id"),
    "usage_by_session": ("session_id, MAX(user_id) AS user_id", "session_id"),
    "usage_by_run": (
        "run_id, MAX(chat_id) AS chat_id, MAX(session_id) AS session_id, MAX(user_id) AS user_id",
        "run_id",
    ),
}
"""View -> the columns that name a row, and what its rows are grouped by."""


def views() -> dict[str, str]:
    """View -> its SELECT."""
    return {
        name: f"SELECT {columns}, {_FIGURES} FROM usage_tracking GROUP BY {groups}"
        for name, (columns, groups) in _GROUPS.items()
    }
