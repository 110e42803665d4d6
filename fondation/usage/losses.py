"""Rows that found no room anywhere while the ledger could not be written: what every total misses."""

from __future__ import annotations

import sqlite3

from fondation.usage.periods import Period


def lost_rows(connection: sqlite3.Connection, period: Period) -> int:
    """How many rows were lost until moments in the period; 0 where an older, or another, program made the ledger."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage_losses'").fetchone():
        return 0
    since = period.since.timestamp() if period.since else float("-inf")
    until = period.until.timestamp() if period.until else float("inf")
    query = "SELECT COALESCE(SUM(rows), 0) FROM usage_losses WHERE timestamp >= ? AND timestamp < ?"
    count: int = connection.execute(query, (since, until)).fetchone()[0]
    return count


def loss_text(rows: int) -> str:
    """A sentence for people. A call whose row was lost twice, as it began and as it ended, counts twice."""
    calls = "1 model call is" if rows == 1 else f"Up to {rows:,} model calls are"
    return f"{calls} missing or incomplete here: neither the ledger nor its spool could be written."
