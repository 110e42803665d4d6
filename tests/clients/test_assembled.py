"""The message that the server keeps of a run is the one that the published clients end up with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

from fondation import events
from fondation.calls import TokenUsage
from fondation.events import Event, RunSummary
from fondation.protocols.ui_message_stream import HEADERS, encode
from fondation.protocols.ui_message_stream.assemble import Assembler
from tests.support.scenes import SCENES
from tests.support.scripted import play

from .harness import Client, Scenario, Turn, UIMessage
from .loopback import Loopback

pytestmark = pytest.mark.clients

Message = dict[str, Any]
SUMMARY = RunSummary("run_2", "msg_1", "B", ("B",), None, TokenUsage(prompt_tokens=3), "unknown", "stop", 1, 1)


class Replay:
    """A route that answers each post with what the next run told."""

    def __init__(self) -> None:
        self.url = ""
        self.runs: list[list[Event]] = []

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=encode(self.runs.pop(0)), headers=HEADERS)


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    replay = Replay()
    app = web.Application()
    app.router.add_post("/api/chat", replay.answer)
    with Loopback(app) as server:
        replay.url = f"{server.url}/api/chat"
        yield replay


def as_a_page_has_it(message: UIMessage) -> tuple[list[Message], Any]:
    return [_common(part) for part in message.parts], message.metadata


def as_we_keep_it(assembler: Assembler) -> tuple[list[Message], Any]:
    parts, metadata = json.loads(json.dumps([assembler.parts, assembler.metadata]))
    return [_common(part) for part in parts], metadata


def _common(part: Message) -> Message:
    """Without the id of reasoning, which only newer releases keep."""
    return {name: value for name, value in part.items() if (part["type"], name) != ("reasoning", "id")}


@pytest.mark.parametrize("name", SCENES)
def test_a_run_leaves_the_same_message(name: str, client: Client, replay: Replay) -> None:
    told = asyncio.run(_told(name))
    replay.runs = [told]
    outcome = client.drive(replay.url, Scenario(turns=[Turn(send="Hello")]))
    assembler = Assembler()
    assembler.feed(told)
    assert outcome.problems == []
    assert outcome.last.id == assembler.id
    assert as_a_page_has_it(outcome.last) == as_we_keep_it(assembler)


async def _told(name: str) -> list[Event]:
    return await play(SCENES[name].run())


def test_a_message_that_is_continued_is_the_same(client: Client, replay: Replay) -> None:
    """A client posts again by itself where an answer ends on results; the next run replaces them and goes on."""
    answered = [
        events.RunStarted("run_1", "msg_1", "A"),
        events.StepStarted(),
        events.DataSent("card", {"version": 1}, "1", transient=False),
        *[events.ToolCalled(id, "pay", {"amount": 5}) for id in ("c1", "c2", "c3")],
        *[events.ToolSucceeded(id, "pay", {"approved": True}) for id in ("c1", "c2", "c3")],
        events.StepFinished(),
        events.RunFinished(SUMMARY),
    ]
    continued = [
        events.RunStarted("run_2", "msg_1", "B"),
        events.ToolSucceeded("c1", "pay", None),
        events.ToolFailed("c2", "pay", "The card is no good."),
        events.ToolDenied("c3", "pay", "Too much."),
        events.StepStarted(),
        events.DataSent("card", {"version": 2}, "1", transient=False),
        events.TextStarted("t1"),
        events.TextDelta("t1", "Paid."),
        events.TextEnded("t1"),
        events.StepFinished(),
        events.RunFinished(msgspec.structs.replace(SUMMARY, model="m", usage=TokenUsage(cost=0.5))),
    ]
    replay.runs = [answered, continued]
    outcome = client.drive(replay.url, Scenario(turns=[Turn(send="Pay")], send_automatically=True))
    first = Assembler()
    first.feed(answered)
    assembler = Assembler.resume(first.parts, first.metadata)
    assembler.feed(continued)
    assert (outcome.problems, outcome.posts) == ([], 2)
    assert len(outcome.messages) == 2
    assert as_a_page_has_it(outcome.last) == as_we_keep_it(assembler)
