"""The chats of a user: read, listed, renamed, deleted; what they tell is what their readers saw."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.server.machine.base import Machine
from tests.server.machine.checks import compared
from tests.server.machine.model import Chat
from tests.server.machine.situations import KEYS, Key


class Housekeeping(Machine):
    @rule(key=KEYS)
    def read(self, key: Key) -> None:
        self.do(self.read_chat(key))

    async def read_chat(self, key: Key) -> None:
        chat = self.chats[key]
        answer = await self.house.ask("GET", f"/api/chats/{key[1]}", x_user_id=key[0])
        if not chat.exists:
            assert answer.status == 404
            return
        assert answer.status == 200
        told = answer.json
        assert (told["id"], told["title"]) == (key[1], chat.title)
        live = chat.live
        messages = [m for m in chat.messages if live is None or m.id != live.message_id]
        assert [message["id"] for message in told["messages"]] == [message.id for message in messages]
        chat.messages[: len(messages)] = [compared(*pair) for pair in zip(messages, told["messages"], strict=True)]
        if live is None:
            if chat.run is not None:
                chat.run.read_at = self.clock()
            self.compare(key)

    @rule(key=KEYS, title=st.none() | st.sampled_from(["Mine", " Été "]))
    def keep_house(self, key: Key, title: str | None) -> None:
        self.do(self._list(key[0]) if title is None else self._rename(key, title))

    async def _list(self, user: str) -> None:
        listed = (await self.house.ask("GET", "/api/chats", x_user_id=user)).json["chats"]
        mine = {id: chat for (owner, id), chat in self.chats.items() if owner == user and chat.exists}
        assert sorted(chat["id"] for chat in listed) == sorted(mine)
        for chat in listed:
            model = mine[chat["id"]]
            assert chat["title"] == model.title
            if model.live is None:
                assert chat["messages"] == len(model.messages)
            assert chat["excerpt"] == " ".join(model.messages[0].words)

    async def _rename(self, key: Key, title: str) -> None:
        chat = self.chats[key]
        answer = await self.house.ask("PATCH", f"/api/chats/{key[1]}", {"title": title}, x_user_id=key[0])
        assert answer.status == (200 if chat.exists else 404)
        if chat.exists:
            chat.title = title.strip()

    async def delete(self, key: Key) -> None:
        chat = self.chats[key]
        answer = await self.house.ask("DELETE", f"/api/chats/{key[1]}", x_user_id=key[0])
        assert answer.status == (204 if chat.exists else 404)
        if chat.live is not None:
            self.end_run(key, "stopped")
        await self.calm()
        self.chats[key] = Chat(remembered=chat.messages or chat.remembered)
