"""A call that was cut off, from its end to its receipt, through a whole server and over a restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fondation import create_app
from fondation.usage import settlement
from tests.providers.upstream import EVENT_STREAM, Hang, Upstream
from tests.support.served import JSON, Kitchen, Served

TOKEN = b'data: {"id":"gen-1","model":"acme/one-2026","choices":[{"index":0,"delta":{"content":"Hal"}}]}\n\n'
RECEIPT = {
    "data": {"total_cost": 0.0123, "is_byok": False, "upstream_inference_cost": 9.0}
    | {"native_tokens_prompt": 100, "native_tokens_completion": 50, "model": "acme/one-2026"}
}


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


def app(folder: Path, upstream: Upstream, more: str = "") -> web.Application:
    file = folder / "agents.yaml"
    file.write_text(
        f"version: 1\nmodels:\n  main: {{provider: openrouter, id: acme/one, base_url: {upstream.base_url}}}\n"
        f"agents:\n  Ann: {{model: main, instructions: You are Ann.}}\nroutes:\n  /api/chat: Ann\n{more}"
    )
    return create_app(file)


def refuse(upstream: Upstream) -> None:
    upstream.reply(b'{"error":{"code":404}}', status=404, headers=JSON)


def tell(upstream: Upstream) -> None:
    upstream.reply(json.dumps(RECEIPT).encode(), headers=JSON)


async def leave_early(served: Served) -> None:
    async with served.connect() as connection:
        await connection.post()
        await connection.read_until(b"Hal")
        connection.vanish()


def read_row(folder: Path) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(folder / "fondation.db")) as database:
        database.row_factory = sqlite3.Row
        (row,) = database.execute("SELECT * FROM usage_tracking")
        return dict(row)


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/chat"
    finally:
        await runner.cleanup()


async def test_an_answer_that_was_cut_off_is_billed_when_its_receipt_is_there(
    kitchen: Kitchen, upstream: Upstream
) -> None:
    refuse(upstream)
    refuse(upstream)
    tell(upstream)
    served = await kitchen.run(app(kitchen.folder, upstream))
    await leave_early(served)
    asked = [await upstream.request(number) for number in (1, 2, 3)]
    assert {request.target for request in asked} == {"/v1/generation?id=gen-1"}
    row = await served.row_where("cost_source <> 'pending'")
    expected = {"status": "aborted", "cost": 0.0123, "cost_source": "billed", "cost_note": None}
    expected |= {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "generation_id": "gen-1"}
    assert {name: row[name] for name in expected} == expected


async def test_what_is_not_settled_at_the_end_is_settled_after_the_next_start(
    kitchen: Kitchen, tmp_path: Path, upstream: Upstream
) -> None:
    refuse(upstream)
    async with serving(app(tmp_path, upstream)) as url, aiohttp.ClientSession() as session:
        response = await session.post(url, data=b'{"message": "Hi"}', headers=JSON)
        await response.content.readuntil(b"Hal")
        response.close()
        await upstream.request(1)
    assert read_row(tmp_path)["cost_source"] == "pending"
    upstream.replies.clear()
    tell(upstream)
    served = await kitchen.run(app(tmp_path, upstream))
    row = await served.row_where("cost_source <> 'pending'")
    assert (row["status"], row["cost"], row["cost_source"]) == ("aborted", 0.0123, "billed")


@contextlib.asynccontextmanager
async def serve_command(folder: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`fondation serve` in a process of its own: the route's URL, and the process, which is killed at the end."""
    command = (sys.executable, "-m", "fondation", "serve", "--port", "0")
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            while not (line := (await process.stdout.readline()).decode().strip()).startswith("http://"):
                assert process.returncode is None
        yield f"{line}/api/chat", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_a_killed_process_was_asking_is_billed_after_the_next_start(
    kitchen: Kitchen, tmp_path: Path, upstream: Upstream
) -> None:
    again = app(tmp_path, upstream)
    async with serve_command(tmp_path) as (url, process), aiohttp.ClientSession() as session:
        response = await session.post(url, data=b'{"message": "Hi"}', headers=JSON)
        await response.content.readuntil(b"Hal")
        await generation_id_is_kept(tmp_path)
        process.kill()
        await process.wait()
        response.close()
    row = read_row(tmp_path)
    assert (row["status"], row["cost_source"], row["generation_id"]) == ("running", "pending", "gen-1")
    upstream.replies.clear()
    tell(upstream)
    served = await kitchen.run(again)
    row = await served.row_where("cost_source <> 'pending'")
    assert (row["status"], row["cost"], row["cost_source"]) == ("lost", 0.0123, "billed")


async def generation_id_is_kept(folder: Path) -> None:
    for _ in range(250):
        if read_row(folder)["generation_id"]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it is not")


async def test_hooks_are_told_of_it_once_when_it_is_settled(kitchen: Kitchen, upstream: Upstream) -> None:
    refuse(upstream)
    tell(upstream)
    (kitchen.folder / "sinks.py").write_text("events = []\nasync def keep(event): events.append(event)\n")
    served = await kitchen.run(app(kitchen.folder, upstream, "usage: {on_usage: sinks:keep}\n"))
    import sinks  # type: ignore[import-not-found]

    await leave_early(served)
    await served.row_where("cost_source <> 'pending'")
    await kitchen.close()
    assert [(event["status"], event["cost"], event["costSource"]) for event in sinks.events] == [
        ("aborted", 0.0123, "billed")
    ]
    assert sinks.events[0]["usage"]["totalTokens"] == 150
