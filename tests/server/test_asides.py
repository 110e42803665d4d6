"""Titles and suggestions on real sockets: asked beside the answer, told in its stream, kept, and in the ledger."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fondation.asides import company
from fondation.errors import AuthenticationFailed, ChatStoreError
from fondation.gate import Go, Proposal, Stop, Unlimited, Verdict
from fondation.providers.base import AnswerEnd, TextPiece
from fondation.stores.sqlite.chats import SqliteChatStore
from tests.support.chunks import assert_acceptable
from tests.support.page import Page
from tests.support.scripted import Answer, calls, text
from tests.support.served import Kitchen, OpenProvider, Reply, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0, settings: {temperature: 0.1, stop: ["."]}}
  small: {provider: simulated, id: acme/small, settings: {temperature: 0.9, response_format: {type: json_object}}}
tools:
  locate: {runs_on: client, description: Where the user is., parameters: {type: object, properties: {}}}
agents:
  Ann: {model: main, instructions: You are Ann., tools: [locate], settings: {temperature: 0.2}}
  Bob: {model: main, instructions: You are Bob.}
routes:
  /api/chat: {agent: Ann, titles: true, suggestions: {model: small, count: 2}, on_disconnect: continue}
  /api/four: {agent: Ann, titles: {model: small}, suggestions: true, client: 4}
  /api/titles: {agent: Ann, titles: true}
  /api/own: {agent: Bob, chats: client, suggestions: true}
"""
PROMPTS = text('["And tomorrow?", "Why?", "Too many"]')


def played(*answers: Answer, **beside: list[Answer]) -> OpenProvider:
    """A model with a script for each purpose."""
    return OpenProvider([*answers], beside=dict(beside))


def held(answer: Answer, until: asyncio.Event) -> Answer:
    return [until.wait, *answer]


def parts_of(reply: Reply, name: str) -> list[Any]:
    return [chunk for chunk in reply.chunks if chunk["type"] == f"data-{name}"]


async def read(served: Served, id: str = "c1") -> Any:
    return (await served.ask("GET", f"/api/chats/{id}", headers={"x-session-id": id})).json


async def titled(served: Served, title: str, id: str = "c1") -> None:
    """Wait until the chat has this title."""
    for _ in range(200):
        if (await read(served, id))["title"] == title:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the chat is {await read(served, id)}")


