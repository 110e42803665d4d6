"""What a kept answer says it took, where that was known only after its end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fondation.calls import CostSource, ModelCall
from fondation.server.late_usage import with_late_usage
from fondation.stores.chats import MessageStatus, StoredMessage
from fondation.usage import settlement
from tests.providers.upstream import EVENT_STREAM, Hang, Upstream
from tests.server.test_settlement import TOKEN, app, generation_id_is_kept, refuse, serve_command, tell
from tests.support.served import JSON, Kitchen, Served
from tests.usage.test_recorder import Diary


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-test-key")


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    server.reply(TOKEN, Hang(), headers={**EVENT_STREAM, "X-Generation-Id": "gen-1"})
    yield server
    await server.close()


async def leave_chat(url: str, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
    """Ask in the chat c1, and read the first word of the answer."""
    response = await session.post(url, data=b'{"message": "Hi", "id": "c1"}', headers=JSON)
    await response.content.readuntil(b"Hal")
    return response


async def answer_of(served: Served, status: str) -> Any:
    """The metadata of the chat's answer once it has this status."""
    for _ in range(250):
        chat = await served.ask("GET", "/api/chats/c1", headers={"x-session-id": "c1"})
        metadata = chat.json["messages"][-1]["metadata"]
        if metadata.get("status") == status:
            return metadata
        await asyncio.sleep(0.02)
    raise AssertionError(metadata)


async def test_an_answer_whose_cost_is_settled_later_tells_it_when_it_is_read_again(
    kitchen: Kitchen, upstream: Upstream
) -> None:
    refuse(upstream)
    served = await kitchen.run(app(kitchen.folder, upstream))
    (await leave_chat(f"{served.url}/api/chat", served.session)).close()
    assert (await answer_of(served, "stopped"))["usage"] == {"costSource": "pending"}
    tell(upstream)
    await served.row_where("cost_source = 'billed'")
    metadata = await answer_of(served, "stopped")
    assert metadata["usage"] == {
        "promptTokens": 100,
        "completionTokens": 50,
        "totalTokens": 150,
        "cost": 0.0123,
        "costSource": "billed",
    }
    assert (metadata["agent"], metadata["finishReason"]) == ("Ann", "aborted")


async def test_an_answer_whose_process_was_killed_tells_its_cost_too(
    kitchen: Kitchen, tmp_path: Path, upstream: Upstream
) -> None:
    again = app(tmp_path, upstream)
    async with serve_command(tmp_path) as (url, process), aiohttp.ClientSession() as session:
        response = await leave_chat(url, session)
        await generation_id_is_kept(tmp_path)
        process.kill()
        await process.wait()
        response.close()
    upstream.replies.clear()
    tell(upstream)
    served = await kitchen.run(again)
    await served.row_where("cost_source = 'billed'")
    assert (await answer_of(served, "cut"))["usage"]["cost"] == 0.0123


async def test_where_nothing_is_recorded_nobody_asks_and_the_cost_is_unknown(
    kitchen: Kitchen, upstream: Upstream
) -> None:
    served = await kitchen.run(app(kitchen.folder, upstream, "usage: {enabled: false}\n"))
    (await leave_chat(f"{served.url}/api/chat", served.session)).close()
    assert (await answer_of(served, "stopped"))["usage"] == {"costSource": "unknown"}


async def test_a_ledger_that_cannot_be_read_leaves_what_the_answer_said(
    kitchen: Kitchen, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("fondation.stores.sqlite.store.answering_calls", fail)
    served = await kitchen.run(app(kitchen.folder, upstream))
    (await leave_chat(f"{served.url}/api/chat", served.session)).close()
    assert (await answer_of(served, "stopped"))["usage"] == {"costSource": "pending"}


class Books(Diary):
    """A ledger that knows these calls, of run_1 and then of run_2."""

    def __init__(self, *sources: CostSource) -> None:
        super().__init__()
        calls = [ModelCall("Ann", "openrouter", "acme/one", (), cost_source=source) for source in sources]
        for call in calls:
            call.cost = None if call.cost_source == "pending" else 0.25
        self._calls = {f"run_{number}": [call] for number, call in enumerate(calls, start=1)}

    async def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelCall]]:
        return {run_id: self._calls[run_id] for run_id in run_ids}


def kept(status: MessageStatus) -> StoredMessage:
    """An answer that run_2 went on with, whose end told nothing, or what run_1 took."""
    metadata = {"usage": {"cost": 0.5, "costSource": "billed"}, "runId": "run_1"}
    return StoredMessage("m1", "assistant", (), metadata, run_id="run_2", status=status)


async def told(status: MessageStatus, *sources: CostSource) -> Any:
    (message,) = await with_late_usage([kept(status)], Books(*sources))
    return message.metadata["usage"]


@pytest.mark.parametrize("status", ["cut", "stopped"])
async def test_an_answer_that_broke_off_tells_all_of_its_runs(status: MessageStatus) -> None:
    assert await told(status, "billed", "unknown") == {"cost": 0.5, "costSource": "unknown"}


async def test_what_was_told_stays_while_the_ledger_does_not_know_more() -> None:
    assert await told("stopped", "billed", "pending") == {"cost": 0.5, "costSource": "billed"}
