"""Readers of one run that come and go, each on a socket of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fondation.providers.base import AnswerEnd, TextPiece
from fondation.stores.chats import ChatKey
from tests.support.served import ANN, Connection, Kitchen, OpenProvider, Served

KEY = ChatKey("session:c1", "c1")
SECONDS = 3.0
"""How long anything may take that should happen at once."""
BODY = b'{"message": "Hi", "id": "c1"}'
POST = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b"
RESUME = b"GET /api/chat/c1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Story(OpenProvider):
    """A model that says more when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.more = asyncio.Event()
        self.script = [[[TextPiece("So far")], self.more.wait, [TextPiece(", so good")], [AnswerEnd("stop")]]]


async def serve(kitchen: Kitchen, story: Story, on_disconnect: str) -> Served:
    route = f"/api/chat: {{agent: Ann, on_disconnect: {on_disconnect}}}"
    return await kitchen.serve(story, ANN.replace("/api/chat: Ann", route))


@contextlib.asynccontextmanager
async def reader(served: Served, request: bytes) -> AsyncIterator[Connection]:
    """Somebody who has read what there is, from the start."""
    async with served.connect() as connection:
        await connection.write(request)
        seen = await connection.read_until(b"So far")
        assert b'"type":"start"' in seen
        yield connection


def post(*headers: bytes) -> bytes:
    return POST % (len(BODY), b"".join(header + b"\r\n" for header in headers), BODY)


async def readers_are(served: Served, count: int) -> None:
    """Wait until the server knows of so many readers."""
    for _ in range(300):
        live = served.services.runs.find(KEY)
        if live is not None and live.readers == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"there are not {count} readers")


async def answer(served: Served) -> tuple[str | None, str]:
    """What the chat keeps of it: its status and its text."""
    chat: Any = (await served.ask("GET", "/api/chats/c1")).json
    message = chat["messages"][1]
    return message["metadata"].get("status"), message["parts"][-1]["text"]


async def test_a_run_goes_on_for_the_reader_who_stays(kitchen: Kitchen) -> None:
    story = Story()
    served = await serve(kitchen, story, "cancel")
    async with reader(served, post()) as first, reader(served, RESUME) as second:
        first.vanish()
        await readers_are(served, 1)
        story.more.set()
        assert await second.read_until(b", so good")
        await second.read_until(b"[DONE]")
    assert await answer(served) == (None, "So far, so good")
    assert (await served.rows())[0]["status"] == "done"


async def test_a_run_ends_when_the_last_of_its_readers_is_gone(kitchen: Kitchen) -> None:
    story = Story()
    served = await serve(kitchen, story, "cancel")
    async with reader(served, post()) as first, reader(served, RESUME) as second:
        first.vanish()
        await readers_are(served, 1)
        assert not story.ended.is_set()
        second.vanish()
        await asyncio.wait_for(story.ended.wait(), SECONDS)
    assert (await served.rows())[0]["status"] == "aborted"
    assert await answer(served) == ("stopped", "So far")


async def test_who_comes_late_to_a_run_that_nobody_read_is_told_all_of_it_then_the_rest(kitchen: Kitchen) -> None:
    story = Story()
    served = await serve(kitchen, story, "continue")
    async with reader(served, post()) as first:
        first.vanish()
        await readers_are(served, 0)
    async with reader(served, RESUME) as late, reader(served, RESUME) as later:
        story.more.set()
        assert b", so good" in await late.read_until(b"[DONE]")
        assert b", so good" in await later.read_until(b"[DONE]")
    assert await answer(served) == (None, "So far, so good")


async def test_each_departure_has_its_own_grace(kitchen: Kitchen) -> None:
    story = Story()
    served = await serve(kitchen, story, "{grace: 600ms}")
    async with reader(served, post()) as first:
        first.vanish()
        await readers_are(served, 0)
    async with reader(served, RESUME) as second:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(story.ended.wait(), 0.7)  # the grace of the first one is over
        second.vanish()
        await readers_are(served, 0)
        assert not story.ended.is_set()
    await asyncio.wait_for(story.ended.wait(), SECONDS)
    told = await served.ask("GET", "/api/chat/c1/stream")
    assert told.text == "So far"
    assert [chunk["type"] for chunk in told.chunks][-2:] == ["abort", "finish"]
    assert await answer(served) == ("stopped", "So far")


async def test_a_run_without_readers_is_stopped_and_keeps_what_it_said(kitchen: Kitchen) -> None:
    story = Story()
    served = await serve(kitchen, story, "continue")
    async with reader(served, post()) as first:
        first.vanish()
        await readers_are(served, 0)
    assert (await served.ask("POST", "/api/chat/c1/stop")).json == {"stopped": True}
    assert story.ended.is_set()
    assert await answer(served) == ("stopped", "So far")


@pytest.mark.parametrize(("on_disconnect", "status"), [("cancel", "aborted"), ("continue", "done")])
async def test_a_json_answer_whose_client_leaves_is_ended_or_kept(
    on_disconnect: str, status: str, kitchen: Kitchen
) -> None:
    story = Story()
    served = await serve(kitchen, story, on_disconnect)
    async with served.connect() as connection:
        await connection.write(post(b"Accept: application/json"))
        await asyncio.wait_for(story.asked.wait(), SECONDS)
        connection.vanish()
        await readers_are(served, 0)
    story.more.set()
    await asyncio.wait_for(story.ended.wait(), SECONDS)
    assert (await served.rows())[0]["status"] == status
