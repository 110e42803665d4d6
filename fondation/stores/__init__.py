"""Where usage rows are kept: `base` is the contract, `open_store` knows its members."""

from __future__ import annotations

from pathlib import Path

from fondation.stores.base import UsageStore

__all__ = ["UsageStore", "open_store"]


def open_store(path: Path) -> UsageStore:
    """Open the ledger in this SQLite file, which is created or brought up to date; close the store when done.

    A file that cannot be used is logged and tried again, and rows wait meanwhile: an answer never fails for
    want of its ledger.
    """
    from fondation.stores.sqlite import SqliteStore

    return SqliteStore(path)
