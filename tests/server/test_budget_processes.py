"""Budgets of several `fondation serve` on one database, each a process of its own, and an upstream with books."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.processes import Process, serving

COST = 0.01
PROJECT = """
version: 1
models:
  main: {provider: openrouter, id: acme/main, base_url: "URL/v1", retries: 0, price: {input: 1, output: 1}}
agents:
  Ann: {model: main, instructions: You are Ann.}
routes:
  /api/chat: {agent: Ann, chats: client}
  /api/kept: Ann
limits: {run_timeout: 30s}
budgets:
  - {name: b, limit: $0.10, per: user, every: month, warn_at: 80%, on_warn: "warnings_of:note"}
"""
HOOKS = """
import json

def note(event):
    with open("warned.jsonl", "a") as file:
        file.write(json.dumps(event) + chr(10))
"""


@dataclass
class Upstream:
    """A chat-completions server that keeps its own books."""

    billed: int = 0
    """Calls."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    holds: bool = False
    receipts: dict[str, float] = field(default_factory=dict)
    """Generation id -> what it cost, once it is over."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/generation", self._receipt)
        return app

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.billed += 1
        id = f"gen-{self.billed}"
        self.asked.set()
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "x-generation-id": id})
        await response.prepare(request)
        await _send(response, id, choices=[{"index": 0, "delta": {"content": "ok"}, "finish_reason": None}])
        if self.holds:
            self.receipts[id] = COST
            await asyncio.sleep(60)
        await _send(response, id, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        usage = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "cost": COST}
        await _send(response, id, choices=[], usage=usage)
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _receipt(self, request: web.Request) -> web.Response:
        cost = self.receipts.get(request.query["id"])
        if cost is None:
            return web.json_response({"error": {"code": 404, "message": "not found"}}, status=404)
        return web.json_response({"data": {"id": request.query["id"], "total_cost": cost, "is_byok": False}})


async def _send(response: web.StreamResponse, id: str, **fields: Any) -> None:
    await response.write(f"data: {json.dumps({'id': id, 'model': 'acme/main', **fields})}\n\n".encode())


@pytest.fixture
async def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    upstream = Upstream()
    runner = web.AppRunner(upstream.app(), handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    (tmp_path / "agents.yaml").write_text(PROJECT.replace("URL", url))
    (tmp_path / "warnings_of.py").write_text(HOOKS)
    (tmp_path / ".env").write_text("OPENROUTER_API_KEY=sk-or-v1-test\n")
    yield upstream
    await runner.cleanup()


def start(folder: Path) -> contextlib.AbstractAsyncContextManager[Process]:
    return serving(folder, simulate=False)


async def status(served: Process, user: str = "ada", path: str = "/api/chat") -> int:
    async with served.session.post(served.url + path, json={"message": "Hi"}, headers={"x-user-id": user}) as response:
        await response.read()
        return response.status


def query(folder: Path, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "fondation.db")) as database:
        return database.execute(sql).fetchall()


async def until(folder: Path, sql: str, expected: list[Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while query(folder, sql) != expected:  # noqa: ASYNC110  (a file of another process)
            await asyncio.sleep(0.05)


async def test_two_processes_spend_no_more_than_there_is_and_warn_once(tmp_path: Path, upstream: Upstream) -> None:
    async with start(tmp_path) as one, start(tmp_path) as two:
        assert await status(one) == 200
        await until(tmp_path, "SELECT spent_pico FROM usage_budgets", [(10**10,)])
        statuses = await asyncio.gather(*(status((one, two)[number % 2]) for number in range(50)))
        assert sorted(set(statuses)) == [200, 402]
        rows = "SELECT COUNT(*), SUM(cost_pico) FROM usage_tracking WHERE cost_source = 'billed'"
        await until(tmp_path, rows, [(upstream.billed, upstream.billed * 10**10)])
        # one process has learned what a call costs, the other has asked the ledger: both estimates are exact
        assert upstream.billed == 1 + statuses.count(200) <= 10
        while upstream.billed < 10:  # on a busy machine some waited for 2 s in vain
            assert await status(one) == 200
        assert await status(two) == 402
        await until(tmp_path, rows, [(10, 10 * 10**10)])
        assert query(tmp_path, "SELECT spent_pico, warned FROM usage_budgets") == [(10 * 10**10, 1)]
        assert query(tmp_path, "SELECT * FROM usage_reservations") == []
        assert await status(two, "bob") == 200, "whoever has money of his own is not refused"
        async with asyncio.timeout(5):
            while not (tmp_path / "warned.jsonl").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    (event,) = map(json.loads, (tmp_path / "warned.jsonl").read_text().splitlines())
    assert (event["budget"], event["bucket"], event["userId"], event["limit"]) == ("b", "ada", "ada", 0.1)
    assert 0.08 <= event["spent"] <= 0.1


async def test_what_a_killed_process_had_set_aside_is_free_after_its_lease(tmp_path: Path, upstream: Upstream) -> None:
    upstream.holds = True
    async with start(tmp_path) as killed:
        posting = asyncio.create_task(status(killed))
        await asyncio.wait_for(upstream.asked.wait(), 10)
        await until(tmp_path, "SELECT COUNT(*) FROM usage_tracking WHERE generation_id = 'gen-1'", [(1,)])
        ((amount, lease_until),) = query(tmp_path, "SELECT amount_pico, lease_until FROM usage_reservations")
        assert amount > 0
        assert 30 < lease_until - time.time() <= 40
        killed.process.kill()
        with contextlib.suppress(Exception):
            await posting
    assert query(tmp_path, "SELECT amount_pico FROM usage_reservations") == [(amount,)]
    upstream.holds = False
    async with start(tmp_path) as heir:
        await until(tmp_path, "SELECT spent_pico FROM usage_budgets", [(10**10,)])
        assert query(tmp_path, "SELECT * FROM usage_reservations") == [], "the late settlement freed it"
        assert query(tmp_path, "SELECT cost, cost_source, status FROM usage_tracking") == [(COST, "billed", "lost")]
        assert await status(heir) == 200


async def test_a_reservation_that_nobody_settles_lapses(tmp_path: Path, upstream: Upstream) -> None:
    async with start(tmp_path) as served:
        assert await status(served) == 200
        await until(tmp_path, "SELECT spent_pico FROM usage_budgets", [(10**10,)])
        with contextlib.closing(sqlite3.connect(tmp_path / "fondation.db")) as database, database:
            database.execute(
                "INSERT INTO usage_reservations (token, counter, amount_pico, lease_until) "
                "SELECT 'dead', key, 9 * 10000000000, ? FROM usage_budgets",
                [time.time() + 1.0],
            )
        assert await status(served) == 200, "it waits for what others hold, and that lapses meanwhile"
