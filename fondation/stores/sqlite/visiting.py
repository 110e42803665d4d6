"""The ledger opened for one use, in whichever thread: the writer's is never held up."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

BUSY_SECONDS = 1.0


@contextlib.contextmanager
def visit(database: Path) -> Generator[sqlite3.Connection, None, None]:
    """A connection whose rows have names. Raises `sqlite3.Error` and `OSError`.

    A file that is gone is not made anew: the writer does that.
    """
    uri = f"{database.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        yield connection
    finally:
        connection.close()
