"""The log of a run's bytes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fondation.server import frames
from fondation.server.frames import FrameLog


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "IN_MEMORY", 10)
    monkeypatch.setattr(frames, "AT_ONCE", 4)


def whole(log: FrameLog) -> bytes:
    read = b""
    while data := log.read(len(read)):
        read += data
    return read


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abcdef", b"ghij"], [b"abcdef", b"ghijklm", b"n"], [b"x" * 100]])
def test_everything_is_read_from_the_start_also_beyond_the_memory(pieces: list[bytes], tmp_path: Path) -> None:
    log = FrameLog(tmp_path)
    for piece in pieces:
        log.append(piece)
    assert whole(log) == b"".join(pieces)
    assert log.size == len(b"".join(pieces))
    log.close()


def test_the_file_has_no_name(tmp_path: Path) -> None:
    log = FrameLog(tmp_path)
    log.append(b"x" * 100)
    assert list(tmp_path.iterdir()) == []
    log.close()


def test_a_read_gives_a_bounded_piece() -> None:
    log = FrameLog()
    log.append(b"abcdefgh")
    assert log.read(0) == b"abcd"
    assert log.read(6) == b"gh"
    assert log.read(8) == b""


def test_a_full_disk_costs_no_bytes_while_there_is_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = FrameLog(tmp_path)
    log.append(b"x" * 100)
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", _full)
        log.append(b"y" * 15)
        log.append(b"z" * 15)
    log.append(b"!")
    assert whole(log) == b"x" * 100 + b"y" * 15 + b"z" * 15 + b"!"
    log.close()


def test_without_disk_and_memory_the_end_is_told_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "WITHOUT_DISK", 30)
    monkeypatch.setattr(os, "pwrite", _full)
    log = FrameLog(tmp_path)
    for _ in range(3):
        log.append(b"x" * 10)
    with pytest.raises(OSError, match="No space"):
        log.append(b"x" * 10)
    kept = log.size
    log.end(b"the end")
    assert whole(log) == b"x" * kept + b"the end"
    log.close()


def test_nothing_comes_behind_the_end() -> None:
    log = FrameLog()
    log.append(b"a")
    log.end(b"b")
    log.end(b"c")
    assert whole(log) == b"ab"
    assert log.ended


def _full(*args: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
