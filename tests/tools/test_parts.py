"""Data parts on their way from a tool to the page."""

from __future__ import annotations

import asyncio

import pytest

from fondation.events import DataSent, Event
from fondation.tools.parts import Parts


async def test_a_part_is_put_into_the_queue_in_the_order_of_its_sending() -> None:
    queue: asyncio.Queue[Event] = asyncio.Queue()
    parts = Parts(queue, 100)
    parts.emit("a", 1, None, True)
    await asyncio.to_thread(parts.emit, "b", {"x": 2}, "id", False)
    await asyncio.sleep(0)
    assert [queue.get_nowait(), queue.get_nowait()] == [DataSent("a", 1), DataSent("b", {"x": 2}, "id", False)]


async def test_once_closed_nothing_waits_that_nobody_reads() -> None:
    queue: asyncio.Queue[Event] = asyncio.Queue()
    parts = Parts(queue, 100)
    parts.emit("just before", 1, None, True)
    parts.close()
    parts.emit("after", 2, None, True)
    await asyncio.sleep(0)
    assert queue.empty()


async def test_a_part_that_is_too_large_says_by_how_much() -> None:
    parts = Parts(asyncio.Queue(), 10)
    parts.emit("x", "12345678", None, True)
    with pytest.raises(ValueError, match=r"the data part x has 11 bytes; limits\.max_tool_result is 10"):
        parts.emit("x", "123456789", None, True)
