"""A database that fails: how soon to try it again, and how often to say so."""

from __future__ import annotations

import logging
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
        self._error: Exception | None = None
        self._since = 0.0
        self._pause = FIRST_PAUSE
        self._complain_at = 0.0
        self._complained = False
        self._dropped = 0
        self.retry_at = 0.0
        """When to try again, on the monotonic clock."""

    def __bool__(self) -> bool:
        return self._error is not None

    def meet(self, error: Exception) -> None:
        """A try failed."""
        now = time.monotonic()
        if self._error is None:
            self._since = now
            self._pause = FIRST_PAUSE
        self._error = error
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
            self._error,
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
        self._error = None
        self._complained = False
        self._complain_at = self.retry_at = 0.0
        self._dropped = 0

    def lose(self, rows: int) -> None:
        """Rows for which there is no more hope."""
        if rows:
            log.error("Failed to save usage to %s: rows lost: %d", self._database, rows)
