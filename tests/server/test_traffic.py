"""The handoffs that answers told are those that the ledger counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fondation import create_app
from fondation.usage.filters import Filters
from fondation.usage.reading import open_to_read
from fondation.usage.traffic import count_handoffs

PROJECT = """\
version: 1
models:
  sim: {provider: simulated}
tools:
  pay:
    runs_on: client
    description: Pay an invoice.
    parameters: {type: object, properties: {invoice: {type: string}}, required: [invoice]}
agents:
  Triage: {model: sim, route_only: true, instructions: Route., handoffs: [Billing, Support]}
  Billing: {model: sim, description: Invoices., instructions: Bill., tools: [pay], handoffs: [Support]}
  Support: {model: sim, description: Technical problems., instructions: Help., match_on: [help], handoffs: [Billing]}
routes:
  /api/chat: {agent: Triage, suggestions: true}
"""

Chat = TestClient[Any, Any]


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    file = tmp_path / "agents.yaml"
    file.write_text(PROJECT)
    async with TestServer(create_app(file)) as server:
        client: Chat = TestClient(server)
        async with client:
            yield client


async def say(chat: Chat, id: str, **body: Any) -> Any:
    headers = {"accept": "application/json", "x-session-id": "session"}
    answer = await chat.post("/api/chat", json={"id": id, **body}, headers=headers)
    assert answer.status == 200, await answer.text()
    return await answer.json()


def counted(folder: Path) -> dict[tuple[str, str], int]:
    with closing(open_to_read(folder / "fondation.db")) as connection:
        return dict(count_handoffs(connection, Filters()))


async def test_what_the_answers_told_is_what_is_counted(chat: Chat, tmp_path: Path) -> None:
    told = [
        paid := await say(chat, "one", message="Please pay invoice INV-42"),
        await say(chat, "one", toolOutputs=[{"toolCallId": paid["pending"][0]["toolCallId"], "output": "paid"}]),
        await say(chat, "one", message="I have a technical problem with my printer"),
        await say(chat, "one", message="Please pay invoice 7"),
        await say(chat, "two", message="Please pay invoice 8"),
    ]
    handoffs = Counter((each["from"], each["to"]) for answer in told for each in answer["handoffs"])
    assert counted(tmp_path) == handoffs
    assert handoffs == {("Triage", "Billing"): 2, ("Billing", "Support"): 1, ("Support", "Billing"): 1}


async def test_who_begins_because_of_a_word_was_handed_nothing(chat: Chat, tmp_path: Path) -> None:
    answer = await say(chat, "one", message="help me")
    assert answer["handoffs"] == [{"from": "Triage", "to": "Support", "routingStrategy": "programmatic"}]
    assert counted(tmp_path) == {}
