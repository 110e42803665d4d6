"""Chats whose database is in trouble: what is answered meanwhile, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fondation.errors import ConfigError
from fondation.messages import AssistantMessage, UserMessage
from tests.support.disk import Disk
from tests.support.scripted import ScriptedProvider, calls, text
from tests.support.served import ANN, Kitchen, Served

QUIET = ANN + "usage: {enabled: false}\n"
LETTER = b"a letter to grandmother\n" * 100
LOCATE = "tools:\n  locate: {runs_on: client, description: Where., parameters: {type: object}}\nagents:"
DESK = QUIET.replace("agents:", LOCATE).replace("You are Ann.", "You are Ann., tools: [locate]")


def said(id: str, role: str, words: str) -> dict[str, Any]:
    return {"id": id, "role": role, "parts": [{"type": "text", "text": words}]}


async def ask(served: Served, id: str | None = "c1", **body: Any) -> Any:
    return await served.post({**({"id": id} if id else {}), **(body or {"message": "Hi"})})


async def texts(served: Served, id: str = "c1", **headers: str) -> list[str]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = await served.ask("GET", f"/api/chats/{id}", headers=names)
    if reply.status == 404:
        return []
    return [part["text"] for message in reply.json["messages"] for part in message["parts"] if "text" in part]


async def eventually(happened: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(250):
        if await happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never happened")


def read(provider: ScriptedProvider) -> list[str]:
    """What the model read of the conversation."""
    return [m.text for m in provider.requests[-1].messages if isinstance(m, UserMessage | AssistantMessage)]


@contextlib.contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """The database is away, and something that is none lies in its place.

    It comes back as a link to where it was kept, in one step: at no moment would an empty one be made in its place.
    """
    kept = Path(tempfile.mkdtemp(dir=folder))
    for file in folder.glob("fondation.db*"):
        file.rename(kept / file.name)
    (folder / "fondation.db").write_bytes(LETTER)
    yield
    (kept / "back").symlink_to(kept / "fondation.db")
    (kept / "back").rename(folder / "fondation.db")


async def test_a_lock_that_is_soon_over_is_waited_for_and_holds_up_nobody_else(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]), QUIET)
    with contextlib.closing(sqlite3.connect(kitchen.folder / "fondation.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answering = asyncio.create_task(ask(served))
        async with asyncio.timeout(1):
            for _ in range(20):
                assert (await served.ask("GET", "/healthz")).status == 200
                await asyncio.sleep(0.01)
        assert not answering.done()
        other.execute("ROLLBACK")
    assert (await answering).text == "ok"
    assert await texts(served) == ["Hi", "ok"]


async def test_a_full_disk_stops_no_answer_and_loses_none(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk(monkeypatch)
    long = "x" * 20_000
    provider = ScriptedProvider([text("one"), text("two"), text("three")])
    served = await kitchen.serve(provider, QUIET)
    await ask(served)
    disk.full = True
    assert (await ask(served, message=long)).text == "two"
    assert (await ask(served, message="And now?")).text == "three"
    assert read(provider) == ["Hi", "one", long, "two", "And now?"]
    assert await texts(served) == ["Hi", "one", long, "two", "And now?", "three"]
    assert "Failed to save chats to" in caplog.text
    disk.full = False

    async def all_are_saved() -> bool:
        with contextlib.closing(sqlite3.connect(kitchen.folder / "fondation.db")) as other:
            statuses = other.execute("SELECT status FROM fondation_chat_messages").fetchall()
            return statuses == [("complete",)] * 6

    await eventually(all_are_saved)


async def test_a_chat_that_cannot_be_read_is_not_guessed(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([text("one"), text("two")])
    served = await kitchen.serve(provider, QUIET)
    await ask(served)
    with unreadable(kitchen.folder):
        for body in ({"message": "And now?"}, {"trigger": "regenerate-message"}):
            reply = await ask(served, **body)
            assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
            assert reply.json == {"error": "Chats cannot be read or written right now"}
        assert (await served.ask("GET", "/api/chats/c1")).status == 503
    assert (await ask(served, message="And now?")).text == "two"
    assert read(provider) == ["Hi", "one", "And now?"]


async def test_a_body_that_brings_all_is_answered_from_it_and_not_kept(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    provider = ScriptedProvider([text("one"), text("two"), text("three")])
    served = await kitchen.serve(provider, QUIET)
    first = said("u1", "user", "1")
    await ask(served, messages=[first])
    told = [first, said("a1", "assistant", "one")]
    with unreadable(kitchen.folder):
        reply = await ask(served, messages=[*told, said("u2", "user", "2")])
    assert reply.text == "two"
    assert read(provider) == ["1", "one", "2"]
    assert "chat c1: its turn is answered from the request, and not kept: The chats in" in caplog.text
    assert await texts(served) == ["1", "one"]


async def test_an_answer_that_only_the_chat_can_check_is_not_taken_from_a_body(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([calls(("t1", "locate", {}))])
    served = await kitchen.serve(provider, DESK)
    await ask(served, messages=[said("u1", "user", "Where?")])
    [question, answer] = (await served.ask("GET", "/api/chats/c1")).json["messages"]
    [call] = [part for part in answer["parts"] if part["type"] == "tool-locate"]
    call.update(state="output-available", output="Lyon")
    with unreadable(kitchen.folder):
        assert (await ask(served, messages=[question, answer])).status == 503
    assert len(provider.requests) == 1


async def test_a_chat_that_is_surely_new_is_answered_and_kept_later(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    served = await kitchen.serve(ScriptedProvider([text("ok")]), QUIET)
    with unreadable(kitchen.folder):
        reply = await served.post({"message": "Hi"}, x_session_id="s1", Accept="application/json")
        assert reply.json["text"] == "ok"
    id = reply.json["id"]

    async def is_kept() -> bool:
        return await texts(served, id, x_session_id="s1") == ["Hi", "ok"]

    await eventually(is_kept)


async def test_a_file_that_is_removed_is_made_anew(kitchen: Kitchen, caplog: pytest.LogCaptureFixture) -> None:
    served = await kitchen.serve(ScriptedProvider([text("one"), text("two")]), QUIET)
    await ask(served)
    for file in kitchen.folder.glob("fondation.db*"):
        file.unlink()
    assert (await ask(served)).text == "two"
    assert await texts(served) == ["Hi", "two"]
    assert "was removed, replaced or cut; it is opened anew" in caplog.text


async def test_a_file_that_is_no_database_stops_the_start(kitchen: Kitchen) -> None:
    (kitchen.folder / "fondation.db").write_bytes(LETTER)
    with pytest.raises(ConfigError) as stopped:
        await kitchen.serve(ScriptedProvider([]), QUIET)
    path = kitchen.folder / "fondation.db"
    assert str(stopped.value) == (
        f"the chats' database {path} cannot be opened: file is not a database\n"
        "  = help: if fondation made it, move the damaged file away and a new one is made; "
        "or name another one in storage.url, or keep no chats with chats: client on every route"
    )
