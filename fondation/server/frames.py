"""The bytes of one run's stream, kept so that every reader gets all of them, from the start, at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path

IN_MEMORY = 1_000_000
"""Bytes. What is more goes to a file."""
WITHOUT_DISK = 16_000_000
"""Bytes that may be kept in memory where the file cannot be written."""
AT_ONCE = 256 * 1024
"""The most bytes that a reader gets at once."""


class FrameLog:
    """Append-only: the newest bytes are in memory, and those before them in a file without a name in `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory = bytearray()
        self._file: int | None = None
        self._in_file = 0
        self._spill_at = IN_MEMORY
        self._ended = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        return self._in_file + len(self._memory)

    @property
    def ended(self) -> bool:
        return self._ended

    def append(self, data: bytes) -> None:
        """Raises `OSError` where there is neither disk nor memory left for it."""
        if len(self._memory) + len(data) > self._spill_at:
            self._spill()
        self._memory += data
        self._wake()

    def end(self, last: bytes = b"") -> None:
        """Nothing more comes but `last`."""
        if not self._ended:
            self._memory += last
            self._ended = True
        self._wake()

    def read(self, offset: int) -> bytes:
        """What there is from `offset` on, at most `AT_ONCE` bytes of it. Raises `OSError` where the disk fails."""
        if self._file is not None and offset < self._in_file:
            return os.pread(self._file, min(AT_ONCE, self._in_file - offset), offset)
        begin = offset - self._in_file
        return bytes(memoryview(self._memory)[begin : begin + AT_ONCE])

    async def more(self) -> None:
        """Wait until something is appended, or the end."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def close(self) -> None:
        """Forget the bytes; readers that are not through lose the rest."""
        self.end()
        self._memory.clear()
        self._in_file = 0
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _spill(self) -> None:
        """Move what is in memory to the file; while the disk fails, try again from time to time."""
        try:
            if self._file is None:
                self._file = _nameless_file(self._folder)
            _write_all(self._file, self._memory, self._in_file)
        except OSError:
            if len(self._memory) >= WITHOUT_DISK:
                raise
            self._spill_at = min(2 * self._spill_at, WITHOUT_DISK)
            return
        self._in_file += len(self._memory)
        self._memory.clear()
        self._spill_at = IN_MEMORY

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _nameless_file(folder: Path | None) -> int:
    descriptor, name = tempfile.mkstemp(prefix=".fondation-stream-", dir=folder)
    with contextlib.suppress(OSError):
        os.unlink(name)
    return descriptor


def _write_all(descriptor: int, data: bytes | bytearray, offset: int) -> None:
    written = 0
    while written < len(data):
        with memoryview(data) as view:  # let go of also where the disk fails, or `data` could not grow any more
            written += os.pwrite(descriptor, view[written:], offset + written)
