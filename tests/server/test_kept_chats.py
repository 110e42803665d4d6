"""Chats that the server keeps, on real sockets: several turns of one chat, its owner, and one turn at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fondation.errors import AuthenticationFailed, ChatStoreError
from fondation.messages import AssistantMessage, ToolResult, UserMessage
from fondation.providers.base import AnswerEnd, TextPiece
from fondation.server import floor
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.page import Page
from tests.support.scripted import ScriptedProvider, calls, text
from tests.support.served import Kitchen, OpenProvider, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
tools:
  look: kept_tools:look
agents:
  Ann: {model: main, instructions: You are Ann., tools: [look]}
routes:
  /api/chat: Ann
"""
TOOLS = '''
def look(city: str) -> dict:
    """Looks."""
    return {"city": city}
'''


@pytest.fixture(autouse=True)
def tools(kitchen: Kitchen) -> None:
    (kitchen.folder / "kept_tools.py").write_text(TOOLS)


async def read(served: Served, id: str = "c1", **headers: str) -> Any:
    reply = await served.ask("GET", f"/api/chats/{id}", headers=named(headers))
    return reply.json if reply.status == 200 else reply.status


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def said(id: str, words: str) -> dict[str, Any]:
    return {"id": id, "role": "user", "parts": [{"type": "text", "text": words}]}


async def test_the_last_message_alone_goes_on_with_the_chat(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([calls(("t1", "look", {"city": "Lyon"})), text("Sunny."), text("Still sunny.")])
    served = await kitchen.serve(provider, DESK)
    assert (await served.post({"id": "c1", "message": said("u1", "Lyon?")})).text == "Sunny."
    assert (await served.post({"id": "c1", "message": said("u2", "And now?")})).text == "Still sunny."
    messages = provider.requests[2].messages[1:]
    assert [type(message) for message in messages] == [
        UserMessage, AssistantMessage, ToolResult, AssistantMessage, UserMessage,
    ]  # fmt: skip
    chat = await read(served)
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant", "user", "assistant"]
    assert (chat["id"], chat["agent"], chat["title"]) == ("c1", "Ann", None)


async def test_what_is_kept_is_what_the_page_shows(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([calls(("t1", "look", {"city": "Lyon"}), before="Hm."), text("Sunny.")])
    served = await kitchen.serve(provider, DESK)
    reply = await served.post({"id": "c1", "message": said("u1", "Lyon?")})
    page = Page()
    page.read(reply.chunks)
    [_, answer] = (await read(served))["messages"]
    assert answer == {"id": page.id, "role": "assistant", "parts": page.parts, "metadata": page.metadata}


async def test_a_client_may_also_send_everything_and_nothing_is_doubled(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("one"), text("two")]))
    await served.post({"id": "c1", "messages": [said("u1", "1")]})
    page = (await read(served))["messages"]
    await served.post({"id": "c1", "messages": [*page, said("u2", "2")]})
    assert [message["id"] for message in (await read(served))["messages"]][::2] == ["u1", "u2"]


async def test_regenerating_and_editing_drop_what_follows(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([text("one"), text("uno"), text("eins")])
    served = await kitchen.serve(provider)
    await served.post({"id": "c1", "message": said("u1", "1")})
    again = await served.post({"id": "c1", "trigger": "regenerate-message"})
    assert again.text == "uno"
    assert len((await read(served))["messages"]) == 2
    await served.post({"id": "c1", "message": said("u1", "eine"), "messageId": "u1"})
    chat = (await read(served))["messages"]
    assert [message["parts"][-1]["text"] for message in chat] == ["eine", "eins"]
    asked = provider.requests[2].messages[-1]
    assert isinstance(asked, UserMessage)
    assert (asked.id, asked.text) == ("u1", "eine")


async def test_a_message_that_the_chat_does_not_have_is_refused(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("one")]))
    await served.post({"id": "c1", "message": said("u1", "1")})
    reply = await served.post({"id": "c1", "message": said("u9", "1"), "messageId": "u9"})
    assert reply.status == 409
    assert "u9" in reply.json["error"]


async def test_a_chat_belongs_to_its_user_or_else_its_session(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("for u1"), text("for u2"), text("for s1")]))
    for who in ({"x_user_id": "u1"}, {"x_user_id": "u2"}, {"x_session_id": "s1"}):
        await served.post({"id": "c1", "message": "Hi"}, **who)
    for who, words in (({"x_user_id": "u1"}, "for u1"), ({"x_user_id": "u2"}, "for u2")):
        chat = await read(served, **who)
        assert chat["messages"][1]["parts"][-1]["text"] == words
    assert (await read(served, x_user_id="u1", x_session_id="s9"))["messages"][1]["parts"][-1]["text"] == "for u1"
    assert await read(served, x_user_id="u3") == 404
    assert await read(served, x_session_id="u1") == 404


