"""The counters' file while it comes and goes: when to open it, how long to leave it alone, how often to say so."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from fondation.stores.budgets import BudgetStoreError
from fondation.stores.sqlite.budget_tables import BudgetTables
from fondation.stores.sqlite.ledger import BUSY_MS
from fondation.stores.sqlite.trouble import is_locked, reason

log = logging.getLogger("fondation.budgets")

PAUSE_SECONDS = 0.1
"""How long a file that failed is left alone."""
IMPATIENT_MS = 20
"""How long a try waits for other processes once one has failed."""
COMPLAINT_SECONDS = 60.0
"""The least time between two lines in the log."""


class BudgetFile:
    """Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tables: BudgetTables | None = None
        self._error: Exception | None = None
        self._retry_at = self._complain_at = 0.0

    def tables(self) -> BudgetTables:
        """The tables, opened anew where the file was replaced. Raises `sqlite3.Error` and `OSError`; for a moment after
        that, the same once more.
        """
        if self._error is not None and time.monotonic() < self._retry_at:
            raise self._error
        if self._tables is not None and self._tables.is_moved():
            self.close()
        if self._tables is None:
            self._tables = BudgetTables(self.path)
        return self._tables

    def failed(self, error: Exception) -> BudgetStoreError:
        """Note that the file failed. Returns what to tell those who wait."""
        now = time.monotonic()
        if error is not self._error:
            self._error, self._retry_at = error, now + PAUSE_SECONDS
            if is_locked(error) and self._tables is not None:
                self._tables.set_patience(IMPATIENT_MS)
            else:
                self.close()
        told = failure(self.path, error)
        if now >= self._complain_at:
            self._complain_at = now + COMPLAINT_SECONDS
            log.error("%s. Calls go on by what this process knows of them", told, exc_info=_unexpected(error))
        return told

    def worked(self) -> None:
        """Note that it did not."""
        if self._error is not None:
            log.warning("budgets are counted in %s again", self.path)
            self._error, self._complain_at = None, 0.0
            if self._tables is not None:
                self._tables.set_patience(BUSY_MS)

    def close(self) -> None:
        if self._tables is not None:
            with contextlib.suppress(sqlite3.Error):
                self._tables.close()
        self._tables = None


def failure(path: Path, error: Exception) -> BudgetStoreError:
    return BudgetStoreError(f"budgets cannot be counted in {path}: {reason(error)}")


def _unexpected(error: Exception) -> Exception | None:
    """An error that is no fault of the file."""
    return None if isinstance(error, sqlite3.Error | OSError) else error
