"""/api/chats: the chats of whoever asks."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from fondation.providers.base import TextPiece
from fondation.stores.chats import ChatKey, StoredMessage
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.scripted import text
from tests.support.served import ANN, JSON, Kitchen, OpenProvider, Reply, Served

U1 = {"x-user-id": "u1"}


async def serve(kitchen: Kitchen, *words: str) -> Served:
    served = await kitchen.serve(OpenProvider([text(f"On {word}.") for word in words]))
    for word in words:
        await served.post({"id": word, "message": f"About {word}"}, x_user_id="u1")
    return served


async def ask(served: Served, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    data = None if body is None else msgspec.json.encode(body)
    return await served.ask(method, f"/api/chats{path}", data, headers or {**JSON, **U1})


async def test_own_chats_are_listed_newest_first_page_by_page(kitchen: Kitchen) -> None:
    served = await serve(kitchen, "bikes", "cars", "trains")
    first = (await ask(served, "GET", "?limit=2")).json
    assert [chat["id"] for chat in first["chats"]] == ["trains", "cars"]
    assert first["chats"][0] | {"createdAt": "", "updatedAt": ""} == {
        "id": "trains",
        "title": None,
        "agent": "Ann",
        "createdAt": "",
        "updatedAt": "",
        "messages": 2,
        "excerpt": "About trains",
    }
    second = (await ask(served, "GET", f"?limit=2&cursor={first['next']}")).json
    assert ([chat["id"] for chat in second["chats"]], second["next"]) == (["bikes"], None)
    assert (await served.ask("GET", "/api/chats", headers={"x-user-id": "u2"})).json == {"chats": [], "next": None}


async def test_titles_and_texts_are_searched(kitchen: Kitchen) -> None:
    served = await serve(kitchen, "bikes", "cars")
    await ask(served, "PATCH", "/cars", {"title": "Old timers"})
    for words in ("timers", "on cars"):
        found = (await ask(served, "GET", f"?search={words}")).json
        assert [chat["id"] for chat in found["chats"]] == ["cars"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?limit=0", "limit"),
        ("?limit=x", "limit"),
        ("?limit=201", "limit"),
        ("?limit=" + "9" * 5000, "limit"),
        ("?cursor=x", "cursor"),
    ],
)
async def test_a_wrong_query_is_told_what_is_right(query: str, said: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    reply = await ask(served, "GET", query)
    assert reply.status == 400
    assert reply.json["error"].startswith(said)


@pytest.mark.parametrize("headers", [{}, {"x-user-id": "undefined", "x-session-id": ""}])
async def test_a_list_needs_to_know_whose(headers: dict[str, str], kitchen: Kitchen) -> None:
    reply = await (await serve(kitchen)).ask("GET", "/api/chats", headers=headers)
    assert (reply.status, reply.json["error"]) == (400, "Whose chats? Send the header x-user-id or x-session-id")


async def test_a_chat_is_renamed_and_deleted_by_its_owner(kitchen: Kitchen) -> None:
    served = await serve(kitchen, "bikes")
    renamed = await ask(served, "PATCH", "/bikes", {"title": " Two\n\twheels "})
    assert renamed.json == {"id": "bikes", "title": "Two wheels"}
    assert (await ask(served, "GET", "/bikes")).json["title"] == "Two wheels"
    for method, body in (("PATCH", {"title": "x"}), ("DELETE", None), ("GET", None)):
        foreign = await ask(served, method, "/bikes", body, **{"x-user-id": "u2", **JSON})
        assert (foreign.status, foreign.json["error"]) == (404, "You have no chat 'bikes'")
    assert (await ask(served, "DELETE", "/bikes")).status == 204
    assert (await ask(served, "GET", "/bikes")).status == 404
    assert (await ask(served, "DELETE", "/bikes")).status == 404


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": 1}])
async def test_a_title_that_is_none_is_refused(body: Any, kitchen: Kitchen) -> None:
    served = await serve(kitchen, "bikes")
    assert (await ask(served, "PATCH", "/bikes", body)).status == 400


async def test_a_chat_that_is_deleted_while_it_answers_stays_deleted(kitchen: Kitchen) -> None:
    provider = OpenProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)]])
    served = await kitchen.serve(provider)
    answering = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}, x_user_id="u1"))
    await asyncio.wait_for(provider.asked.wait(), 2)
    await asyncio.sleep(0.03)
    assert (await ask(served, "DELETE", "/c1")).status == 204
    assert (await answering).text == "So far"
    assert (await ask(served, "GET", "/c1")).status == 404


@pytest.mark.parametrize("moment", ["before its run", "with its run", "after its run"])
async def test_an_answer_that_begins_while_the_chat_is_read_is_left_to_its_stream(
    moment: str, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, began, reading = asyncio.Event(), asyncio.Event(), asyncio.Event()
    provider = OpenProvider([text("First."), [[TextPiece("So far")], released.wait, *text("on")]])
    served = await kitchen.serve(provider)
    await served.post({"id": "c1", "message": "Hi"}, x_user_id="u1")
    chats = served.services.chats
    assert chats is not None
    load, begin = chats.load, chats.begin

    async def begin_then_wait(*arguments: Any, **options: Any) -> Any:
        begun = await begin(*arguments, **options)
        began.set()
        if moment == "before its run":
            await reading.wait()
        return begun

    async def load_then_wait(key: ChatKey) -> Any:
        chat = await load(key)
        if began.is_set() and moment == "after its run":
            released.set()
            await asyncio.wait_for(answering, 2)
        return chat

    monkeypatch.setattr(chats, "begin", begin_then_wait)
    answering = asyncio.create_task(served.post({"id": "c1", "message": "More"}, x_user_id="u1"))
    await asyncio.wait_for(began.wait(), 2)
    if moment != "before its run":
        await asyncio.sleep(0.05)
    monkeypatch.setattr(chats, "load", load_then_wait)
    told = (await ask(served, "GET", "/c1")).json["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    reading.set()
    released.set()
    answer = await answering
    assert (await served.ask("GET", "/api/chat/c1/stream", headers=U1)).body == answer.body


async def test_an_answer_that_its_process_did_not_finish_is_marked_at_the_start(kitchen: Kitchen) -> None:
    store = SqliteChatStore(kitchen.folder / "fondation.db")
    part = {"type": "text", "text": "So f", "state": "streaming"}
    answer = StoredMessage("a1", "assistant", (part,), {"agent": "Ann"}, status="streaming")
    await store.save(ChatKey("user:u1", "c1"), [StoredMessage("m1", "user", ()), answer])
    store.close()
    served = await serve(kitchen)
    [_, cut] = (await ask(served, "GET", "/c1")).json["messages"]
    assert cut["metadata"] == {"agent": "Ann", "status": "cut"}
    assert cut["parts"] == [{**part, "state": "done"}]


async def test_where_pages_keep_their_chats_there_are_none_here(kitchen: Kitchen) -> None:
    alone = ANN.replace("/api/chat: Ann", "/api/chat: {agent: Ann, chats: client}") + "usage: {enabled: false}\n"
    served = await kitchen.serve(OpenProvider([text("ok")]), alone)
    assert (await served.post({"id": "c1", "message": "Hi"})).text == "ok"
    assert (await ask(served, "GET", "")).status == 404
    assert not (kitchen.folder / "fondation.db").exists()
