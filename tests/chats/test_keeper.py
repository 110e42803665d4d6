"""What a keeper saves of a run, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from fondation import events
from fondation.calls import TokenUsage
from fondation.chats import Keeping, keep, keeper, plan_turn
from fondation.events import Batches, RunSummary
from fondation.protocols.ui_message_stream import decode
from fondation.protocols.ui_message_stream.assemble import Assembler
from fondation.stores.chats import ChatKey, ChatStore, StoredMessage

SUMMARY = RunSummary("run_1", "m1", "Ann", ("Ann",), None, TokenUsage(), "unknown", "stop", 1, 1)


@dataclass
class SlowStore:
    """A store whose first save takes until it is released."""

    saved: list[StoredMessage] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def save(self, key: ChatKey, messages: list[StoredMessage], **more: Any) -> None:
        self.reached.set()
        await self.released.wait()
        self.saved += messages


class Made:
    produced = ()
    summary = None


@pytest.mark.parametrize("has_outcome", [True, False])
async def test_a_run_that_is_cancelled_while_an_earlier_save_is_awaited_is_settled(
    has_outcome: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SAVE_SECONDS", 0.0)
    store, ending = SlowStore(), asyncio.Event()

    async def run() -> Batches:
        yield [events.RunStarted("run_1", "m1", "Ann"), events.StepStarted(), events.TextStarted("t")]
        await store.reached.wait()
        ending.set()
        if has_outcome:
            yield [events.TextEnded("t"), events.StepFinished(), events.RunFinished(SUMMARY)]
        await asyncio.Event().wait()

    plan = plan_turn(None, decode(b'{"message": "Hi"}'), 1.0, lambda: "m1")
    keeping = Keeping(cast(ChatStore, store), ChatKey("u", "c1"), "run_1", plan, 1.0, Assembler())

    async def read() -> None:
        async with contextlib.aclosing(keep(run(), keeping, Made())) as batches:
            async for _ in batches:
                pass

    reading = asyncio.create_task(read())
    await ending.wait()
    await asyncio.sleep(0)  # the keeper waits for the save before
    reading.cancel()
    await asyncio.sleep(0)
    store.released.set()
    with contextlib.suppress(asyncio.CancelledError):
        await reading
    assert [message.status for message in store.saved] == ["streaming", "complete" if has_outcome else "stopped"]
