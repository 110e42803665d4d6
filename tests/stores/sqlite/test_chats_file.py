from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fondation.stores.sqlite.chats_file import ChatFile

SETTINGS = ("journal_mode", "synchronous", "busy_timeout")


@pytest.fixture
def file(path: Path) -> Iterator[ChatFile]:
    with closing(ChatFile(path)) as file:
        yield file


def memories(path: Path) -> int:
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("SELECT COUNT(*) FROM fondation_chat_memory").fetchone()[0])


def remember(file: ChatFile, *texts: str | None) -> None:
    for text in texts:
        file.connection.execute("INSERT INTO fondation_chat_memory (owner, text) VALUES ('ada', ?)", (text,))


def test_it_is_opened_as_several_processes_need_it(file: ChatFile) -> None:
    settings = [file.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS]
    assert settings == ["wal", 1, 5000]


def test_a_transaction_is_all_or_nothing(file: ChatFile, path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError), file.transaction(writes=True):
        remember(file, "tea", None)
    assert memories(path) == 0
    with file.transaction(writes=True):
        remember(file, "tea", "coffee")
        assert memories(path) == 0
    assert memories(path) == 2


def test_one_that_writes_keeps_other_writers_out_from_its_beginning(file: ChatFile, path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0)) as other:
        with file.transaction(writes=True), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with file.transaction(writes=False):
            other.execute("BEGIN IMMEDIATE")


def test_it_tells_when_the_file_was_replaced_removed_or_cut(file: ChatFile, path: Path) -> None:
    assert not file.is_moved()
    kept = path.rename(path.with_name("kept"))
    assert file.is_moved()
    path.write_bytes(kept.read_bytes())
    assert file.is_moved()
    os.replace(kept, path)
    assert file.is_moved(), "it is another file than before"
    assert not file.is_moved()
    os.truncate(path, 0)
    assert file.is_moved()
