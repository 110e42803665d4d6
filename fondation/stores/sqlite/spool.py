"""Where rows wait while the database cannot take them: a file of JSON lines beside it, bounded in bytes.

Its process holds a lock on it, which the system frees when the process dies: a spool that can be locked is an
orphan, and whoever locks it brings its rows home.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import secrets
from collections.abc import Generator, Iterable
from pathlib import Path

import msgspec

from fondation.stores.rows import Row

log = logging.getLogger("fondation.usage")

MAX_BYTES = 16_000_000
"""About 25,000 rows."""


class Line(msgspec.Struct, array_like=True, frozen=True):
    """A row that waits. Of several lines with one key the last holds."""

    key: int
    row_id: int | None
    """Its id, where a database has the row already."""
    file: str | None
    """That database's mark."""
    row: Row | None
    """None: the row is to be removed."""


_decoder = msgspec.json.Decoder(Line)


class Spool:
    """The spool of this process. The file exists only while rows wait in it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._file: int | None = None
        self._size = 0
        self.path: Path | None = None

    def append(self, lines: Iterable[Line]) -> None:
        """Keep the lines, all or none of them. Raises `OSError`."""
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        if self._size + len(data) > MAX_BYTES:
            raise OSError(f"the spool beside the database has reached its {MAX_BYTES:,} bytes")
        if self._file is None:
            self._file = self._create()
        try:
            if os.write(self._file, data) < len(data):
                raise OSError("no space left beside the database")
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def read(self) -> list[Line]:
        """The lines that wait."""
        return [] if self.path is None else _read(self.path)

    def remove(self) -> None:
        """Forget the lines: the database has them now."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave the lines to whoever comes next."""
        if self._file is not None:
            os.close(self._file)
        self._file, self.path, self._size = None, None, 0

    def _create(self) -> int:
        name = f"{_prefix(self._database)}{os.getpid()}-{self._token}-{next(self._numbers)}.jsonl"
        path = self._database.with_name(name)
        nameless = path.with_suffix(".new")  # not to be adopted before it is locked
        file = os.open(nameless, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        nameless.rename(path)
        self.path = path
        return file


def spools_beside(database: Path) -> list[Path]:
    """The spool files of this database, of the living and of the dead."""
    with contextlib.suppress(OSError):
        names = sorted(name for name in os.listdir(database.parent) if name.startswith(_prefix(database)))
        return [database.with_name(name) for name in names if name.endswith(".jsonl")]
    return []


@contextlib.contextmanager
def adopt(path: Path) -> Generator[list[Line] | None, None, None]:
    """Lock a spool whose process is dead and give its lines, None where it lives.

    The file is removed when the block ends well.
    """
    file = _lock(path)
    if file is None:
        yield None
        return
    try:
        yield _read(path)
        path.unlink()
    finally:
        os.close(file)


def _lock(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file), path.stat()):  # else another process was faster
            return file
    except OSError:
        pass
    os.close(file)
    return None


def _read(path: Path) -> list[Line]:
    """Raises `OSError`."""
    lines = []
    for data in path.read_bytes().split(b"\n"):
        try:
            if data:
                lines.append(_decoder.decode(data))
        except msgspec.DecodeError as error:  # its process was killed while it wrote
            log.warning("A line of %s cannot be read and is left out: %s", path, error)
    return lines


def _prefix(database: Path) -> str:
    return f"{database.name}-spool-"
