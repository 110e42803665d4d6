"""Whatever users do to their chats, in whatever order and through cuts and restarts: a chat holds what its readers saw,
and every model call has its row.

`FONDATION_MACHINE_EXAMPLES=2000` lets it run long.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fondation.config.project import visiting
from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.messages import AssistantMessage, SystemMessage, ToolCall, ToolResult, UserMessage
from fondation.providers.base import AnswerEnd, ArgumentsPiece, ReasoningPiece, TextPiece, ToolCallPiece
from tests.server.conversing import Chat, Part, Running, Told, answered, common, first_chunk, text_of
from tests.support.stepped import (
    Clock,
    House,
    Reader,
    Refused,
    SteppedProvider,
    UpstreamCall,
    open_files,
    until_nothing_is_left,
)

T = TypeVar("T")
Rule = TypeVar("Rule", bound=Callable[..., None])

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
tools:
  look: machine_tools:look
  ponder: {python: machine_tools:ponder, timeout: 1d}
  refund: {python: machine_tools:refund, approval: {when: machine_tools:is_large, expires: 1h}}
  locate: {runs_on: client, description: Where the user is., parameters: {type: object}}
agents:
  Triage:
    model: main
    description: Routes.
    instructions: You are Triage.
    tools: [look, ponder, refund, locate]
    handoffs: [Ann]
  Ann: {model: main, description: Ann., instructions: You are Ann., tools: [look, ponder, refund], handoffs: [Triage]}
limits: {max_rounds: 3, max_steps: 100, run_timeout: 30d}
routes:
"""
ROUTES = {
    f"/{departure}{major}": (departure, major) for departure in ("cancel", "continue", "grace") for major in (5, 6)
}
GRACE = 30.0
WHAT = {"cancel": "cancel", "continue": "continue", "grace": "{grace: 30s}"}
TEXT = DESK + "".join(
    f"  {path}: {{agent: Triage, client: {major}, on_disconnect: {WHAT[departure]}}}\n"
    for path, (departure, major) in ROUTES.items()
)
TOOLS = '''
import asyncio
from fondation import ToolError

pondering = {}

def look(city: str) -> dict:
    """Looks."""
    if city.endswith("0"):
        raise ToolError("There is no such city.")
    return {"city": city}

async def ponder(subject: str) -> str:
    """Takes its time."""
    pondering[subject] = asyncio.Event()
    try:
        await pondering[subject].wait()
    finally:
        del pondering[subject]
    return subject

def refund(amount: int, why: str) -> dict:
    """Pays back."""
    return {"paid": amount, "why": why}

def is_large(amount: int) -> bool:
    return amount > 100
'''
ARGUMENTS: dict[str, Any] = {
    "look": lambda word: {"city": word},
    "ponder": lambda word: {"subject": word},
    "refund": lambda word: {"amount": 500, "why": word},
    "small refund": lambda word: {"amount": 5, "why": word},
    "locate": lambda word: {"of": word},
    "handoff_to_agent": lambda word: {"targetAgent": "Ann", "reason": word},
    "handoff back": lambda word: {"targetAgent": "Triage", "reason": word},
    "nothing": lambda word: {"word": word},
}
WAITS = ("refund", "locate")
TOOLS_OF = {
    "You are Triage.": ("look", "ponder", "refund", "small refund", "locate"),
    "You are Ann.": ("look", "ponder", "refund", "small refund"),
}
"""By the agent's instructions."""
NAMES = {"small refund": "refund", "handoff back": "handoff_to_agent"}
"""The tool, where it is not named so."""
BROKEN = "{broken"

USERS = ("ann", "bob")
CHATS = ("c1", "c2")
KEYS = st.sampled_from([(user, id) for user in USERS for id in CHATS])
CALLS = st.tuples(
    st.sampled_from(["t1", "t2", "t3"]),
    st.sampled_from([*ARGUMENTS]),
    st.integers(0, 9).map(lambda number: number == 9),
)
"""A call's id, its name in `ARGUMENTS`, and whether its arguments are no JSON."""
SHAPES = st.sampled_from(["text", "message", "content", "whole"])
ANSWERS = st.sampled_from([(True, None), (True, "Fine."), (False, None), (False, "Too much.")])

