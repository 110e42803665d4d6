"""The open database: what is written to it, each time as one transaction. Belongs to one thread."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fondation.stores.rows import COLUMNS, PROGRESS_COLUMNS, Row
from fondation.stores.sqlite.owners import LEASE_SECONDS, is_dead
from fondation.stores.sqlite.transactions import transaction
from fondation.stores.sqlite.visiting import visit

log = logging.getLogger("fondation.usage")

BUSY_MS = 200
"""How long a transaction waits for other processes: below the time for which a call waits for its row."""

_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO usage_tracking ({_NAMES}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"
_PROGRESS = ", ".join(f"{name} = :{name}" for name in PROGRESS_COLUMNS)
_UPDATE = f"UPDATE usage_tracking SET {_PROGRESS} WHERE id = :id AND owner = :owner"
_FIND = "SELECT id FROM usage_tracking WHERE run_id IS :run_id AND owner = :owner AND number = :number"
_DELETE = "DELETE FROM usage_tracking WHERE id = ? AND owner = ?"
_LEASE = (
    "INSERT INTO usage_owners (owner, lease_until) VALUES (?, ?) "
    "ON CONFLICT (owner) DO UPDATE SET lease_until = excluded.lease_until"
)
_STRANGERS = (
    "SELECT owner, lease_until FROM usage_owners WHERE owner <> :me UNION ALL "
    "SELECT DISTINCT owner, 0 FROM usage_tracking WHERE cost_source = 'pending' AND status = 'running' "
    "AND owner <> :me AND owner NOT IN (SELECT owner FROM usage_owners)"
)
_UNCHANGED = "COALESCE((SELECT lease_until FROM usage_owners WHERE owner = :owner), 0) = :lease_until"
_TAKE_OVER = (
    "UPDATE usage_tracking SET status = 'lost' "
    f"WHERE cost_source = 'pending' AND status = 'running' AND owner = :owner AND {_UNCHANGED}"
)
_BURY = "DELETE FROM usage_owners WHERE owner = :owner AND lease_until = :lease_until"


@dataclass(slots=True, eq=False)
class Entry:
    """A call that has, or is to have, a row."""

    key: int
    row_id: int | None = None
    file: str | None = None
    """The database in which that id holds, by its mark."""


Changes: TypeAlias = Mapping[Entry, Row | None]
"""What is to be written: each row as it is now, None to remove it."""


class Ledger:
    """The file, created or brought up to date. All of it raises `sqlite3.Error` and `OSError`."""

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._renew_at = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        from fondation.stores.sqlite.migrations import migrate

        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        migrate(self._connection)
        self._file = self._path.stat()
        self._mark: str = self._connection.execute("SELECT mark FROM usage_file").fetchone()[0]
        self._connection.execute("DELETE FROM usage_spools WHERE FALSE")  # a file that can only be read says so here

    def is_moved(self) -> bool:
        """Whether the file was removed, replaced or cut: what is written now might be read by nobody."""
        try:
            seen, self._file = self._file, os.stat(self._path)
        except OSError:
            return True
        return not os.path.samestat(seen, self._file) or self._file.st_size < seen.st_size

    def read_anew(self) -> None:
        """Read the newest row as one who opens the file now: this connection has pages of it in memory, and could
        write for long to a file that is damaged.
        """
        with visit(self._path) as connection:
            connection.execute("SELECT mark FROM usage_file").fetchone()
            connection.execute("SELECT * FROM usage_tracking ORDER BY id DESC LIMIT 1").fetchone()
            connection.execute("SELECT MAX(timestamp) FROM usage_tracking").fetchone()

    def set_patience(self, milliseconds: int) -> None:
        """How long a transaction waits for those of other processes."""
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def save(self, changes: Changes, spool: Path | None = None) -> None:
        """Write the rows, all or none; those of a spool file once only, however often it is tried.

        A row that waited in a spool may have come here too, when it was written and nobody lived to hear of it.
        """
        row_ids: dict[Entry, int | None] = {}
        with transaction(self._connection):
            if spool is not None and not self._is_new(spool):
                return
            if time.monotonic() >= self._renew_at:
                self._sign_lease()
            for entry, row in changes.items():
                row_id = self._row_id(entry)
                if row_id is None and row is not None and spool is not None:
                    row_id = self._find(row)
                row_ids[entry] = self._write(row_id, row)
        for entry, row_id in row_ids.items():
            entry.row_id, entry.file = row_id, self._mark

    def note_loss(self, rows: int) -> None:
        """Keep that so many rows were lost: a total that misses them can say so."""
        self._connection.execute("INSERT INTO usage_losses (timestamp, rows) VALUES (?, ?)", (int(time.time()), rows))

    def renew_lease(self) -> None:
        """Say that this process lives."""
        with transaction(self._connection):
            self._sign_lease()

    def take_over(self) -> int:
        """Mark the running calls of dead processes as lost, and return how many there were.

        Their cost stays pending: it can still be asked for.
        """
        lost = 0
        for owner, lease_until in self._connection.execute(_STRANGERS, {"me": self._owner}).fetchall():
            if lease_until < time.time() or is_dead(owner):
                seen = {"owner": owner, "lease_until": lease_until}
                with transaction(self._connection):
                    lost += self._connection.execute(_TAKE_OVER, seen).rowcount
                    self._connection.execute(_BURY, seen)
        return lost

    def forget_spools(self) -> None:
        """Drop the marks of spool files that are gone."""
        for (name,) in self._connection.execute("SELECT name FROM usage_spools").fetchall():
            if not self._path.with_name(name).exists():
                self._connection.execute("DELETE FROM usage_spools WHERE name = ?", (name,))

    def close(self) -> None:
        """Leave, without a lease."""
        try:
            with contextlib.suppress(sqlite3.Error), transaction(self._connection):
                self._connection.execute("DELETE FROM usage_owners WHERE owner = ?", (self._owner,))
        finally:
            self._connection.close()

    def _row_id(self, entry: Entry) -> int | None:
        return entry.row_id if entry.file == self._mark else None

    def _find(self, row: Row) -> int | None:
        found = self._connection.execute(_FIND, row).fetchone()
        return found[0] if found else None

    def _write(self, row_id: int | None, row: Row | None) -> int | None:
        """Write one row and return its id. A row that the table refuses must not hold up the others."""
        execute = self._connection.execute
        try:
            if row is None:
                if row_id is not None:
                    execute(_DELETE, (row_id, self._owner))
                return None
            if row_id is not None and execute(_UPDATE, {**row, "id": row_id}).rowcount:
                return row_id
            return execute(_INSERT, row).lastrowid
        except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError):
            log.exception("Failed to save usage: the table refuses a row: %s", row)
            return row_id

    def _sign_lease(self) -> None:
        self._connection.execute(_LEASE, (self._owner, time.time() + LEASE_SECONDS))
        self._renew_at = time.monotonic() + LEASE_SECONDS / 3

    def _is_new(self, spool: Path) -> bool:
        mark = "INSERT OR IGNORE INTO usage_spools (name) VALUES (?)"
        return self._connection.execute(mark, (spool.name,)).rowcount == 1
