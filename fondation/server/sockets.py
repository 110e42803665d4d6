"""Unix sockets that only processes of this user can reach: they lie in a folder that nobody else may enter."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger("fondation.server")

LONGEST_PATH = 100
"""Bytes; systems allow 104 to 108."""
STALE_SECONDS = 60.0
"""A younger socket that nobody listens on may be about to be listened on."""


def new_socket() -> Path | None:
    """A path for a socket of this process; None where the system has no such sockets or no safe place for one.

    Sockets that ended processes left are removed.
    """
    if not hasattr(socket, "AF_UNIX") or not hasattr(os, "geteuid"):
        return None
    name = f"{os.getpid()}-{secrets.token_hex(4)}.sock"
    for folder in _candidates():
        if len(os.fsencode(folder / name)) <= LONGEST_PATH and _is_private(folder):
            remove_stale(folder)
            return folder / name
    log.warning("There is no private folder for a socket: other processes cannot pass requests on to this one")
    return None


def remove_stale(folder: Path) -> None:
    """Remove the sockets of a folder that nobody listens on."""
    for path in folder.glob("*.sock"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS and not _is_listening(path):
                path.unlink()


def _candidates() -> Iterator[Path]:
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "fondation"
    yield Path(tempfile.gettempdir()) / f"fondation-{os.geteuid()}"


def _is_private(folder: Path) -> bool:
    """Make the folder where it is missing; another's, or one that others may enter, is left alone."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _is_listening(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as knocking:
        knocking.setblocking(False)
        try:
            knocking.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # it is too busy to say, or no business of ours
    return True