WHICH = st.integers(0, 3)
"""Which of the chats that a rule is for."""

Key = tuple[str, str]


def is_live(chat: Chat) -> bool:
    return chat.live is not None


def is_read(chat: Chat) -> bool:
    return chat.live is not None and bool(chat.live.readers)


def asks_model(chat: Chat) -> bool:
    """Whether a model may say more."""
    return chat.live is not None and chat.live.upstream is not None


def calls_tools(chat: Chat) -> bool:
    return asks_model(chat) and chat.live is not None and bool(chat.live.begun)


def runs_tools(chat: Chat) -> bool:
    return chat.live is not None and bool(chat.live.pondering)


def is_kept(chat: Chat) -> bool:
    return bool(chat.messages)


def waits(chat: Chat) -> bool:
    return chat.live is None and is_kept(chat) and bool(chat.messages[-1].waiting)


def has_answer(chat: Chat) -> bool:
    """Whether its last message is an answer that a page has."""
    return (
        chat.live is None
        and is_kept(chat)
        and chat.messages[-1].role == "assistant"
        and chat.messages[-1].parts is not None
    )


def was_answered(chat: Chat) -> bool:
    return chat.live is None and chat.replayed is not None


def for_chats(fits: Callable[[Chat], bool]) -> Callable[[Rule], Rule]:
    """A rule for chats that fit."""
    return precondition(lambda self: self.keys(fits))


