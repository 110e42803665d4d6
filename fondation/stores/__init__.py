"""Where usage rows, counters of budgets and chats are kept: `base`, `budgets` and `chats` are the contracts, the
functions here know their members."""

from __future__ import annotations

from pathlib import Path

from fondation.stores.base import CannotOpen, Ended, UsageStore
from fondation.stores.budgets import BudgetStore
from fondation.stores.chats import ChatStore

__all__ = ["BudgetStore", "CannotOpen", "ChatStore", "UsageStore", "open_budgets", "open_chats", "open_store"]


def open_store(path: Path, config_hash: str | None = None, on_ended: Ended | None = None) -> UsageStore:
    """Open the ledger in this SQLite file, which is created or brought up to date; close the store when done.

    `config_hash` names the configuration whose calls it records, in every row; `on_ended` is told of each call that
    has ended, on the event loop, once its row is durable.
    Raises `CannotOpen` for a file that cannot be used. One that is only locked, or fails later, is logged and tried
    again, and rows wait meanwhile: an answer never fails for want of its ledger.
    """
    from fondation.stores.sqlite import SqliteStore

    return SqliteStore(path, config_hash, on_ended)


def open_chats(path: Path, address: str | None = None) -> ChatStore:
    """Open the chats in this SQLite file, which may be the ledger's too; close the store when done.

    Raises `CannotOpen` for a file that cannot be used. One that is only locked, or fails later, is tried again: what is
    to be saved waits meanwhile, and what must be read or answered at once raises `ChatStoreError`. `address` is where
    this process listens to the others that share the file.
    """
    from fondation.stores.sqlite.chats import SqliteChatStore

    return SqliteChatStore(path, address)


def open_budgets(path: Path) -> BudgetStore:
    """Count what budgets allow in the ledger's file, which is open already; close the store when done.

    A file that fails is tried again at every question.
    """
    from fondation.stores.sqlite.budgets import SqliteBudgetStore

    return SqliteBudgetStore(path)
