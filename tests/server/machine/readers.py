"""What readers do: they lose their connection, come back, and stop what they read."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.server.machine.asking import Asking
from tests.server.machine.desk import ROUTES
from tests.server.machine.model import Running
from tests.server.machine.situations import KEYS, WHICH, Key, for_chats, is_read
from tests.support.stepped import Reader, Refused, Waiter


class Readers(Asking):
    @for_chats(is_read)
    @rule(which=WHICH, place=st.integers(0, 3))
    def cut(self, which: int, place: int) -> None:
        key = self.pick(which, is_read)
        run = self.chats[key].live
        assert run is not None
        self.do(self._cut(key, run, run.audience[place % len(run.audience)]))

    async def _cut(self, key: Key, run: Running, who: Reader | Waiter) -> None:
        await who.cut()
        run.leave(who)
        if not run.audience:
            run.left_at = self.clock()
            if ROUTES[self.path(key)][0] == "cancel":
                self.end_run(key, "stopped")
            else:
                await self._until_noticed(key)
        await self.calm()

    async def _until_noticed(self, key: Key) -> None:
        """A server hears of a lost connection a moment later; what comes next must not come before it."""
        live = self.house.live(*key)
        await self.clock.until(lambda: live is None or live.readers == 0, "the reader was not missed")

    @rule(key=KEYS)
    def resume(self, key: Key) -> None:
        self.do(self._resume(key))

    async def _resume(self, key: Key) -> None:
        chat = self.chats[key]
        answer = await self.house.read("GET", f"{self.path(key)}/{key[1]}/stream", x_user_id=key[0])
        just_read = chat.run is not None and self.clock() - chat.run.read_at < 10
        if not chat.is_found or just_read:
            assert isinstance(answer, Refused)
            assert (answer.status, answer.body) == (204, b"")
            return
        assert isinstance(answer, Reader), answer
        assert chat.run is not None
        assert answer.headers["x-run-id"] == chat.run.id
        chat.run.readers.append(answer)
        assert (await self.start_of(answer))["messageId"] == chat.run.message_id
        await self.calm()
        if chat.live is None:
            self.compare(key)

    @rule(key=KEYS)
    def stop(self, key: Key) -> None:
        self.do(self._stop(key))

    async def _stop(self, key: Key) -> None:
        was_live = self.chats[key].live is not None
        answer = await self.house.ask("POST", f"{self.path(key)}/{key[1]}/stop", x_user_id=key[0])
        assert (answer.status, answer.json) == (200, {"stopped": was_live})
        if was_live:
            self.end_run(key, "stopped")
        await self.calm()
