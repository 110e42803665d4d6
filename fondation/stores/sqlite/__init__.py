"""The ledger in a SQLite file that several processes may share.

One thread a process writes to it. Whatever the disk does, callers neither wait for it nor hear of it.
"""

from __future__ import annotations

from fondation.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
