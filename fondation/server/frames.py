"""The bytes of one run's stream, kept so that every reader gets all of them, from the start, at its own pace."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

IN_MEMORY = 1_000_000
"""Bytes. What is more goes to a file."""
AT_ONCE = 256 * 1024
"""The most bytes that a reader gets at once."""


class FrameLog:
    """Append-only. Bytes are kept in memory, beyond `IN_MEMORY` in a file without a name in `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory = bytearray()
        self._file: int | None = None
        self._size = 0
        self._ended = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        return self._size

    @property
    def ended(self) -> bool:
        return self._ended

    def append(self, data: bytes) -> None:
        if self._file is None and self._size + len(data) > IN_MEMORY:
            self._file = _nameless_file(self._folder)
            _write_all(self._file, self._memory)
            self._memory.clear()
        if self._file is None:
            self._memory += data
        else:
            _write_all(self._file, data)
        self._size += len(data)
        self._wake()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._wake()

    def read(self, offset: int) -> bytes:
        """What there is from `offset` on, at most `AT_ONCE` bytes of it."""
        if self._file is None:
            return bytes(memoryview(self._memory)[offset : offset + AT_ONCE])
        return os.pread(self._file, AT_ONCE, offset)

    async def more(self) -> None:
        """Wait until something is appended, or the end."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def close(self) -> None:
        """Forget the bytes; readers that are not through lose the rest."""
        self.end()
        self._memory.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _nameless_file(folder: Path | None) -> int:
    descriptor, name = tempfile.mkstemp(prefix=".fondation-stream-", dir=folder)
    os.unlink(name)
    return descriptor


def _write_all(descriptor: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
