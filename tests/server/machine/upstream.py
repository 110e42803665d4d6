"""What the models say: text, thoughts and calls, piece by piece, until a turn ends or fails; and how tools end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis.stateful import rule

from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.messages import ToolCall
from fondation.providers.base import AnswerEnd, ArgumentsPiece, ReasoningPiece, TextPiece, ToolCallPiece
from tests.server.machine.base import Machine, instructions_of
from tests.server.machine.desk import ARGUMENTS, BROKEN, NAMES, TOOLS_OF, WAITS
from tests.server.machine.model import Chat, Running
from tests.server.machine.situations import WHICH, Key, asks_model, calls_tools, for_chats, runs_tools
from tests.support.stepped import UpstreamCall

CALLS = st.tuples(
    st.sampled_from(["t1", "t2", "t3"]),
    st.sampled_from([*ARGUMENTS]),
    st.integers(0, 9).map(lambda number: number == 9),
)
"""A call's id, its name in `ARGUMENTS`, and whether its arguments are no JSON."""


class Upstream(Machine):
    def _open(self, which: int, fits: Callable[[Chat], bool]) -> tuple[Key, Running, UpstreamCall]:
        """A run whose model may go on."""
        key = self.pick(which, fits)
        run = self.chats[key].run
        assert run is not None
        assert run.upstream is not None
        return key, run, run.upstream

    @for_chats(asks_model)
    @rule(which=WHICH, count=st.integers(1, 3), at_once=st.booleans())
    def say(self, which: int, count: int, at_once: bool) -> None:
        _, run, upstream = self._open(which, asks_model)
        words = [self.word() for _ in range(count)]
        pieces = [TextPiece(f"{word} ") for word in words]
        for batch in [pieces] if at_once else [[piece] for piece in pieces]:
            upstream.give(*batch)
        if not run.hides:
            run.words += words
        self.do(self.calm())

    @for_chats(asks_model)
    @rule(which=WHICH)
    def reason(self, which: int) -> None:
        _, _, upstream = self._open(which, asks_model)
        upstream.give(ReasoningPiece(f"{self.word()} "))
        self.do(self.calm())

    @for_chats(asks_model)
    @rule(which=WHICH, call=CALLS)
    def begin_a_call(self, which: int, call: tuple[str, str, bool]) -> None:
        _, run, upstream = self._open(which, asks_model)
        self._begin_call(run, upstream, *call)
        self.do(self.calm())

    def _begin_call(self, run: Running, upstream: UpstreamCall, id: str, name: str, broken: bool) -> None:
        if id in run.begun:
            return
        run.begun[id] = (name, BROKEN if broken else json.dumps(ARGUMENTS[name](self.word())))
        run.written[id] = 0
        tool = NAMES.get(name, name)
        run.hides = run.hides or tool == "handoff_to_agent"
        upstream.give(ToolCallPiece(id, tool))

    @for_chats(calls_tools)
    @rule(which=WHICH, much=st.integers(1, 30))
    def write_arguments(self, which: int, much: int) -> None:
        _, run, upstream = self._open(which, calls_tools)
        self._write(run, upstream, list(run.begun)[-1], much)
        self.do(self.calm())

    def _write(self, run: Running, upstream: UpstreamCall, id: str, much: int | None = None) -> None:
        begin = run.written[id]
        text = run.begun[id][1][begin : None if much is None else begin + much]
        run.written[id] += len(text)
        if text:
            upstream.give(ArgumentsPiece(id, text))

    @for_chats(asks_model)
    @rule(which=WHICH)
    def end_the_turn(self, which: int) -> None:
        self._end_turn(*self._open(which, asks_model))

    @for_chats(asks_model)
    @rule(which=WHICH, calls=st.lists(CALLS, min_size=1, max_size=3))
    def call_tools(self, which: int, calls: list[tuple[str, str, bool]]) -> None:
        self._call(which, calls)

    @for_chats(asks_model)
    @rule(which=WHICH, names=st.lists(st.sampled_from(WAITS), min_size=1, max_size=2))
    def call_what_waits(self, which: int, names: list[str]) -> None:
        self._call(which, [(f"t{place}", name, False) for place, name in enumerate(names)])

    def _call(self, which: int, calls: list[tuple[str, str, bool]]) -> None:
        key, run, upstream = self._open(which, asks_model)
        for call in calls:
            self._begin_call(run, upstream, *call)
        self._end_turn(key, run, upstream)

    def _end_turn(self, key: Key, run: Running, upstream: UpstreamCall) -> None:
        for id in run.begun:
            self._write(run, upstream, id)
        calls = tuple(ToolCall(id, NAMES.get(name, name), args) for id, (name, args) in run.begun.items())
        if not calls:
            word = self.word()
            upstream.give(TextPiece(word))
            run.words.append(word)
        upstream.give(AnswerEnd("tool-calls" if calls else "stop", calls))
        can = TOOLS_OF[instructions_of(upstream)]
        sound = [(name, args) for name, args in run.begun.values() if args != BROKEN and name in can]
        run.will_wait = any(name in WAITS for name, _ in sound)
        run.pondering = [json.loads(args)["subject"] for name, args in sound if name == "ponder"]
        run.begun, run.written, run.hides, run.upstream = {}, {}, False, None
        if not calls:
            self.end_run(key, "complete")
        elif not run.pondering:
            self._leave_tools(key, run)
        self.do(self.calm())

    def _leave_tools(self, key: Key, run: Running) -> None:
        if run.will_wait:
            run.will_wait = False
            self.end_run(key, "waiting")

    @for_chats(runs_tools)
    @rule(which=WHICH)
    def finish_a_tool(self, which: int) -> None:
        key = self.pick(which, runs_tools)
        run = self.chats[key].live
        if run is not None and run.pondering:
            sys.modules["machine_tools"].pondering[run.pondering.pop()].set()
            if not run.pondering:
                self._leave_tools(key, run)
            self.do(self.calm())

    @for_chats(asks_model)
    @rule(which=WHICH, refused=st.booleans())
    def fail(self, which: int, refused: bool) -> None:
        key, _, upstream = self._open(which, asks_model)
        upstream.fail(AuthenticationFailed("401") if refused else ProviderUnavailable("reset"))
        self.end_run(key, "failed")
        self.do(self.calm())
