"""The ledger opened to be read: never created, never changed, whoever made it and whoever writes to it meanwhile."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fondation.errors import FondationError
from fondation.stores.rows import COLUMNS, COST_PICO


class NoLedger(FondationError):
    """There is nothing to read; the text says why."""


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a ledger that another process may be writing. Raises `NoLedger`."""
    if not path.is_file():
        raise NoLedger(f"there is no file {path}")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{_mode(path)}", uri=True, isolation_level=None)
        try:
            if not _columns(connection):
                raise NoLedger(f"{path} has no table usage_tracking")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise NoLedger(f"{path} cannot be read: {error}") from error
    return connection


def calls_of(connection: sqlite3.Connection) -> str:
    """The table as a subquery with every column, also where an older or another program made it."""
    present = _columns(connection)
    columns = [name if name in present else f"NULL AS {name}" for name in ("id", *COLUMNS)]
    columns.append("cost_pico" if "cost_pico" in present else f"{COST_PICO} AS cost_pico")
    return f"(SELECT {', '.join(columns)} FROM usage_tracking)"


def _mode(path: Path) -> str:
    """Without a write-ahead log nobody has the file open; SQLite would leave an empty log beside it even so."""
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_xinfo(usage_tracking)")}
