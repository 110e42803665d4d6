"""A disk that is full while a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fondation.stores.sqlite.chats_file import ChatFile


class Disk:
    """A disk that is full while `full` says so: no page more can be written to the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        begin = ChatFile.transaction
        disk = self

        @contextmanager
        def transaction(file: ChatFile, **how: bool) -> Iterator[None]:
            pages = file.connection.execute("PRAGMA page_count").fetchone()[0]
            file.connection.execute(f"PRAGMA max_page_count = {pages if disk.full else 1_000_000}")
            with begin(file, **how):
                yield

        monkeypatch.setattr(ChatFile, "transaction", transaction)
