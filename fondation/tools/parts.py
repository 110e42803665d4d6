"""The data parts that tools send to the page while they run."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from fondation.events import DataSent, Event
from fondation.tools.values import as_json


class Parts:
    """Puts the parts of one turn's tools into its queue of events, also from threads, until it is closed."""

    def __init__(self, events: asyncio.Queue[Event], largest: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._events = events
        self._largest = largest
        self._closed = False

    def emit(self, name: str, data: object, id: str | None, transient: bool) -> None:
        """Send a part. Raises ValueError where its data is no JSON, or has more than `largest` bytes of it."""
        value = as_json(data)
        size = len(msgspec.json.encode(value))
        if size > self._largest:
            raise ValueError(f"the data part {name} has {size:,} bytes; limits.max_tool_result is {self._largest:,}")
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._put, DataSent(name, value, id, transient))

    def close(self) -> None:
        """Drop what a tool sends from here on: one that was given up may still run."""
        self._closed = True

    def _put(self, event: Event) -> None:
        if not self._closed:
            self._events.put_nowait(event)
