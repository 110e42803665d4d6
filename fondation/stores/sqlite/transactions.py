"""Transactions of a connection that begins none by itself."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from typing import Literal


@contextlib.contextmanager
def transaction(
    connection: sqlite3.Connection, kind: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE"
) -> Generator[None, None, None]:
    """All or nothing. An immediate one waits for other writers at its begin, a deferred one that only reads for none.

    Raises `sqlite3.Error`.
    """
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
