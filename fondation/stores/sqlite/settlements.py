"""The calls that have ended and whose cost is still to be asked for: who asks for which, and what comes of it.

A living process sees to its own calls, any process to those of dead ones. All of it raises `sqlite3.Error` and
`OSError`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from fondation.stores.base import Outcome, Unsettled, UnsettledCall
from fondation.stores.rows import COLUMNS, Row, call_of, progress_of
from fondation.stores.sqlite.transactions import transaction
from fondation.stores.sqlite.visiting import visit

CLAIM_SECONDS = 30.0
"""For how long nobody else asks for a call that somebody is asking for."""

_OURS = (
    "u.cost_source = 'pending' AND u.status <> 'running' AND (u.owner = :me "
    "OR u.owner NOT IN (SELECT owner FROM usage_owners WHERE lease_until >= :now))"
)
_CALLS = "usage_tracking u INDEXED BY usage_tracking_pending LEFT JOIN usage_settlements s ON s.call = u.id"
_NEXT = f"SELECT MIN(COALESCE(s.due, 0)) FROM {_CALLS} WHERE {_OURS}"
_NAMES = ", ".join(COLUMNS)
_DUE = (  # the newest first: many that nobody tells of must not hold up those that have just ended
    f"SELECT u.id, {_NAMES} FROM {_CALLS} WHERE {_OURS} AND COALESCE(s.due, 0) <= :now "
    "ORDER BY COALESCE(s.due, u.timestamp + COALESCE(u.duration, 0) / 1000) DESC, u.id LIMIT :most"
)
_CLAIM = (
    "INSERT INTO usage_settlements (call, tries, since, due) "
    "SELECT id, 1, :now, :due FROM usage_tracking WHERE id = :call AND cost_source = 'pending' "
    "ON CONFLICT (call) DO UPDATE SET tries = tries + 1, due = excluded.due WHERE due <= :now RETURNING tries, since"
)
_POSTPONE = "UPDATE usage_settlements SET due = ? WHERE call = ?"
_FORGET = "DELETE FROM usage_settlements WHERE call = ?"

_SETTLED_COLUMNS = (
    "total_tokens",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "model",
    "finish_reason",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "upstream_cost",
    "is_byok",
    "cost_source",
    "cost_note",
)
_SETTLE = (
    f"UPDATE usage_tracking SET {', '.join(f'{name} = :{name}' for name in _SETTLED_COLUMNS)} "
    "WHERE id = :id AND cost_source = 'pending' AND status <> 'running' "
    f"AND generation_id IS :generation_id AND timestamp = :timestamp RETURNING {_NAMES}"
)


class Settlements:
    def __init__(self, database: Path, owner: str) -> None:
        self._database = database
        self._owner = owner

    def claim(self, most: int) -> Unsettled:
        """Up to `most` calls that are due, which are this process's alone for a while."""
        with visit(self._database) as connection:
            now = time.time()
            due = connection.execute(_DUE, {"me": self._owner, "now": now, "most": most}).fetchall()
            if not due:
                return Unsettled((), self._next_in(connection, now))
            with transaction(connection):
                claimed = [_claim(connection, row, now) for row in due]
            return Unsettled(tuple(call for call in claimed if call is not None), 0.0)

    def conclude(self, outcomes: Sequence[Outcome]) -> list[Row]:
        """Keep what came of the questions; returns the rows that are settled now, each once among all processes."""
        settled: list[Row] = []
        now = time.time()
        with visit(self._database) as connection, transaction(connection):
            for (row_id, call, *_), retry_in in outcomes:
                if retry_in is not None:
                    connection.execute(_POSTPONE, (now + retry_in, row_id))
                    continue
                key = {"id": row_id, "timestamp": int(call.started_at), "generation_id": call.generation_id}
                settled += map(dict, connection.execute(_SETTLE, progress_of(call) | key))
                connection.execute(_FORGET, (row_id,))
        return settled

    def _next_in(self, connection: sqlite3.Connection, now: float) -> float | None:
        """Seconds until the next call is due; None where none waits."""
        due: float | None = connection.execute(_NEXT, {"me": self._owner, "now": now}).fetchone()[0]
        return None if due is None else max(0.0, due - now)


def _claim(connection: sqlite3.Connection, row: sqlite3.Row, now: float) -> UnsettledCall | None:
    """The call of this row, unless another process was faster."""
    claim = {"call": row["id"], "now": now, "due": now + CLAIM_SECONDS}
    asked: sqlite3.Row | None = connection.execute(_CLAIM, claim).fetchone()
    return None if asked is None else UnsettledCall(row["id"], call_of(dict(row)), asked["tries"], asked["since"])
