"""Where usage rows are kept: `base` is the contract, `open_store` knows its members."""

from __future__ import annotations

from pathlib import Path

from fondation.stores.base import CannotOpen, UsageStore

__all__ = ["CannotOpen", "UsageStore", "open_store"]


def open_store(path: Path, config_hash: str | None = None) -> UsageStore:
    """Open the ledger in this SQLite file, which is created or brought up to date; close the store when done.

    `config_hash` names the configuration whose calls it records, in every row.
    Raises `CannotOpen` for a file that cannot be used. One that is only locked, or fails later, is logged and tried
    again, and rows wait meanwhile: an answer never fails for want of its ledger.
    """
    from fondation.stores.sqlite import SqliteStore

    return SqliteStore(path, config_hash)
