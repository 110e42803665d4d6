from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fondation.errors import ChatStoreError
from fondation.messages import AssistantMessage, TextPart, ToolCall, ToolResult, UserMessage
from fondation.stores import ChatStore, open_chats
from fondation.stores.chats import Answered, ChatKey, StoredMessage, StoredSummary
from fondation.stores.sqlite import chats_pages
from fondation.stores.sqlite.chats_thread import ChatThread

from .chat_values import KEY, answer, call, user


@pytest.fixture
def chats(path: Path) -> Iterator[ChatStore]:
    with closing(open_chats(path)) as chats:
        yield chats


async def ids(chats: ChatStore, key: ChatKey = KEY) -> list[str]:
    chat = await chats.load(key)
    return [message.id for message in chat.messages] if chat else []


async def found(chats: ChatStore, search: str, owner: str = "ada") -> list[str]:
    return [chat.id for chat in (await chats.list(owner, search=search)).chats]


async def test_a_chat_comes_back_as_it_was_kept(chats: ChatStore, path: Path) -> None:
    before = time.time()
    question = user("m1", "What is 1 + 1?", created_at=12.5)
    reply = StoredMessage(
        "a1",
        "assistant",
        (
            {"type": "step-start"},
            {"type": "tool-add", "input": {"a": [1, None, 0.5]}},
            {"type": "text", "text": "2 🎈"},
        ),
        metadata={"agent": "Sums", "usage": {"cost": 0.25}},
        model_messages=(
            AssistantMessage("", (ToolCall("t1", "add", "{"),), "acme/one", ({"type": "summary", "n": 1},)),
            ToolResult("t1", "add", "2"),
            AssistantMessage("2 🎈"),
        ),
        run_id="run_1",
        status="waiting",
        created_at=13.0,
    )
    await chats.save(KEY, [question, reply], agent="Sums", title="Arithmetic")
    with closing(open_chats(path)) as another:
        chat = await another.load(KEY)
    assert chat is not None
    assert (chat.key, chat.title, chat.agent) == (KEY, "Arithmetic", "Sums")
    assert before <= chat.created_at <= chat.updated_at <= time.time()
    assert chat.messages == (question, reply)


async def test_no_model_messages_are_told_from_none(chats: ChatStore) -> None:
    await chats.save(KEY, [answer("a1", model_messages=()), answer("a2", model_messages=None)])
    chat = await chats.load(KEY)
    assert chat is not None
    assert [message.model_messages for message in chat.messages] == [(), None]


