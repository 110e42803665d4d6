"""The store against a dict that does the same, also while another process keeps the file locked."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fondation.stores import open_chats
from fondation.stores.chats import ChatKey, StoredMessage
from fondation.stores.sqlite import chats_file
from fondation.stores.sqlite.chats_search import fold, readable_text, words_of

from .chat_values import answer, user

OWNERS = st.sampled_from(["ada", "bob"])
KEYS = st.builds(ChatKey, OWNERS, st.sampled_from(["c1", "c2", "c3"]))
IDS = st.sampled_from(["m1", "m2", "m3", "m4", "m5"])
WORDS = st.sampled_from(["invoice", "Order", "ÉTÉ", "été order", ""])
MESSAGES = st.one_of([st.builds(kind, IDS, WORDS) for kind in (user, answer)])


@dataclass
class Chat:
    title: str | None = None
    agent: str | None = None
    messages: dict[str, StoredMessage] = field(default_factory=dict)
    saved: int = 0

    def texts(self) -> list[str]:
        return [self.title or "", *(readable_text(message.parts) for message in self.messages.values())]

    def excerpt(self) -> str:
        return next((readable_text(message.parts) for message in self.messages.values() if message.role == "user"), "")


class ChatStoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "fondation.db"
        self.chats = open_chats(self.path)
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.model: dict[ChatKey, Chat] = {}
        self.saves = 0
        self.other: sqlite3.Connection | None = None
        self.patience = mock.patch.object(chats_file, "BUSY_SECONDS", 0.02)
        self.patience.start()

    def teardown(self) -> None:
        self.unlock()
        self.patience.stop()
        self.chats.close()
        self.runner.close()
        self.folder.cleanup()

    @rule(
        key=KEYS,
        messages=st.lists(MESSAGES, max_size=4),
        drop_from=st.none() | IDS,
        agent=st.none() | WORDS,
        title=st.none() | WORDS,
    )
    def save(
        self, key: ChatKey, messages: list[StoredMessage], drop_from: str | None, agent: str | None, title: str | None
    ) -> None:
        self.run(self.chats.save(key, messages, drop_from=drop_from, agent=agent, title=title))
        chat = self.model.setdefault(key, Chat())
        self.saves += 1
        chat.saved = self.saves
        if drop_from in chat.messages:
            kept = list(chat.messages)[: list(chat.messages).index(drop_from)]
            chat.messages = {id: chat.messages[id] for id in kept}
        chat.messages |= {message.id: message for message in messages}
        chat.agent = chat.agent if agent is None else agent
        chat.title = chat.title if title is None else title

    @rule()
    def lock(self) -> None:
        if self.other is None:
            self.other = sqlite3.connect(self.path, isolation_level=None)
            self.other.execute("BEGIN IMMEDIATE")

    @rule()
    def unlock(self) -> None:
        if self.other is not None:
            self.other.close()
            self.other = None
            assert not self.run(self.chats.rename(ChatKey("eve", "c1"), "x")), "what is late is saved before"

    @rule(key=KEYS, title=WORDS)
    def rename(self, key: ChatKey, title: str) -> None:
        self.unlock()
        assert self.run(self.chats.rename(key, title)) == (key in self.model)
        if key in self.model:
            self.model[key].title = title

    @rule(key=KEYS)
    def delete(self, key: ChatKey) -> None:
        self.unlock()
        assert self.run(self.chats.delete(key)) == (self.model.pop(key, None) is not None)

    @rule()
    @precondition(lambda self: self.saves)
    def reopen(self) -> None:
        self.unlock()
        self.chats.close()
        self.chats = open_chats(self.path)

    @rule(owner=OWNERS, search=WORDS, limit=st.integers(1, 4))
    def search(self, owner: str, search: str, limit: int) -> None:
        self.unlock()
        expected = [
            key.id
            for key in self.newest(owner)
            if any(all(word in fold(text) for word in words_of(search)) for text in self.model[key].texts())
        ]
        found, cursor = list[str](), None
        while True:
            page = self.run(self.chats.list(owner, search=search, limit=limit, cursor=cursor))
            found += [chat.id for chat in page.chats]
            cursor = page.next
            if cursor is None:
                break
        assert found == expected

    @rule(key=KEYS)
    def load(self, key: ChatKey) -> None:
        chat, expected = self.run(self.chats.load(key)), self.model.get(key)
        if chat is None or expected is None:
            assert (chat, expected) == (None, None)
            return
        assert (chat.key, chat.title, chat.agent) == (key, expected.title, expected.agent)
        assert chat.messages == tuple(expected.messages.values())

    @invariant()
    @precondition(lambda self: self.other is None)
    def list(self) -> None:
        for owner in ("ada", "bob"):
            shown = self.run(self.chats.list(owner)).chats
            assert [(chat.id, chat.title, chat.agent, chat.messages, chat.excerpt) for chat in shown] == [
                (key.id, chat.title, chat.agent, len(chat.messages), chat.excerpt())
                for key in self.newest(owner)
                for chat in [self.model[key]]
            ]

    def newest(self, owner: str) -> tuple[ChatKey, ...]:
        mine = (key for key in self.model if key.owner == owner)
        return tuple(sorted(mine, key=lambda key: self.model[key].saved, reverse=True))


ChatStoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestChatStore = ChatStoreMachine.TestCase
