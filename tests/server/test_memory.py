"""Working memory over HTTP: kept between requests, whose it is, and gone with its chat."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from fondation.memory import TOOL_NAME
from fondation.messages import SystemMessage
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.chunks import assert_acceptable
from tests.support.scripted import Answer, ScriptedProvider, calls, text
from tests.support.served import ANN, Kitchen


def file(kind: str) -> str:
    return ANN.replace("{model: main, ", f"{{model: main, memory: {{working: {kind}, template: 'Name:'}}, ")


def writes(words: str) -> list[Answer]:
    return [calls(("t1", TOOL_NAME, {"text": words})), text("Noted.")]


def seen(provider: ScriptedProvider) -> str:
    """What the last request showed the model between the tags."""
    first = provider.requests[-1].messages[0]
    assert isinstance(first, SystemMessage)
    return first.text.partition("<working_memory>\n")[2].removesuffix("\n</working_memory>")


async def test_a_chat_remembers_for_itself(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([*writes("Ada"), text("Ada!"), text("Who?"), text("Who?")])
    served = await kitchen.serve(provider, file("chat"))
    reply = await served.post({"id": "c1", "message": "I am Ada"}, x_user_id="u1")
    assert_acceptable(reply.chunks)
    [output] = [chunk["output"] for chunk in reply.chunks if chunk["type"] == "tool-output-available"]
    assert output == "Saved."
    for id, user, memory in (("c1", "u1", "Ada"), ("c2", "u1", "Name:"), ("c1", "u2", "Name:")):
        await served.post({"id": id, "message": "Who am I?"}, x_user_id=user)
        assert seen(provider) == memory


async def test_a_user_is_remembered_in_all_chats_and_nobody_else_is(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([*writes("Ada"), text("Ada!"), text("Who?"), text("Who?")])
    served = await kitchen.serve(provider, file("user"))
    await served.post({"id": "c1", "message": "I am Ada"}, x_user_id="u1")
    for who, memory in (
        ({"x_user_id": "u1"}, "Ada"),
        ({"x_user_id": "u2"}, "Name:"),
        ({"x_session_id": "u1"}, "Name:"),
    ):
        await served.post({"id": "c2", "message": "Who am I?"}, **who)
        assert seen(provider) == memory


async def test_without_a_user_it_is_the_sessions(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([*writes("Ada"), text("Ada!"), text("Who?")])
    served = await kitchen.serve(provider, file("user"))
    await served.post({"id": "c1", "message": "I am Ada"}, x_session_id="s1")
    for session, memory in (("s1", "Ada"), ("s2", "Name:")):
        await served.post({"id": "c2", "message": "Who am I?"}, x_session_id=session)
        assert seen(provider) == memory


async def test_a_chats_memory_goes_with_the_chat_and_a_users_stays(kitchen: Kitchen) -> None:
    mixed = file("chat").replace("routes:", "  Bob: {model: main, instructions: Hi., memory: {working: user}}\nroutes:")
    provider = ScriptedProvider([*writes("of the chat"), *writes("of the user")])
    served = await kitchen.serve(provider, mixed + "  /bob: Bob\n")
    for path in ("/api/chat", "/bob"):
        await served.post({"id": "c1", "message": "Hi"}, path, x_user_id="u1")
    assert (await served.ask("DELETE", "/api/chats/c1", headers={"x-user-id": "u1"})).status == 204
    with closing(sqlite3.connect(kitchen.folder / "fondation.db")) as database:
        kept = database.execute("SELECT owner, chat, text FROM fondation_chat_memory").fetchall()
    assert kept == [("user:u1", None, "of the user")]


async def test_where_no_agent_remembers_the_store_is_not_asked(kitchen: Kitchen, monkeypatch: Any) -> None:
    monkeypatch.delattr(SqliteChatStore, "memory")
    served = await kitchen.serve(ScriptedProvider([text("ok")]))
    assert (await served.post()).text == "ok"
