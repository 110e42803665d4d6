"""What happens to the server: time passes, it is started anew, it is killed, and at last it is closed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.server.machine.desk import EXPIRY
from tests.server.machine.housekeeping import Housekeeping
from tests.server.machine.model import Told
from tests.server.machine.situations import KEYS, Key
from tests.support.stepped import until_nothing_is_left


class ServerLife(Housekeeping):
    @rule(what=st.sampled_from(["restart", "kill", "delete", 25.0, 70.0, EXPIRY]), key=KEYS)
    def shake(self, what: str | float, key: Key) -> None:
        match what:
            case "restart":
                self.do(self._restart())
            case "kill":
                self.do(self._kill())
            case "delete":
                self.do(self.delete(key))
            case float():
                self.do(self.let_pass(what))

    async def _restart(self) -> None:
        await self._close()
        self.check_ledger(settled=True)
        await self.enter_house()

    async def _close(self) -> None:
        await self.begun()
        await self.house.close()
        for key, chat in self.chats.items():
            if chat.live is not None:
                self.end_run(key, "stopped", 503)
            chat.is_found = False
        await self.finished()
        for chat in self.chats.values():
            if chat.run is not None:
                chat.run.readers.clear()
        await until_nothing_is_left(self.files)

    async def _kill(self) -> None:
        await self.until_settled()
        await self.house.ask("GET", "/api/chats", x_user_id="ann")  # what was to be saved by now is
        for chat in self.chats.values():
            if (run := chat.live) is not None:
                for each in run.audience:
                    await each.cut()
                    run.leave(each)
                cut = Told(run.message_id, "assistant", None, status="cut", words=run.words_of())
                self.put(chat, cut)
                run.ended_at = self.clock()
            chat.is_found = False
            if chat.run is not None:
                chat.run.readers.clear()
        self.lost |= {call.id: "lost" for call in self.upstream.calls if call.is_open}
        folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        await self.house.kill(folder)
        await until_nothing_is_left(self.files)
        await self.enter_house()
        await self.calm()

    def teardown(self) -> None:
        if not hasattr(self, "exits"):
            return
        with self.exits:
            if sys.exc_info()[0] is None and self.house.is_open:
                self.do(self._leave())

    async def _leave(self) -> None:
        for key in self.chats:
            await self.read_chat(key)
        await self._close()
        self.check_ledger(settled=True)
