"""A streamed response: bytes out, and a sign of life while there are none."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

KEEPALIVE_SECONDS = 15.0


class EventStream:
    """Server-sent events to one client. Writing waits while the client reads slowly, and so does the run behind it."""

    def __init__(self, headers: Mapping[str, str], keepalive: bytes) -> None:
        self.response = web.StreamResponse(headers=CIMultiDict(headers))
        self._keepalive = keepalive
        self._last_write = time.monotonic()
        self._writing = False

    @property
    def idle(self) -> float:
        """Seconds since the client last took something."""
        return time.monotonic() - self._last_write

    async def open(self, request: web.Request) -> None:
        if request.version < HttpVersion11 or not request.keep_alive:
            # HTTP/1.0, which nginx speaks by default, knows the end of a stream by the end of its connection
            self.response.headers["Connection"] = "close"
            self.response.force_close()
        await self.response.prepare(request)

    async def write(self, data: bytes) -> None:
        self._writing = True
        await self.response.write(data)
        self._writing = False
        self._last_write = time.monotonic()

    async def keep_alive(self, transport: asyncio.Transport) -> None:
        """Write a comment where nothing was written for a while; also finds a client that is gone.

        Never waits for the client: one that has not read what was written gets no comment.
        """
        if not self._keepalive or self._writing or self.idle < KEEPALIVE_SECONDS or transport.get_write_buffer_size():
            return
        with contextlib.suppress(ConnectionError):
            await self.write(self._keepalive)

    async def close(self, data: bytes = b"") -> None:
        """Write the last bytes, and the end of the response with them."""
        self._writing = True
        await self.response.write_eof(data)
