"""The house that all rules act on, what comes of the runs in it, and what must hold after every step."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from fondation.config.project import visiting
from fondation.messages import SystemMessage
from tests.server.machine.checks import check_answer, check_sound, complaints
from tests.server.machine.desk import GRACE, ROUTES, TEXT, TOOLS
from tests.server.machine.model import Chat, Running, Told, text_of
from tests.server.machine.situations import CHATS, USERS, Key
from tests.support.stepped import Clock, House, SteppedProvider, UpstreamCall, open_files

T = TypeVar("T")

HTTP_STATUS = {"complete": 200, "waiting": 200, "failed": 502, "stopped": 409}
"""Of a whole answer, by the status of its message."""


class Machine(RuleBasedStateMachine):
    chats: dict[Key, Chat] = {}

    @initialize(paths=st.lists(st.sampled_from([*ROUTES]), min_size=2, max_size=2))
    def open_the_house(self, paths: list[str]) -> None:
        self.exits = contextlib.ExitStack()
        folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        (folder / "machine_tools.py").write_text(TOOLS)
        self.exits.enter_context(visiting(folder))
        self.exits.callback(sys.modules.pop, "machine_tools", None)
        self.exits.enter_context(mock.patch("fondation.server.floor.LEAVE_SECONDS", 0.02))
        self.clock = Clock()
        self.exits.enter_context(self.clock.running())
        self.complaints = self.exits.enter_context(complaints())
        self.runner = self.exits.enter_context(asyncio.Runner())
        self.folder = folder
        self.routes = dict(zip(CHATS, paths, strict=True))
        self.upstream = SteppedProvider()
        self.house = House(folder, TEXT, self.upstream)
        self.chats: dict[Key, Chat] = {(user, id): Chat() for user in USERS for id in CHATS}
        self.lost: dict[str, str] = {}
        self.numbers = itertools.count(1)
        self.exits.push(self._give_up)
        self.do(self.enter_house())

    async def enter_house(self) -> None:
        self.files = open_files()
        await self.house.open()

    def _give_up(self, *about: object) -> None:
        """Tidy up where a check failed in the middle."""
        if self.house.is_open:
            self.do(self.house.close())

    def keys(self, fits: Callable[[Chat], bool]) -> list[Key]:
        return [key for key, chat in self.chats.items() if fits(chat)]

    def pick(self, which: int, fits: Callable[[Chat], bool]) -> Key:
        fitting = self.keys(fits)
        return fitting[which % len(fitting)]

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def word(self) -> str:
        return f"w{next(self.numbers)}"

    def path(self, key: Key) -> str:
        return self.routes[key[1]]

    def is_graceful(self, key: Key) -> bool:
        return ROUTES[self.path(key)][0] == "grace"

    def knows_approvals(self, key: Key) -> bool:
        return ROUTES[self.path(key)][1] >= 6

    # What comes of a run.

    def end_run(self, key: Key, status: str, http_status: int | None = None) -> None:
        """The run is over; what it left is compared once all who read it have it."""
        chat = self.chats[key]
        run = chat.live
        assert run is not None
        run.ended_at, run.upstream, run.pondering = self.clock(), None, []
        run.http_status = http_status or HTTP_STATUS[status]
        self.put(chat, Told(run.message_id, "assistant", None, status=status, words=run.words_of()))

    def put(self, chat: Chat, message: Told) -> None:
        place = chat.place_of(message.id)
        if place is None:
            chat.messages.append(message)
        else:
            chat.messages[place] = message

    def compare(self, key: Key) -> None:
        """What those who read the run have is what must be kept."""
        chat = self.chats[key]
        run = chat.run
        place = None if run is None else chat.place_of(run.message_id)
        if run is None or run.ended_at is None or place is None:
            return
        known = chat.messages[place]
        if known.status == "cut":
            return
        seen = run.outcome(known.status, approvals=self.knows_approvals(key))
        if seen.retold is not None and known.parts is None:
            chat.messages[place] = seen
        if seen.parts is not None:
            assert known.parts is None or (known.parts, known.metadata) == (seen.parts, seen.metadata)
            assert text_of(seen.parts) == known.words
            chat.messages[place] = seen
        for waiter in run.waiters:
            check_answer(waiter.answer, key[1], run, chat.messages[place])

    async def calm(self) -> None:
        """Everything that is under way has come as far as it can."""
        await self.begun()
        await self.finished()

    async def begun(self) -> None:
        live = {key: chat.live for key, chat in self.chats.items() if chat.live is not None}
        await self.clock.until(lambda: self._is_calm(live), lambda: f"not calm: {live}, {self.upstream.calls}")
        for key, run in live.items():
            calls = [call for call in self.upstream.calls if call.is_open and _key_of(call) == key]
            run.upstream = None if run.pondering else calls[0]
            assert len(calls) == (not run.pondering)

    def _is_calm(self, live: dict[Key, Running]) -> bool:
        pondering = sys.modules["machine_tools"].pondering if "machine_tools" in sys.modules else {}
        at_work = sum(1 for run in live.values() if run.pondering)
        idle = [call for call in self.upstream.calls if call.is_idle]
        opened = [call for call in self.upstream.calls if call.is_open]
        return (
            len(self.house.services.runs) == len(live)
            and len(idle) == len(opened) == len(live) - at_work
            and sorted(pondering) == sorted(subject for run in live.values() for subject in run.pondering)
            and all(
                run.words[-1].encode() in reader.body for run in live.values() if run.words for reader in run.readers
            )
        )

    async def finished(self) -> None:
        for key, chat in self.chats.items():
            run = chat.run
            if run is not None and run.ended_at is not None:
                audience = run.audience
                await self.clock.until(lambda: all(each.has_all for each in audience), "an answer does not end")  # noqa: B023
                self.compare(key)

    async def let_pass(self, seconds: float) -> None:
        """Put the clock forward; what is due then comes."""
        self.clock.pass_by(seconds)
        now = self.clock()
        for key, chat in self.chats.items():
            run = chat.run
            if run is not None and run.ended_at is not None and now - run.ended_at > 60:
                chat.is_found = False
            elif self.is_graceful(key) and chat.live and not chat.live.audience and now - chat.live.left_at > GRACE:
                self.end_run(key, "stopped")
        await self.calm()
        for _ in range(2):  # whatever is due has come by then
            await self.house.ask("GET", "/healthz")

    # What holds whatever was done.

    @invariant()
    def nothing_went_wrong(self) -> None:
        if not hasattr(self, "house"):
            return
        assert not self.complaints, self.complaints
        self.check_ledger(settled=False)
        for call in self.upstream.calls[-3:]:
            check_sound(call)

    async def until_settled(self) -> None:
        """The writer has written what it was given."""
        await self.clock.until(self._is_settled, lambda: f"rows are not settled: {self.house.rows()}")

    def _is_settled(self) -> bool:
        rows = self.house.rows()
        running = [row for row in rows if row["status"] == "running"]
        return len(running) == sum(call.is_open for call in self.upstream.calls) and all(
            row["generation_id"] for row in rows
        )

    def check_ledger(self, *, settled: bool) -> None:
        """Each call that the upstream had has one row, and no row is without a call."""
        rows = self.house.rows()
        assert len(rows) == len(self.upstream.calls)
        if settled:
            told = {row["generation_id"]: row["status"] for row in rows}
            assert told == {call.id: self.lost.get(call.id, call.outcome) for call in self.upstream.calls}, told


def instructions_of(call: UpstreamCall) -> str:
    system = call.request.messages[0]
    assert isinstance(system, SystemMessage)
    return system.text


def _key_of(call: UpstreamCall) -> Key:
    assert call.request.user_id is not None
    assert call.request.session_id is not None
    return call.request.user_id, call.request.session_id
