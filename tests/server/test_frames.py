"""The log of a run's bytes."""

from __future__ import annotations

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