async def test_a_message_whose_id_is_known_is_replaced_where_it_stands(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1"), answer("a1", status="streaming"), user("m2")])
    await chats.save(KEY, [user("m3"), answer("a1", "other", run_id="run_2")])
    assert await ids(chats) == ["m1", "a1", "m2", "m3"]
    chat = await chats.load(KEY)
    assert chat is not None
    assert chat.messages[1] == answer("a1", "other", run_id="run_2")


async def test_an_edit_drops_what_follows_and_what_waits_there(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1"), answer("a1"), user("m2"), answer("a2")])
    await chats.wait(KEY, [call("w1", "a1"), call("w2", "a2")])
    await chats.save(KEY, [user("m2", "edited")], drop_from="m2")
    assert await ids(chats) == ["m1", "a1", "m2"]
    assert [waiting.id for waiting in await chats.waiting(KEY)] == ["w1"]
    await chats.save(KEY, drop_from="unknown")
    assert await ids(chats) == ["m1", "a1", "m2"]


async def test_what_is_not_given_stays(chats: ChatStore) -> None:
    await chats.save(KEY, agent="Triage", title="One")
    await chats.save(KEY, agent="Billing")
    await chats.save(KEY, title="Two")
    chat = await chats.load(KEY)
    assert chat is not None
    assert (chat.title, chat.agent, chat.messages) == ("Two", "Billing", ())


async def test_the_same_id_is_another_chat_for_another_owner(chats: ChatStore) -> None:
    other = ChatKey("bob", KEY.id)
    await chats.save(KEY, [user("m1", "a secret invoice"), answer("a1")], title="Secret")
    await chats.wait(KEY, [call("w1")])
    await chats.remember("ada", None, "likes tea")
    await chats.remember("ada", KEY.id, "about tea")
    assert await chats.load(other) is None
    assert await chats.waiting(other) == ()
    assert not await chats.begin(other, "r1", answers={"w1": "approved"})
    assert not await chats.rename(other, "Mine")
    assert not await chats.delete(other)
    assert await chats.memory("bob", None) is None
    assert await chats.memory("bob", KEY.id) is None
    assert (await chats.list("bob")).chats == ()
    assert await found(chats, "secret", "bob") == []
    await chats.save(other, [user("m1", "bob's")], drop_from="m1")
    assert await ids(chats) == ["m1", "a1"]
    await chats.delete(other)
    assert await ids(chats) == ["m1", "a1"]


async def test_a_deleted_chat_leaves_nothing(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1", "invoice"), answer("a1")], title="Invoice")
    await chats.wait(KEY, [call("w1")])
    await chats.remember("ada", KEY.id, "of the chat")
    await chats.remember("ada", None, "of the user")
    assert await chats.delete(KEY)
    assert not await chats.delete(KEY)
    assert await chats.load(KEY) is None
    assert await found(chats, "invoice") == []
    assert await chats.memory("ada", KEY.id) is None
    assert await chats.memory("ada", None) == "of the user"
    await chats.save(KEY)
    assert await chats.waiting(KEY) == ()


async def test_a_first_title_goes_over_none(chats: ChatStore) -> None:
    assert not await chats.entitle(KEY, "Nobody's")
    await chats.save(KEY, [user("m1")])
    before = await chats.load(KEY)
    assert not await chats.entitle(ChatKey("bob", KEY.id), "Bob's")
    assert await chats.entitle(KEY, "Größe")
    assert not await chats.entitle(KEY, "Second")
    after = await chats.load(KEY)
    assert before is not None
    assert after is not None
    assert (after.title, after.updated_at) == ("Größe", before.updated_at)
    assert await found(chats, "GROSSE") == ["c1"]


async def test_a_summary_is_kept_and_goes_with_what_it_stands_for(chats: ChatStore) -> None:
    async def summary(key: ChatKey = KEY) -> StoredSummary | None:
        chat = await chats.load(key)
        return chat.summary if chat else None

    kept = StoredSummary("In short \ud83d", "a1")
    messages = [user("m1"), answer("a1"), user("m2"), answer("a2")]
    await chats.save(KEY, messages, summary=StoredSummary("Old", "m1"))
    await chats.save(KEY, summary=kept)
    await chats.save(ChatKey("bob", KEY.id), [user("m1"), answer("a1")], drop_from="m1")
    assert await summary(ChatKey("bob", KEY.id)) is None
    await chats.save(KEY, [user("m3")], drop_from="m2")
    assert await summary() == StoredSummary("In short \ufffd", "a1")
    await chats.save(KEY, [answer("a1")], drop_from="a1")
    assert await summary() is None
    await chats.save(KEY, summary=kept)
    await chats.delete(KEY)
    await chats.save(KEY, messages)
    assert await summary() is None


async def test_a_rename_shows_and_moves_nothing(chats: ChatStore) -> None:
    await chats.save(KEY, title="Old")
    await chats.save(ChatKey("ada", "c2"))
    assert await chats.rename(KEY, "Neu: Größe")
    page = await chats.list("ada")
    assert [(chat.id, chat.title) for chat in page.chats] == [("c2", None), ("c1", "Neu: Größe")]
    assert await found(chats, "GROSSE") == ["c1"]
    assert await found(chats, "old") == []
    assert not await chats.rename(ChatKey("ada", "c9"), "x")


async def test_a_list_tells_the_chats_newest_first(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1", "Is my\n\ninvoice paid?"), answer("a1"), user("m2", "And now?")], agent="Billing")
    await chats.save(ChatKey("ada", "c2"), [answer("a1", "Welcome")], title="Two")
    first, second = (await chats.list("ada")).chats
    assert (first.id, first.title, first.agent, first.messages, first.excerpt) == ("c2", "Two", None, 1, "")
    assert (second.id, second.agent, second.messages) == ("c1", "Billing", 3)
    assert second.excerpt == "Is my invoice paid?"
    await chats.save(KEY, [user("m1", "Is my order here?")], drop_from="m1")
    first, second = (await chats.list("ada")).chats
    assert (first.id, first.messages, first.excerpt) == ("c1", 1, "Is my order here?")


async def test_a_clock_that_is_set_back_moves_no_chat_back(chats: ChatStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for now in (1000.0, 900.0):
        monkeypatch.setattr("fondation.stores.sqlite.chats.time.time", lambda now=now: now)
        await chats.save(KEY, [user("m1")])
    chat = await chats.load(KEY)
    assert chat is not None
    assert (chat.created_at, chat.updated_at) == (1000.0, 1000.0)


async def test_pages_follow_each_other_while_chats_change(chats: ChatStore) -> None:
    for number in range(7):
        await chats.save(ChatKey("ada", f"c{number}"))
    first = await chats.list("ada", limit=3)
    assert [chat.id for chat in first.chats] == ["c6", "c5", "c4"]
    await chats.save(ChatKey("ada", "c5"))  # one that was shown already
    await chats.save(ChatKey("ada", "c9"))
    await chats.delete(ChatKey("ada", "c4"))  # the one at which the page ended
    second = await chats.list("ada", limit=3, cursor=first.next)
    assert [chat.id for chat in second.chats] == ["c3", "c2", "c1"]
    third = await chats.list("ada", limit=3, cursor=second.next)
    assert [chat.id for chat in third.chats] == ["c0"]
    assert third.next is None


async def test_chats_of_the_same_moment_are_all_paged(chats: ChatStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats.time.time", lambda: 1000.5)
    for id in "badce":
        await chats.save(ChatKey("ada", id), [user("m1", "same")])
    for search in (None, "same"):
        cursor, seen = None, ""
        for _ in range(3):
            page = await chats.list("ada", search=search, limit=2, cursor=cursor)
            seen, cursor = seen + "".join(chat.id for chat in page.chats), page.next
        assert (seen, cursor) == ("edcba", None)


async def test_a_page_that_ends_with_the_last_chat_is_the_last(chats: ChatStore) -> None:
    for id in "ab":
        await chats.save(ChatKey("ada", id))
    assert (await chats.list("ada", limit=2)).next is None


@pytest.mark.parametrize("cursor", ["", "x", "nonsense!", "WzEsMl0", "é", "bnVsbA"])
async def test_a_cursor_that_is_none_is_refused(chats: ChatStore, cursor: str) -> None:
    with pytest.raises(ValueError, match="take `next` of the page before"):
        await chats.list("ada", cursor=cursor)


async def test_a_page_has_a_size(chats: ChatStore) -> None:
    with pytest.raises(ValueError, match="at least one chat, not 0"):
        await chats.list("ada", limit=0)


async def test_a_search_looks_in_titles_and_texts(chats: ChatStore) -> None:
    await chats.save(ChatKey("ada", "title"), [user("m1", "Hello")], title="Über Rechnungen")
    await chats.save(ChatKey("ada", "question"), [user("m1", "Wo ist\nRECHNUNG 42?"), answer("a1", "Rechnung?")])
    await chats.save(ChatKey("ada", "reply"), [user("m1", "Und?"), answer("a1", "Ihre Rechnung kommt.")])
    tool = {"type": "tool-find", "output": "Rechnung"}
    await chats.save(ChatKey("ada", "neither"), [StoredMessage("a1", "assistant", (tool,))])
    assert await found(chats, "rechnung") == ["reply", "question", "title"]
    assert await found(chats, "42 rechnung") == ["question"]
    assert await found(chats, "rechnung hier 42") == []
    assert await found(chats, "100%") == []
    assert await found(chats, " ") == ["neither", "reply", "question", "title"]
    page = await chats.list("ada", search="rechnung")
    assert [chat.excerpt for chat in page.chats] == ["Ihre Rechnung kommt.", "Wo ist RECHNUNG 42?", "Hello"]


async def test_a_search_is_paged(chats: ChatStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_pages.PORTION", 4)
    for number in range(30):
        await chats.save(ChatKey("ada", f"c{number:02}"), [user("m1", "even" if number % 2 == 0 else "odd")])
    expected = [f"c{number:02}" for number in reversed(range(0, 30, 2))]
    for limit in (1, 2, 4, 5, 15, 16):
        cursor, seen = None, list[str]()
        while True:
            page = await chats.list("ada", search="EVEN", limit=limit, cursor=cursor)
            assert 0 < len(page.chats) <= limit
            seen += [chat.id for chat in page.chats]
            cursor = page.next
            if cursor is None:
                break
        assert seen == expected
    assert await found(chats, "neither") == []


async def test_what_waits_is_told_in_the_order_of_the_model(chats: ChatStore) -> None:
    await chats.save(KEY, [answer("a1")])
    calls = (call("z", by=("boss", "chef"), expires_at=99.5), call("b"), call("a"))
    await chats.wait(KEY, calls)
    assert await chats.waiting(KEY) == calls


async def test_a_call_is_answered_once(chats: ChatStore) -> None:
    await chats.save(KEY, [answer("a1")])
    await chats.wait(KEY, [call("w1"), call("w2")])
    assert await chats.begin(KEY, "r1", answers={"w1": "approved"})
    assert not await chats.begin(KEY, "r2", answers={"w1": "denied"})
    assert not await chats.begin(KEY, "r3", answers={"w2": "approved", "w9": "approved"}), "then none is answered"
    assert [waiting.id for waiting in await chats.waiting(KEY)] == ["w2"]


@pytest.mark.parametrize("state", ["approved", "denied", "answered", "expired", "passed"])
async def test_every_answer_ends_the_wait(chats: ChatStore, state: Answered) -> None:
    await chats.save(KEY)
    await chats.wait(KEY, [call("w1")])
    assert await chats.begin(KEY, "r1", answers={"w1": state})
    assert await chats.waiting(KEY) == ()


async def test_where_an_answer_does_not_count_nothing_is_saved(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1")])
    await chats.wait(KEY, [call("w1")])
    assert not await chats.begin(KEY, "r1", [answer("a1")], drop_from="m1", answers={"w9": "approved"})
    chat = await chats.load(KEY)
    assert chat is not None
    assert ([message.id for message in chat.messages], chat.run) == (["m1"], None)


async def test_a_call_that_is_asked_again_waits_again_behind_the_others(chats: ChatStore) -> None:
    await chats.save(KEY)
    await chats.wait(KEY, [call("w1"), call("w2")])
    await chats.begin(KEY, "r1", answers={"w1": "denied"})
    await chats.wait(KEY, [call("w1", "a2")])
    assert await chats.waiting(KEY) == (call("w2"), call("w1", "a2"))


async def test_nothing_waits_where_there_is_no_chat(chats: ChatStore) -> None:
    with pytest.raises(ChatStoreError, match="no chat 'c1' in which refund could wait; save it first"):
        await chats.wait(KEY, [call("w1")])


async def test_memory_is_replaced_and_belongs_to_one(chats: ChatStore) -> None:
    assert await chats.memory("ada", None) is None
    for text in ("likes tea", "", "likes coffee"):
        await chats.remember("ada", None, text)
        assert await chats.memory("ada", None) == text
    await chats.remember("ada", "c1", "of a chat that is not kept")
    await chats.remember("ada", "", "of the chat without a name")
    assert await chats.memory("ada", None) == "likes coffee"
    assert await chats.memory("ada", "c1") == "of a chat that is not kept"
    assert await chats.memory("ada", "") == "of the chat without a name"


async def test_half_a_character_is_kept_as_a_replacement(chats: ChatStore) -> None:
    await chats.save(KEY, [user("m1", "a\ud83d")], title="t\ud83d")
    await chats.remember("ada", None, "r\ud83d")
    chat = await chats.load(KEY)
    assert chat is not None
    assert (chat.title, chat.messages[0].parts[0]["text"]) == ("t\ufffd", "a\ufffd")
    assert (await chats.list("ada", search="\ud83d")).chats[0].excerpt == "a\ufffd"
    assert await chats.memory("ada", None) == "r\ufffd"


async def test_model_messages_of_a_later_version_are_left_aside(
    chats: ChatStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fondation.stores.sqlite.chats_json.VERSION", 2)
    await chats.save(KEY, [user("m1", model_messages=(UserMessage((TextPart("x"),)),))])
    chat = await chats.load(KEY)
    assert chat is not None
    assert chat.messages == (user("m1"),)
    assert "Message m1 of chat c1 is read from its parts alone" in caplog.text


async def test_many_at_once_are_all_kept(chats: ChatStore) -> None:
    keys = [ChatKey("ada", f"c{number}") for number in range(300)]
    await asyncio.gather(*(chats.save(key, [user("m1"), answer("a1")]) for key in keys))
    assert all([await ids(chats, key) == ["m1", "a1"] for key in keys[::50]])
    assert len((await chats.list("ada", limit=1000)).chats) == 300


async def test_a_search_through_long_texts_lets_others_go_between(
    chats: ChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats_pages, "PORTION_CHARACTERS", 1_000)
    for number in range(4):
        await chats.save(ChatKey("ada", f"c{number}"), [user("m1", "é" * 1_000 + " needle")], title="needle")
    asked = list[bool]()
    do = ChatThread.do

    async def counted(self: ChatThread, *job: Any, **fields: Any) -> Any:
        asked.append(True)
        return await do(self, *job, **fields)

    monkeypatch.setattr(ChatThread, "do", counted)
    page = await chats.list("ada", search="needle", limit=3)
    assert [chat.id for chat in page.chats] == ["c3", "c2", "c1"]
    assert all("needle" in chat.excerpt for chat in page.chats)
    assert page.next is not None
    assert len(asked) == 4
    rest = await chats.list("ada", search="needle", cursor=page.next)
    assert [chat.id for chat in rest.chats] == ["c0"]
