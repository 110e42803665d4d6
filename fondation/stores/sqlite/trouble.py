"""A database that fails: what it means, how soon to try it again, and how often to say so."""

from __future__ import annotations

import logging
import sqlite3
import time
from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two tries."""
GRACE_SECONDS = 1.0
"""Trouble that is over sooner, and in which no row waits, is not worth a word."""
COMPLAINT_SECONDS = 60.0
"""The least time between two lines in the log."""


class Trouble:
    """True while there is some."""

    def __init__(self, database: Path, kept: str = "usage", counted: str = "rows") -> None:
        """`kept` is what the database keeps, and the log it has; `counted` what it is counted in."""
        self._database = database
        self._kept = kept
        self._counted = counted
        self._log = logging.getLogger(f"fondation.{kept}")
        self.error: Exception | None = None
        """Why the last try failed."""
        self._since = 0.0
        self._pause = FIRST_PAUSE
        self._complain_at = 0.0
        self._complained = False
        self.dropped = 0
        """Rows for which there was no room anywhere, since the database last took any."""
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

    def drop(self, number: int) -> None:
        """There is no room for so many."""
        self.dropped += number

    def tell(self, waiting: int, spool: Path | None) -> None:
        """Log how things are, once in a while."""
        now = time.monotonic()
        if now < self._complain_at or (not waiting and now < self._since + GRACE_SECONDS):
            return
        self._complain_at = now + COMPLAINT_SECONDS
        self._complained = True
        self._log.error(
            "Failed to save %s to %s: %s. Answers go on; %s that wait: %d, in %s%s",
            self._kept,
            self._database,
            self.error,
            self._counted,
            waiting,
            spool or "memory",
            f"; lost: {self.dropped}" if self.dropped else "",
        )

    def end(self) -> None:
        """A try went well, and all that waited is written."""
        if self._complained:
            self._log.warning("Can save %s to %s again", self._kept, self._database)
        self.lose()
        self.error = None
        self._complained = False
        self._complain_at = self.retry_at = 0.0

    def lose(self) -> None:
        """There is no more hope for what was dropped: say so, once."""
        dropped, self.dropped = self.dropped, 0
        if dropped:
            self._log.error("Failed to save %s to %s: %s lost: %d", self._kept, self._database, self._counted, dropped)


def is_trouble(error: Exception) -> bool:
    """Whether it is the database that fails, and may do again what it refuses now; not what was asked of it."""
    asked = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.NotSupportedError)
    return isinstance(error, (sqlite3.DatabaseError, OSError)) and not isinstance(error, asked)


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
            return "if fondation made it, move the damaged file away and a new one is made"
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
