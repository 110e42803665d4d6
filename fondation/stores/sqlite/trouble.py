"""A database that fails: what it means, how soon to try it again, and how often to say so."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

log = logging.getLogger("fondation.usage")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two tries."""
GRACE_SECONDS = 1.0
"""Trouble that is over sooner, and in which no row waits, is not worth a word."""
COMPLAINT_SECONDS = 60.0
"""The least time between two lines in the log."""


class Trouble:
    """True while there is some."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.error: Exception | None = None
        """Why the last try failed."""
        self._since = 0.0
        self._pause = FIRST_PAUSE
        self._complain_at = 0.0
        self._complained = False
        self._dropped = 0
        self.retry_at = 0.0
        """When to try again, on the monotonic clock."""

    def __bool__(self) -> bool:
        return self.error is not None

    def meet(self, error: Exception) -> None:
        """A try failed."""
        now = time.monotonic()
        if self.error is None:
            self._since = now
            self._pause = FIRST_PAUSE
        self.error = error
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def tell(self, waiting: int, spool: Path | None, dropped: int) -> None:
        """Log how things are, once in a while."""
        self._dropped += dropped
        now = time.monotonic()
        if now < self._complain_at or (not waiting and now < self._since + GRACE_SECONDS):
            return
        self._complain_at = now + COMPLAINT_SECONDS
        self._complained = True
        log.error(
            "Failed to save usage to %s: %s. Answers go on; rows that wait: %d, in %s%s",
            self._database,
            self.error,
            waiting,
            spool or "memory",
            f"; lost: {self._dropped}" if self._dropped else "",
        )

    def end(self) -> None:
        """A try went well, and all that waited is written."""
        if self._complained:
            log.warning("Usage is saved to %s again", self._database)
        if self._dropped:
            log.error("Failed to save usage to %s: rows lost: %d", self._database, self._dropped)
        self.error = None
        self._complained = False
        self._complain_at = self.retry_at = 0.0
        self._dropped = 0

    def lose(self, rows: int) -> None:
        """Rows for which there is no more hope."""
        if rows:
            log.error("Failed to save usage to %s: rows lost: %d", self._database, rows)


def is_locked(error: Exception) -> bool:
    """Whether another process holds the database: it is sound, and free again soon."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def reason(error: Exception) -> str:
    """Why the database cannot be used, without the number of the error."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def advice(error: Exception) -> str:
    """What its user can do."""
    match _code(error):
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return "if it was a ledger, move the damaged file away and a new one is made"
        case sqlite3.SQLITE_FULL:
            return "make room on the disk"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_IOERR | None:
            return "make it a file that this user can write, in a folder that this user can write"
        case _:
            return "if another program made it, leave it to that program"


def _code(error: Exception) -> int | None:
    """The kind of a database's error; None for other errors."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
