"""The ledger and the chats in a SQLite file that several processes may share.

Each has one thread a process. Whatever the disk does, those who keep usage neither wait for it nor hear of it; those
who keep chats are told.
"""

from __future__ import annotations

from fondation.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