class Conversations(RuleBasedStateMachine):
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
        self.do(self._enter_house())

    async def _enter_house(self) -> None:
        self.files = open_files()
        await self.house.open()

    def _give_up(self, *about: object) -> None:
        """Tidy up where a check failed in the middle."""
        if self.house.is_open:
            self.do(self.house.close())

    def teardown(self) -> None:
        if not hasattr(self, "exits"):
            return
        with self.exits:
            if sys.exc_info()[0] is None and self.house.is_open:
                self.do(self._leave())

    async def _leave(self) -> None:
        for key in self.chats:
            await self._read(key)
        await self._close()
        self._check_ledger(settled=True)

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

    def _is_graceful(self, key: Key) -> bool:
        return ROUTES[self.path(key)][0] == "grace"

    def knows_approvals(self, key: Key) -> bool:
        return ROUTES[self.path(key)][1] >= 6

    # What a user says.

    @rule(key=KEYS, shape=SHAPES)
    def send(self, key: Key, shape: str) -> None:
        word, id = self.word(), f"u{next(self.numbers)}"
        said: Part = {"type": "text", "text": word}
        message: Part = {"id": id, "role": "user", "parts": [said]}
        chat = self.chats[key]
        body: Part = {"id": key[1], "trigger": "submit-message"}
        match shape:
            case "text":
                body["message"] = word
            case "message":
                body["message"] = message
            case "content":
                body["message"] = {"role": "user", "content": word}
            case _:
                body["messages"] = [*(each.for_body for each in self._shown(chat)), message]
        has_id = shape in ("message", "whole")
        new = Told(id if has_id else "", "user", (said,), words=(word,))
        self.do(self._ask(key, body, lambda: [*self._before_question(chat), new]))

    def _before_question(self, chat: Chat) -> list[Told]:
        return [message.passed() for message in chat.messages]

    def _shown(self, chat: Chat) -> list[Told]:
        """What a page shows: all that is kept, and what is being written."""
        run = chat.live
        if run is None:
            return chat.messages
        known = [message for message in chat.messages if message.id != run.message_id]
        return [*known, Told(run.message_id, "assistant", ())]

    @for_chats(is_kept)
    @rule(which=WHICH, place=st.integers(0, 5), whole=st.booleans(), named=st.booleans())
    def edit(self, which: int, place: int, whole: bool, named: bool) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        questions = [at for at, message in enumerate(chat.messages) if message.role == "user"]
        if not questions:
            return
        at = questions[place % len(questions)]
        word = self.word()
        new = Told(chat.messages[at].id, "user", ({"type": "text", "text": word},), words=(word,))
        body: Part = {"id": key[1], "trigger": "submit-message"}
        if named:
            body["messageId"] = new.id
        if whole:
            body["messages"] = [*(message.for_body for message in chat.messages[:at]), new.for_body]
        else:
            body["message"] = new.for_body
        self.do(self._ask(key, body, lambda: [*(message.passed() for message in chat.messages[:at]), new]))

    @for_chats(is_kept)
    @rule(which=WHICH, place=st.none() | st.integers(0, 5), shape=st.sampled_from(["bare", "message", "whole"]))
    def regenerate(self, which: int, place: int | None, shape: str) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        shown = self._shown(chat)
        if not shown:
            return
        at = len(shown) - 1 if place is None else place % len(shown)
        end = at + (shown[at].role == "user")
        if shape != "bare" and shown[end - 1].role != "user":  # a page without a question before the answer
            return
        body: Part = {"id": key[1], "trigger": "regenerate-message"}
        if place is not None:
            body["messageId"] = shown[at].id
        if shape == "message":
            body["message"] = shown[end - 1].for_body
        elif shape == "whole":
            body["messages"] = [message.for_body for message in shown[:end]]
        if shape == "bare" and place is None:
            end = max(at for at, message in enumerate(shown) if message.role == "user") + 1
        ids = [message.id for message in shown[:end]]
        self.do(self._ask(key, body, lambda: [m.passed() for m in chat.messages if m.id in ids]))

    @for_chats(is_kept)
    @rule(which=WHICH)
    def name_a_message_that_is_not_there(self, which: int) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        if chat.exists:
            body = {"id": key[1], "trigger": "regenerate-message", "messageId": "nobody"}
            self.do(self._ask(key, body, lambda: 409))

    @for_chats(waits)
    @rule(
        which=WHICH,
        data=st.data(),
        by_fields=st.booleans(),
        spoil=st.sampled_from([None, None, None, "altered", "missing", "foreign"]),
    )
    def answer(self, which: int, data: st.DataObject, by_fields: bool, spoil: str | None) -> None:
        """Answer what waits; or try to with something else."""
        key = self.pick(which, waits)
        chat = self.chats[key]
        last = chat.messages[-1] if chat.messages and chat.live is None else None
        if last is None or not last.waiting:
            return
        approvals = self.knows_approvals(key)
        answers: dict[str, Any] = {
            part["toolCallId"]: data.draw(ANSWERS) if part["type"] == "tool-refund" else self.word()
            for part in last.waiting
        }
        if spoil == "missing":
            answers.popitem()
        page = answered(last, answers, approvals=approvals)
        body: Part = {"id": key[1], "trigger": "submit-message", "messageId": last.id, "message": page.for_body}
        if spoil == "altered":
            parts = [
                {**part, "input": {"amount": 9}} if part.get("toolCallId") in answers else part
                for part in page.parts or ()
            ]
            body["message"] = {**page.for_body, "parts": parts}
        elif by_fields and answers:
            body = {"id": key[1], **_fields(last, answers, approvals)}
        if spoil == "foreign":
            self._forge(key, body)
            return
        if spoil is None:
            chat.replayed = body
        self.do(self._ask(key, body, lambda: page if spoil is None else 409))

    def _forge(self, key: Key, body: Part) -> None:
        other = (next(user for user in USERS if user != key[0]), key[1])
        theirs = self.chats[other]
        if theirs.live is None and not (theirs.messages and theirs.messages[-1].role == "assistant"):
            self.do(self._ask(other, body, lambda: 409))

    @for_chats(was_answered)
    @rule(which=WHICH)
    def answer_again(self, which: int) -> None:
        key = self.pick(which, was_answered)
        chat = self.chats[key]
        if chat.replayed is None or "messageId" not in chat.replayed or chat.live is not None:
            return
        last = chat.messages[-1] if chat.messages else None
        is_last = last is not None and last.id == chat.replayed["messageId"]
        goes_on = is_last and last is not None and last.status in ("stopped", "failed", "cut")
        self.do(self._ask(key, chat.replayed, lambda: last if goes_on and last is not None else 409))

    @for_chats(has_answer)
    @rule(which=WHICH)
    def go_on(self, which: int) -> None:
        """Send the last answer back as it is: it is continued, where it waits for nothing."""
        key = self.pick(which, has_answer)
        chat = self.chats[key]
        last = chat.messages[-1] if chat.messages and chat.live is None else None
        if last is None or last.role != "assistant" or last.parts is None:
            return
        refused = last.waiting or (last.has_outcomes and last.status in ("complete", "waiting"))
        body = {"id": key[1], "trigger": "submit-message", "messageId": last.id, "message": last.for_body}
        self.do(self._ask(key, body, lambda: 409 if refused else last))

    async def _ask(self, key: Key, body: Part, expected: Any) -> None:
        """Post. `expected` tells, once the run before has ended: the messages up to the question, the message to go on
        with, or the status of a refusal.
        """
        chat = self.chats[key]
        if chat.live is not None and chat.live.readers:
            refused = await self.house.ask("POST", self.path(key), body, x_user_id=key[0])
            assert (refused.status, refused.json) == (409, {"error": "This chat is still answering"})
            return
        former = chat.live
        answer = await self.house.read("POST", self.path(key), body, x_user_id=key[0])
        if former is not None:
            self._end(key, "stopped")
        wanted = expected()
        if isinstance(wanted, int):
            assert isinstance(answer, Refused), "a stream, where a refusal was due"
            assert (answer.status, set(answer.json)) == (wanted, {"error"})
            await self._calm()
            return
        assert isinstance(answer, Reader), answer
        self._begin(key, wanted, answer, await self._start(answer))
        await self._calm()

    async def _start(self, reader: Reader) -> Part:
        await self.clock.until(lambda: reader.body, "no start came")
        return first_chunk(reader)

    def _begin(self, key: Key, wanted: list[Told] | Told, reader: Reader, start: Part) -> None:
        chat = self.chats[key]
        metadata = start["messageMetadata"]
        page: Told | None = None
        if isinstance(wanted, Told):
            page = wanted
            assert start["messageId"] == wanted.id, "an answer goes on in its own message"
        else:
            if wanted[-1].id == "":
                wanted[-1] = replace(wanted[-1], id=metadata["userMessageId"])
            else:
                assert "userMessageId" not in metadata
            assert start["messageId"] not in [message.id for message in self._everything()]
            chat.messages = wanted
        chat.exists = True
        chat.run = Running(metadata["runId"], start["messageId"], page, [reader])
        chat.is_found = True

    def _everything(self) -> list[Told]:
        return [message for chat in self.chats.values() for message in chat.messages]

    # What the model says.

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
        self.do(self._calm())

    @for_chats(asks_model)
    @rule(which=WHICH)
    def reason(self, which: int) -> None:
        _, _, upstream = self._open(which, asks_model)
        upstream.give(ReasoningPiece(f"{self.word()} "))
        self.do(self._calm())

    @for_chats(asks_model)
    @rule(which=WHICH, call=CALLS)
    def begin_a_call(self, which: int, call: tuple[str, str, bool]) -> None:
        _, run, upstream = self._open(which, asks_model)
        self._begin_call(run, upstream, *call)
        self.do(self._calm())

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
        self.do(self._calm())

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
            self._end(key, "complete")
        elif not run.pondering:
            self._leave_tools(key, run)
        self.do(self._calm())

    def _leave_tools(self, key: Key, run: Running) -> None:
        if run.will_wait:
            run.will_wait = False
            self._end(key, "waiting")

    @for_chats(runs_tools)
    @rule(which=WHICH)
    def finish_a_tool(self, which: int) -> None:
        key = self.pick(which, runs_tools)
        run = self.chats[key].live
        if run is not None and run.pondering:
            sys.modules["machine_tools"].pondering[run.pondering.pop()].set()
            if not run.pondering:
                self._leave_tools(key, run)
            self.do(self._calm())

    @for_chats(asks_model)
    @rule(which=WHICH, refused=st.booleans())
    def fail(self, which: int, refused: bool) -> None:
        key, _, upstream = self._open(which, asks_model)
        upstream.fail(AuthenticationFailed("401") if refused else ProviderUnavailable("reset"))
        self._end(key, "failed")
        self.do(self._calm())

    # What readers do.

    @for_chats(is_read)
    @rule(which=WHICH, place=st.integers(0, 3))
    def cut(self, which: int, place: int) -> None:
        key = self.pick(which, is_read)
        run = self.chats[key].live
        if run is None or not run.readers:
            return
        reader = run.readers.pop(place % len(run.readers))
        self.do(self._cut(key, run, reader))

    async def _cut(self, key: Key, run: Running, reader: Reader) -> None:
        await reader.cut()
        if not run.readers:
            run.left_at = self.clock()
            if ROUTES[self.path(key)][0] == "cancel":
                self._end(key, "stopped")
            else:
                await self._until_noticed(key)
        await self._calm()

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
        if not chat.is_found:
            assert isinstance(answer, Refused)
            assert (answer.status, answer.body) == (204, b"")
            return
        assert isinstance(answer, Reader), answer
        assert chat.run is not None
        assert answer.headers["x-run-id"] == chat.run.id
        chat.run.readers.append(answer)
        assert (await self._start(answer))["messageId"] == chat.run.message_id
        await self._calm()
        if chat.live is None:
            self._compare(key)

    @rule(key=KEYS)
    def stop(self, key: Key) -> None:
        self.do(self._stop(key))

    async def _stop(self, key: Key) -> None:
        was_live = self.chats[key].live is not None
        answer = await self.house.ask("POST", f"{self.path(key)}/{key[1]}/stop", x_user_id=key[0])
        assert (answer.status, answer.json) == (200, {"stopped": was_live})
        if was_live:
            self._end(key, "stopped")
        await self._calm()

    @rule(key=KEYS)
    def read(self, key: Key) -> None:
        self.do(self._read(key))

    async def _read(self, key: Key) -> None:
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
        chat.messages[: len(messages)] = [_compared(*pair) for pair in zip(messages, told["messages"], strict=True)]
        if live is None:
            chat.is_found = False

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

    async def _delete(self, key: Key) -> None:
        chat = self.chats[key]
        answer = await self.house.ask("DELETE", f"/api/chats/{key[1]}", x_user_id=key[0])
        assert answer.status == (204 if chat.exists else 404)
        if chat.live is not None:
            self._end(key, "stopped")
        await self._calm()
        self.chats[key] = Chat()

    # What happens to the server.

    @rule(what=st.sampled_from(["restart", "kill", "delete", 25.0, 70.0]), key=KEYS)
    def shake(self, what: str | float, key: Key) -> None:
        match what:
            case "restart":
                self.do(self._restart())
            case "kill":
                self.do(self._kill())
            case "delete":
                self.do(self._delete(key))
            case float():
                self.do(self._pass(what))

    async def _pass(self, seconds: float) -> None:
        self.clock.pass_by(seconds)
        now = self.clock()
        for key, chat in self.chats.items():
            run = chat.run
            if run is not None and run.ended_at is not None and now - run.ended_at > 60:
                chat.is_found = False
            elif self._is_graceful(key) and chat.live and not chat.live.readers and now - chat.live.left_at > GRACE:
                self._end(key, "stopped")
        await self._calm()
        for _ in range(2):  # whatever is due has come by then
            await self.house.ask("GET", "/healthz")

    async def _restart(self) -> None:
        await self._close()
        self._check_ledger(settled=True)
        await self._enter_house()

    async def _close(self) -> None:
        await self._begun()
        await self.house.close()
        for key, chat in self.chats.items():
            if chat.live is not None:
                self._end(key, "stopped")
            chat.is_found = False
        await self._finished()
        for chat in self.chats.values():
            if chat.run is not None:
                chat.run.readers.clear()
        await until_nothing_is_left(self.files)

    async def _kill(self) -> None:
        await self._until_settled()
        await self.house.ask("GET", "/api/chats", x_user_id="ann")  # what was to be saved by now is
        for chat in self.chats.values():
            if (run := chat.live) is not None:
                for reader in run.readers:
                    await reader.cut()
                run.readers.clear()
                cut = Told(run.message_id, "assistant", None, status="cut", words=run.words_of())
                self._put(chat, cut)
                run.ended_at = self.clock()
            chat.is_found = False
            if chat.run is not None:
                chat.run.readers.clear()
        self.lost |= {call.id: "lost" for call in self.upstream.calls if call.is_open}
        folder = Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        await self.house.kill(folder)
        await until_nothing_is_left(self.files)
        await self._enter_house()
        await self._calm()

    # What comes of it.

    def _end(self, key: Key, status: str) -> None:
        """The run is over; what it left is compared once all who read it have it."""
        chat = self.chats[key]
        run = chat.live
        assert run is not None
        run.ended_at, run.upstream, run.pondering = self.clock(), None, []
        self._put(chat, Told(run.message_id, "assistant", None, status=status, words=run.words_of()))

    def _put(self, chat: Chat, message: Told) -> None:
        place = chat.place_of(message.id)
        if place is None:
            chat.messages.append(message)
        else:
            chat.messages[place] = message

    def _compare(self, key: Key) -> None:
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

    async def _calm(self) -> None:
        """Everything that is under way has come as far as it can."""
        await self._begun()
        await self._finished()

    async def _begun(self) -> None:
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

    async def _finished(self) -> None:
        for key, chat in self.chats.items():
            run = chat.run
            if run is not None and run.ended_at is not None:
                readers = run.readers
                await self.clock.until(lambda: all(reader.has_all for reader in readers), "a stream does not end")  # noqa: B023
                self._compare(key)

    # What holds whatever was done.

    @invariant()
    def nothing_went_wrong(self) -> None:
        if not hasattr(self, "house"):
            return
        assert not self.complaints, self.complaints
        self._check_ledger(settled=False)
        for call in self.upstream.calls[-3:]:
            _check_sound(call)

    async def _until_settled(self) -> None:
        """The writer has written what it was given."""
        await self.clock.until(self._is_settled, lambda: f"rows are not settled: {self.house.rows()}")

    def _is_settled(self) -> bool:
        rows = self.house.rows()
        running = [row for row in rows if row["status"] == "running"]
        return len(running) == sum(call.is_open for call in self.upstream.calls) and all(
            row["generation_id"] for row in rows
        )

    def _check_ledger(self, *, settled: bool) -> None:
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


