"""What every total misses: rows that found no room anywhere while the ledger could not be written, and rows of which
nobody can tell when they were.
"""

from __future__ import annotations

import sqlite3

from fondation.stores.rows import LARGEST
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


def untimed_rows(connection: sqlite3.Connection) -> int:
    """How many rows another program wrote with a timestamp that is no number."""
    untimed = f"timestamp < -{LARGEST} OR timestamp > {LARGEST} OR timestamp IS NULL"  # which an index finds
    count: int = connection.execute(f"SELECT COUNT(*) FROM usage_tracking WHERE {untimed}").fetchone()[0]
    return count


def untimed_text(rows: int) -> str:
    """A sentence for people."""
    calls = "1 model call is" if rows == 1 else f"{rows:,} model calls are"
    return f"{calls} left out here: the timestamp that another program wrote is no number of seconds."


def loss_text(rows: int) -> str:
    """A sentence for people. A call whose row was lost twice, as it began and as it ended, counts twice."""
    calls = "1 model call is" if rows == 1 else f"Up to {rows:,} model calls are"
    return f"{calls} missing or incomplete here: neither the ledger nor its spool could be written."