def purposes(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((row["purpose"], row["status"]) for row in rows)


@pytest.fixture
def entitled(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a title is kept."""
    kept, entitle = asyncio.Event(), SqliteChatStore.entitle

    async def entitle_and_tell(*asked: Any) -> bool:
        done = await entitle(*asked)
        kept.set()
        return done

    monkeypatch.setattr(SqliteChatStore, "entitle", entitle_and_tell)
    return kept


async def test_a_title_and_suggestions_are_told_kept_and_recorded(kitchen: Kitchen, entitled: asyncio.Event) -> None:
    answer: Answer = [[TextPiece("Sunny")], entitled.wait, [TextPiece(".")], [AnswerEnd("stop")]]
    provider = played(answer, title=[text("**Weather in Lyon**\n")], suggestions=[PROMPTS])
    served = await kitchen.serve(provider, DESK)
    reply = await served.post({"id": "c1", "message": "Lyon?"}, x_user_id="u1", x_session_id="s1")
    assert_acceptable(reply.chunks)
    [title], [suggestions] = parts_of(reply, "chat-title"), parts_of(reply, "suggestions")
    assert title == {"type": "data-chat-title", "data": {"chatId": "c1", "title": "Weather in Lyon"}}
    prompts = {"prompts": ["And tomorrow?", "Why?"]}
    assert suggestions == {"type": "data-suggestions", "data": prompts, "transient": True}
    assert [chunk["type"] for chunk in reply.chunks[-3:]] == ["finish-step", "data-suggestions", "finish"]
    page = Page()
    page.read(reply.chunks)
    chat = (await served.ask("GET", "/api/chats/c1", headers={"x-user-id": "u1"})).json
    assert (chat["title"], chat["messages"][1]["parts"]) == ("Weather in Lyon", page.parts)
    assert page.metadata["usage"]["cost"] == 0.25, "the answer's calls only"
    rows = await served.rows(3)
    assert purposes(rows) == [("answer", "done"), ("suggestions", "done"), ("title", "done")]
    for row in rows:
        whose = ("Ann", "s1", "u1", "c1", rows[0]["run_id"], "stream", '["Ann"]')
        assert tuple(row[name] for name in ASKED_BY) == whose
        assert (row["cost"], row["cost_source"], row["step"]) == (0.25, "billed", int(row["purpose"] == "answer"))
    assert {row["purpose"]: row["requested_model"] for row in rows} == {
        "answer": "acme/main",
        "title": "acme/main",
        "suggestions": "acme/small",
    }


ASKED_BY = ("agent_name", "session_id", "user_id", "chat_id", "run_id", "method", "handoff_chain")


async def test_what_is_asked_has_the_models_own_settings_and_no_form(kitchen: Kitchen) -> None:
    provider = played(text("ok"), title=[text("T")], suggestions=[PROMPTS])
    await (await kitchen.serve(provider, DESK)).post({"id": "c1", "message": "Hi"})
    settings = {call.purpose: request.settings for call, request in provider.asked_beside}
    assert settings == {"title": {"temperature": 0.1}, "suggestions": {"temperature": 0.9}}
    assert provider.requests[0].settings["stop"] == ["."]
    assert all(request.tools == () for _, request in provider.asked_beside)


async def test_a_chat_is_given_one_title_and_a_persons_stays(kitchen: Kitchen) -> None:
    provider = played(*[text("ok")] * 3, title=[text("First")])
    served = await kitchen.serve(provider, DESK)
    for _ in range(2):
        await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
        await titled(served, "First")
    rename = await served.ask("PATCH", "/api/chats/c1", b'{"title": "Mine"}', {"x-session-id": "c1"})
    assert rename.status == 200
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    assert (await read(served))["title"] == "Mine"


async def test_a_person_who_is_faster_than_the_model_keeps_the_title(kitchen: Kitchen) -> None:
    renamed = asyncio.Event()
    provider = played(text("ok"), title=[held(text("Late"), renamed)])
    served = await kitchen.serve(provider, DESK)
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    await served.ask("PATCH", "/api/chats/c1", b'{"title": "Mine"}', {"x-session-id": "c1"})
    renamed.set()
    assert purposes(await served.rows(2)) == [("answer", "done"), ("title", "done")]
    await served.services.asides.end_all()
    assert (await read(served))["title"] == "Mine"


async def test_a_title_delays_nothing_and_is_kept_when_it_comes(kitchen: Kitchen) -> None:
    ready = asyncio.Event()
    provider = played(text("one"), text("two"), title=[held(text("Late"), ready)])
    served = await kitchen.serve(provider, DESK)
    for words in ("one", "two"):
        reply = await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
        assert (reply.text, parts_of(reply, "chat-title")) == (words, [])
    assert len(provider.asked_beside) == 1, "one is under way"
    ready.set()
    await titled(served, "Late")


async def test_a_title_that_failed_is_asked_for_again(kitchen: Kitchen, caplog: pytest.LogCaptureFixture) -> None:
    provider = played(*[text("ok")] * 3, title=[[AuthenticationFailed("no")], text("***"), text("Third")])
    served = await kitchen.serve(provider, DESK)
    for rows in (2, 4):
        assert (await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")).text == "ok"
        await served.rows(rows)
        assert (await read(served))["title"] is None
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    await titled(served, "Third")
    assert "no title: no" in caplog.text
    assert purposes(await served.rows(6))[3:] == [("title", "done"), ("title", "done"), ("title", "refused")]


async def test_a_title_that_cannot_be_kept_is_not_told(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> bool:
        raise ChatStoreError("the disk is full")

    monkeypatch.setattr(SqliteChatStore, "entitle", fail)
    served = await kitchen.serve(played(text("ok"), title=[text("T")], suggestions=[PROMPTS]), DESK)
    reply = await served.post({"id": "c1", "message": "Hi"})
    assert (reply.text, parts_of(reply, "chat-title")) == ("ok", [])
    assert "no title: the disk is full" in caplog.text


async def test_the_end_waits_for_suggestions_but_not_for_long(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "WAIT_SECONDS", 0.01)
    ready = asyncio.Event()
    served = await kitchen.serve(played(text("ok"), title=[text("T")], suggestions=[held(PROMPTS, ready)]), DESK)
    reply = await served.post({"id": "c1", "message": "Hi"})
    assert_acceptable(reply.chunks)
    assert parts_of(reply, "suggestions") == []
    ready.set()
    assert ("suggestions", "done") in purposes(await served.rows(3)), "what it cost is known all the same"


@pytest.mark.parametrize("answer", [text("I cannot."), [AuthenticationFailed("no")], [ZeroDivisionError("a bug")]])
async def test_bad_suggestions_are_none(kitchen: Kitchen, answer: Answer) -> None:
    served = await kitchen.serve(played(text("ok"), title=[text("T")], suggestions=[answer]), DESK)
    reply = await served.post({"id": "c1", "message": "Hi"})
    assert_acceptable(reply.chunks)
    assert (reply.text, parts_of(reply, "suggestions")) == ("ok", [])
    assert len(await served.rows(3)) == 3


@pytest.mark.parametrize("answer", [[AuthenticationFailed("no")], calls(("t1", "locate", {})), text("")])
async def test_none_are_asked_where_nothing_was_answered(kitchen: Kitchen, answer: Answer) -> None:
    served = await kitchen.serve(played(answer, title=[text("T")]), DESK)
    await served.post({"id": "c1", "message": "Hi"})
    assert [row["purpose"] for row in await served.rows(2) if row["purpose"] != "answer"] == ["title"]


async def test_a_stopped_run_asks_for_none_but_its_title_may_come(kitchen: Kitchen) -> None:
    ready, never = asyncio.Event(), asyncio.Event()
    provider = played([[TextPiece("So far")], never.wait], title=[held(text("Late"), ready)])
    served = await kitchen.serve(provider, DESK)
    async with served.connect() as connection:
        await connection.write(request())
        await connection.read_until(b"So far")
        stopped = await served.ask("POST", "/api/chat/c1/stop", headers={"x-session-id": "c1"})
        assert stopped.json == {"stopped": True}
    ready.set()
    await titled(served, "Late")
    assert purposes(await served.rows(2)) == [("answer", "aborted"), ("title", "done")]


async def test_a_stop_ends_the_wait_for_suggestions(kitchen: Kitchen) -> None:
    never, waiting = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        waiting.set()
        await never.wait()

    provider = played(text("ok"), title=[text("T")], suggestions=[[wait]])
    served = await kitchen.serve(provider, DESK)
    posting = asyncio.create_task(served.post({"id": "c1", "message": "Hi"}))
    async with asyncio.timeout(5):
        await waiting.wait()
    stopped = await served.ask("POST", "/api/chat/c1/stop", headers={"x-session-id": "c1"})
    assert stopped.json == {"stopped": True}
    assert_acceptable((await posting).chunks)
    rows = await served.rows(3)
    assert [(row["status"], row["error_type"]) for row in rows if row["purpose"] == "suggestions"] == [
        ("aborted", "run_stopped")
    ]
    assert "status" not in (await read(served))["messages"][1]["metadata"], "the answer was whole"


async def test_what_is_asked_when_the_server_goes_down_is_aborted_with_its_row(kitchen: Kitchen) -> None:
    never = asyncio.Event()
    served = await kitchen.serve(played(text("ok"), title=[[never.wait]]), DESK)
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    await served.services.asides.end_all()
    [row] = [row for row in await served.rows(2) if row["purpose"] == "title"]
    assert (row["status"], row["error_type"], row["generation_id"]) == ("aborted", "run_shutdown", None)


async def test_the_server_ends_them_by_itself(kitchen: Kitchen) -> None:
    never = asyncio.Event()
    app = kitchen.app(played(text("ok"), title=[[never.wait]]), DESK)
    served = await kitchen.run(app)
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    await app.cleanup()
    assert purposes(served._read_rows()) == [("answer", "done"), ("title", "aborted")]


async def test_the_gate_is_asked_for_each(kitchen: Kitchen) -> None:
    asked: list[str] = []

    async def answers_only(proposal: Proposal) -> Verdict:
        asked.append(proposal.model.name)
        return Go() if len(asked) == 1 else Stop("No money left", 402, "budget")

    served = await kitchen.serve(OpenProvider([[lambda: asyncio.sleep(0.01), *text("ok")]]), DESK)
    served.services.open_account = lambda run, seconds: Unlimited(answers_only)
    reply = await served.post({"id": "c1", "message": "Hi"})
    assert_acceptable(reply.chunks)
    assert reply.text == "ok"
    assert sorted(asked) == ["main", "main", "small"]
    assert purposes(await served.rows(1)) == [("answer", "done")]


async def test_a_json_answer_tells_them_too(kitchen: Kitchen, entitled: asyncio.Event) -> None:
    provider = played(held(text("ok"), entitled), title=[text("T")], suggestions=[PROMPTS])
    served = await kitchen.serve(provider, DESK)
    reply = await served.post({"id": "c1", "message": "Hi"}, Accept="application/json")
    assert (reply.json["text"], reply.json["suggestions"]) == ("ok", ["And tomorrow?", "Why?"])
    assert reply.json["title"] == "T"
    assert {row["method"] for row in await served.rows(3)} == {"generate"}


async def test_pages_of_the_data_stream_are_told_too(kitchen: Kitchen, entitled: asyncio.Event) -> None:
    provider = played(held(text("ok"), entitled), title=[text("T")], suggestions=[PROMPTS])
    served = await kitchen.serve(provider, DESK)
    reply = await served.post({"id": "c1", "messages": [{"role": "user", "content": "Hi"}]}, path="/api/four")
    lines = reply.body.decode().splitlines()
    assert '8:[{"type":"data-chat-title","data":{"chatId":"c1","title":"T"}}]' in lines
    prompts = '["And tomorrow?","Why?","Too many"]'
    assert f'2:[{{"type":"data-suggestions","data":{{"prompts":{prompts}}},"agentName":"Ann"}}]' in lines
    assert lines[-1].startswith("d:")


async def test_a_chat_that_the_client_keeps_has_suggestions(kitchen: Kitchen) -> None:
    served = await kitchen.serve(played(text("ok"), suggestions=[PROMPTS]), DESK)
    reply = await served.post({"message": "Hi"}, path="/api/own")
    assert parts_of(reply, "suggestions")[0]["data"] == {"prompts": ["And tomorrow?", "Why?", "Too many"]}


async def test_a_chat_that_is_deleted_meanwhile_stays_deleted(kitchen: Kitchen) -> None:
    ready = asyncio.Event()
    served = await kitchen.serve(played(text("ok"), title=[held(text("Late"), ready)]), DESK)
    await served.post({"id": "c1", "message": "Hi"}, path="/api/titles")
    assert (await served.ask("DELETE", "/api/chats/c1", headers={"x-session-id": "c1"})).status == 204
    ready.set()
    await served.rows(2)
    await served.services.asides.end_all()
    assert (await served.ask("GET", "/api/chats/c1", headers={"x-session-id": "c1"})).status == 404


def request() -> bytes:
    body = b'{"message": "Hi", "id": "c1"}'
    head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + body
