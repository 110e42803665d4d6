from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fondation.server import sockets
from fondation.server.sockets import new_socket, remove_stale


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's runtime folder; the one for temporary files is beside it."""
    (tmp_path / "run").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(sockets, "LONGEST_PATH", 200)  # pytest's folders are deep
    return tmp_path / "run"


@contextlib.contextmanager
def listening(path: Path) -> Iterator[None]:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(os.path.relpath(path))
        listener.listen()
        yield


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_a_socket_lies_in_a_folder_that_nobody_else_may_enter(runtime: Path) -> None:
    one, two = new_socket(), new_socket()
    assert one is not None
    assert one.parent == runtime / "fondation"
    assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700
    assert one != two
    assert not one.exists()


def test_without_a_runtime_folder_it_is_the_one_for_temporary_files(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = runtime.parent / "tmp" / f"fondation-{os.geteuid()}"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "missing"))
    assert (path := new_socket()) is not None
    assert path.parent == expected
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert (path := new_socket()) is not None
    assert path.parent == expected


def test_a_path_that_is_too_long_for_a_socket_is_not_taken(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = runtime / ("deep" * 40)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    assert (path := new_socket()) is not None
    assert path.is_relative_to(runtime.parent / "tmp")


@pytest.mark.parametrize("trap", ["others may enter", "a link", "a file", "another's"])
def test_a_folder_that_somebody_else_prepared_is_left_alone(
    trap: str, runtime: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = runtime.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    for folder in (runtime / "fondation", runtime.parent / "tmp" / f"fondation-{os.geteuid()}"):
        match trap:
            case "others may enter":
                folder.mkdir()
                folder.chmod(0o755)
            case "a link":
                folder.symlink_to(elsewhere)
            case "a file":
                folder.touch(mode=0o600)
            case _:
                folder.mkdir(mode=0o700)
    if trap == "another's":
        owner = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
        (runtime.parent / "tmp" / f"fondation-{owner + 1}").mkdir(mode=0o700)
    assert new_socket() is None
    assert "There is no private folder for a socket" in caplog.text


def test_a_system_without_such_sockets_is_done_without(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    assert new_socket() is None
    assert caplog.text == ""


def test_what_dead_processes_left_is_removed_and_the_living_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stale, young, living, other = (tmp_path / name for name in ("1.sock", "2.sock", "3.sock", "4.txt"))
    for path in (stale, young):
        with listening(path):
            pass
    other.touch()
    with listening(living):
        for path in (stale, living, other):
            age(path, 61)
        remove_stale(tmp_path)
        assert sorted(tmp_path.iterdir()) == [young, living, other]