def _fields(message: Told, answers: dict[str, Any], approvals: bool) -> Part:
    """The answers as a plain client writes them; approvals have ids where the page knows approvals."""
    given: Part = {"approvals": [], "toolOutputs": []}
    for part in message.waiting:
        if (answer := answers.get(part["toolCallId"])) is None:
            continue
        if part["type"] != "tool-refund":
            given["toolOutputs"].append({"toolCallId": part["toolCallId"], "output": answer})
            continue
        said = {"approved": answer[0]} if answer[1] is None else {"approved": answer[0], "reason": answer[1]}
        if approvals:
            given["approvals"].append({"id": part["approval"]["id"], **said})
        else:
            given["toolOutputs"].append({"toolCallId": part["toolCallId"], "output": said})
    return given


def _compared(message: Told, told: Part) -> Told:
    """The message, as the chat tells it."""
    metadata = dict(told.get("metadata", {}))
    assert metadata.pop("status", "complete") == ("complete" if message.status == "waiting" else message.status)
    assert told["role"] == message.role
    parts = tuple(told["parts"])
    if message.status == "cut":
        words = text_of(parts)
        assert words == message.words[: len(words)]
        message = replace(message, words=words)
    else:
        assert text_of(parts) == message.words
    if message.retold is not None:
        assert common(parts) == common(message.retold)
    if message.parts is None:
        return replace(message, parts=parts, metadata=metadata, retold=None)
    assert parts == message.parts
    assert metadata == message.metadata
    return message


def _check_sound(call: UpstreamCall) -> None:
    """Instructions first, turns alternate, and each result stands behind its call."""
    system, *messages = call.request.messages
    assert isinstance(system, SystemMessage)
    assert isinstance(messages[0], UserMessage)
    waiting: list[str] = []
    for before, message in zip((system, *messages), messages, strict=False):
        if isinstance(message, ToolResult):
            assert waiting.pop(0) == message.call_id
            continue
        assert not waiting
        assert not (isinstance(message, UserMessage) and isinstance(before, UserMessage))
        waiting = [each.id for each in message.tool_calls] if isinstance(message, AssistantMessage) else []
    assert not waiting


@contextlib.contextmanager
def complaints() -> Any:
    """What the server and its loop log as errors."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    listener = Listener(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("fondation", "aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield told
    finally:
        for logger in loggers:
            logger.removeHandler(listener)


EXAMPLES = int(os.environ.get("FONDATION_MACHINE_EXAMPLES", "25"))

Conversations.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20 if EXAMPLES <= 25 else 40,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
TestConversations = Conversations.TestCase