async def test_a_failed_answer_keeps_the_question(kitchen: Kitchen) -> None:
    provider = ScriptedProvider([[AuthenticationFailed("no")], text("now")])
    served = await kitchen.serve(provider, DESK)
    await served.post({"id": "c1", "message": said("u1", "Hi")})
    [question, answer] = (await read(served))["messages"]
    assert (question["id"], answer["metadata"]["status"]) == ("u1", "failed")
    assert (await served.post({"id": "c1", "message": said("u2", "Again")})).text == "now"
    assert provider.requests[1].messages[1].text == "Hi\nAgain"  # type: ignore[union-attr]


async def test_a_partial_answer_is_kept_when_its_reader_leaves_and_the_chat_goes_on(kitchen: Kitchen) -> None:
    provider = OpenProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)], text("On.")])
    served = await kitchen.serve(provider)
    async with served.connect() as connection:
        await connection.write(request("c1"))
        await connection.read_until(b"So far")
        connection.vanish()
    assert (await served.post({"id": "c1", "message": said("u2", "And?")})).text == "On."
    chat = (await read(served))["messages"]
    assert chat[1]["parts"][-1] == {"type": "text", "text": "So far", "state": "done"}
    assert chat[1]["metadata"]["status"] == "stopped"
    assert any(getattr(message, "text", "") == "So far" for message in provider.requests[1].messages)


async def test_one_turn_at_a_time(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "LEAVE_SECONDS", 0.05)
    released = asyncio.Event()
    served = await kitchen.serve(OpenProvider([[released.wait, *text("one")], text("two"), text("other")]))
    first = asyncio.create_task(served.post({"id": "c1", "message": "1"}))
    await asyncio.sleep(0.05)
    refused = await served.post({"id": "c1", "message": "2"})
    assert (refused.status, refused.json) == (409, {"error": "This chat is still answering"})
    released.set()
    assert (await first).text == "one"
    assert (await served.post({"id": "c1", "message": "2"})).text == "two"
    assert len((await read(served))["messages"]) == 4


async def test_two_posts_in_the_same_moment_are_two_turns(kitchen: Kitchen) -> None:
    served = await kitchen.serve(OpenProvider([text("one"), text("two")]))
    replies = await asyncio.gather(*[served.post({"id": "c1", "message": words}) for words in "ab"])
    assert sorted(reply.text for reply in replies) == ["one", "two"]
    assert len((await read(served))["messages"]) == 4


async def test_a_placeholder_is_there_from_the_start_and_the_text_within_a_second(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.chats.keeper.SAVE_SECONDS", 0.05)
    more = asyncio.Event()
    provider = OpenProvider([[[TextPiece("So far")], more.wait, [TextPiece("!")], [AnswerEnd("stop")]]])
    served = await kitchen.serve(provider)
    answering = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}))
    await asyncio.sleep(0.2)
    other = SqliteChatStore(kitchen.folder / "fondation.db")
    chat = await other.load(key())
    assert chat is not None
    assert (chat.messages[1].status, chat.messages[1].parts[-1]["text"]) == ("streaming", "So far")
    assert (await read(served))["messages"][1:] == [], "its stream tells it"
    more.set()
    await answering
    chat = await other.load(key())
    other.close()
    assert chat is not None
    assert (chat.messages[1].status, chat.messages[1].parts[-1]["text"]) == ("complete", "So far!")


async def test_a_json_answer_is_kept_too(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]))
    reply = await served.post({"id": "c1", "message": "Hi"}, Accept="application/json")
    assert reply.json["text"] == "ok"
    assert (await read(served))["messages"][1]["parts"][-1]["text"] == "ok"


async def test_a_store_that_fails_meanwhile_does_not_break_the_stream(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]))
    save = SqliteChatStore.save

    async def fail(self: Any, key: Any, messages: Any = (), **more: Any) -> None:
        if messages[0].role == "assistant":  # the question is there, its answer is not
            raise ChatStoreError("the disk is full")
        await save(self, key, messages, **more)

    monkeypatch.setattr(SqliteChatStore, "save", fail)
    assert (await served.post({"id": "c1", "message": "Hi"})).text == "ok"
    assert "the disk is full" in caplog.text


def key() -> Any:
    from fondation.stores.chats import ChatKey

    return ChatKey("session:c1", "c1")


def request(id: str) -> bytes:
    body = b'{"message": "Hi", "id": "%b"}' % id.encode()
    head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + body
