"""Several `fondation serve` that share a database, each a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.chunks import assert_acceptable, parse
from tests.support.processes import Process, serving, write_project

CALLED = b"tool-input-available"
"""The answer is in the middle: a tool waits."""


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Process, Process]]:
    write_project(tmp_path)
    async with contextlib.AsyncExitStack() as exits:
        one = await exits.enter_async_context(serving(tmp_path))
        yield one, await exits.enter_async_context(serving(tmp_path))


async def statuses(served: Process) -> list[Any]:
    async with served.get("/api/chats/c1") as response:
        told = (await response.json())["messages"]
    return [message["metadata"].get("status") for message in told if message["role"] == "assistant"]


async def test_a_killed_process_leaves_its_readers_an_end_and_its_chat_to_the_others(
    two: tuple[Process, Process],
) -> None:
    owner, other = two
    async with owner.post("Please wait 60 seconds") as posted:
        begun = await posted.content.readuntil(CALLED)
        async with other.get("/api/chat/c1/stream") as resumed:
            assert (resumed.status, resumed.headers["x-run-id"]) == (200, posted.headers["x-run-id"])
            assert await resumed.content.readuntil(CALLED) == begun
            owner.process.kill()
            rest = await resumed.content.read()
    chunks = parse(begun + rest)
    assert [chunk["type"] for chunk in chunks[-2:]] == ["error", "finish"]
    assert rest.endswith(b"data: [DONE]\n\n")
    async with other.post("Hello", agentChoice="Bob") as answered:
        assert answered.status == 200
        assert_acceptable(parse(await answered.read()))
    assert await statuses(other) == ["cut", None]


async def test_a_process_that_is_told_to_end_serves_the_readers_of_the_others_first(
    two: tuple[Process, Process],
) -> None:
    owner, other = two
    async with owner.post("Please wait 0.8 seconds") as posted:
        await posted.content.readuntil(CALLED)
        async with other.get("/api/chat/c1/stream") as resumed:
            await resumed.content.readuntil(CALLED)
            owner.process.send_signal(signal.SIGTERM)
            rest = await resumed.content.read()
        assert rest == await posted.content.read()
    assert b"waited" in rest
    assert rest.endswith(b"data: [DONE]\n\n")
    code, log = await owner.end()
    assert code == 0
    assert "Traceback" not in log


async def test_of_posts_to_two_processes_at_once_one_is_answered(two: tuple[Process, Process]) -> None:
    async with contextlib.AsyncExitStack() as exits:
        posting = [exits.enter_async_context(served.post("Please wait 60 seconds")) for served in two]
        replies = await asyncio.gather(*posting)
        assert sorted(reply.status for reply in replies) == [200, 409]
        async with two[0].session.post(f"{two[1].url}/api/chat/c1/stop") as stopped:
            assert await stopped.json() == {"stopped": True}
    assert await statuses(two[0]) == await statuses(two[1]) == ["stopped"]
