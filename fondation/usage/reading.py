"""The ledger opened to be read: never created, never changed, whoever made it and whoever writes to it meanwhile."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

from fondation.errors import FondationError
from fondation.stores.rows import BASE_COLUMNS, COLUMNS, COST_PICO, IS_TIMED


class NoLedger(FondationError):
    """There is nothing to read; the text says why."""


class NothingRecorded(NoLedger):
    """Nobody has recorded anything yet."""


class LedgerConnection(sqlite3.Connection):
    """A connection that knows how it was made."""

    address: str

    def another(self) -> LedgerConnection:
        """One more to the same file, which may be used in another thread."""
        return _connect(self.address)


def open_to_read(path: Path) -> LedgerConnection:
    """Open a ledger that another process may be writing. Raises `NoLedger`; `NothingRecorded` if it was never made."""
    if not path.is_file():
        raise NothingRecorded(f"there is no file {path}")
    try:
        connection = _connect(f"{path.absolute().as_uri()}?{_mode(path)}")
        try:
            if not _columns(connection):
                raise NothingRecorded(f"{path} has no table usage_tracking")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise NoLedger(f"{path} cannot be read: {error}") from error
    return connection


def empty_ledger() -> sqlite3.Connection:
    """One in which nothing is recorded, to read where there is none."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(f"CREATE TABLE usage_tracking (id INTEGER PRIMARY KEY, {', '.join(BASE_COLUMNS)})")
    return connection


def _connect(address: str) -> LedgerConnection:
    connection: LedgerConnection = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, factory=LedgerConnection
    )
    connection.address = address
    return connection


def calls_of(connection: sqlite3.Connection) -> str:
    """The table as a subquery with every column, also where an older or another program made it.

    Without rows of which nobody can tell when they were: `count_untimed` counts those.
    """
    present = _columns(connection)
    columns = [name if name in present else f"NULL AS {name}" for name in ("id", *COLUMNS)]
    columns.append(f"{COST_PICO} AS cost_pico")  # not the column of that name, which no index covers
    return f"(SELECT {', '.join(columns)} FROM usage_tracking WHERE {IS_TIMED})"


def copy_calls(connection: sqlite3.Connection) -> str:
    """A copy of the table that is fast to read by time, for one of another program that has no index for it."""
    connection.execute("DROP TABLE IF EXISTS temp.calls")
    connection.execute(f"CREATE TEMP TABLE calls AS SELECT * FROM {calls_of(connection)}")
    connection.execute("CREATE INDEX temp.calls_timestamp ON calls (timestamp)")
    return "calls"


@contextlib.contextmanager
def one_moment(connection: sqlite3.Connection) -> Generator[None, None, None]:
    """All that is read in the block is of one moment, whatever is written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def has_index_by_time(connection: sqlite3.Connection) -> bool:
    indexes = connection.execute("SELECT name FROM pragma_index_list('usage_tracking') WHERE NOT partial").fetchall()
    first = "SELECT name FROM pragma_index_info(?) WHERE seqno = 0"
    return any(connection.execute(first, index).fetchone() == ("timestamp",) for index in indexes)


def text_of(value: object) -> str:
    """What another program wrote where a text belongs, as a text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _mode(path: Path) -> str:
    """Without a write-ahead log nobody has the file open; SQLite would leave an empty log beside it even so."""
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_xinfo(usage_tracking)")}
