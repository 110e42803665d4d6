"""The open database file of the chats. Belongs to one thread."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Generator
from pathlib import Path

from fondation.stores.sqlite.transactions import transaction
from fondation.stores.sqlite.trouble import is_locked

BUSY_SECONDS = 5.0
"""How long a transaction waits for those of other processes."""
IMPATIENT_SECONDS = 0.02
"""How long an impatient one does: others have waited in vain, and who asks meanwhile is told at once."""
_PAUSE_SECONDS = 0.02


class ChatFile:
    """Created or brought up to date. All of it raises `sqlite3.Error` and `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        from fondation.stores.sqlite.migrations import migrate

        self._switch_to_wal()
        self.connection.execute("PRAGMA synchronous = NORMAL")
        migrate(self.connection)
        self._seen = self._path.stat()

    def _switch_to_wal(self) -> None:
        """The one statement for which SQLite does not always wait while another process does the same."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.Error as error:
                if not is_locked(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def is_moved(self) -> bool:
        """Whether the file was removed, replaced or cut: what is written now might be read by nobody."""
        try:
            seen, self._seen = self._seen, os.stat(self._path)
        except OSError:
            return True
        return not os.path.samestat(seen, self._seen) or self._seen.st_size < seen.st_size

    @contextlib.contextmanager
    def transaction(self, *, writes: bool, patiently: bool = True) -> Generator[None, None, None]:
        """All or nothing, on one state of the file. One that only reads waits for no writer."""
        seconds = BUSY_SECONDS if patiently else IMPATIENT_SECONDS
        self.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
        with transaction(self.connection, "IMMEDIATE" if writes else "DEFERRED"):
            yield

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()
