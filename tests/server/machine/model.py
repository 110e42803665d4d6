"""What must be in a chat, as whoever reads and writes it knows: the model that a server is held against."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.chunks import Chunk, assert_acceptable, parse
from tests.support.page import Page
from tests.support.stepped import Reader, UpstreamCall, Waiter

Part = dict[str, Any]

STOPPED = "Stopped before it was done."
UNANSWERED = "Not run: the user went on without it."


@dataclass(frozen=True, slots=True)
class Told:
    """A message as its readers have it."""

    id: str
    role: str
    parts: tuple[Part, ...] | None
    """None where nobody read it to its end."""
    metadata: dict[str, Any] = field(default_factory=dict)
    status: str = "complete"
    words: tuple[str, ...] = ()
    """The text that the model gave of it."""
    retold: tuple[Part, ...] | None = None
    """The parts as readers have it who came while it went on; None where others know better."""

    @property
    def waiting(self) -> list[Part]:
        """The parts of calls that wait to be answered."""
        return [part for part in self.parts or () if self.status == "waiting" and is_open(part)]

    @property
    def has_outcomes(self) -> bool:
        """Whether a page that sends it back seems to bring answers."""
        return any(
            part.get("state") in ("output-available", "output-error") or "approved" in part.get("approval", {})
            for part in self.parts or ()
        )

    @property
    def for_body(self) -> Part:
        return {"id": self.id, "role": self.role, "parts": [*(self.parts or ())], "metadata": self.metadata}

    def passed(self) -> Told:
        """The user went on: what waited is not run."""
        if self.status != "waiting":
            return self
        return replace(self, parts=None if self.parts is None else settled(self.parts, UNANSWERED), status="complete")


def adopted(messages: Sequence[Told]) -> list[Told]:
    """What a chat that is not there takes of the messages that a page sends along: their text."""
    taken = [replace(message, parts=_believed(message), metadata={}, status="complete") for message in messages]
    return [replace(message, words=text_of(message.parts or ()), retold=None) for message in taken if message.parts]


def _believed(message: Told) -> tuple[Part, ...]:
    done = {"state": "done"} if message.role == "assistant" else {}
    texts = [part["text"] for part in message.parts or () if part["type"] == "text"]
    return tuple({"type": "text", "text": text, **done} for text in texts if text)


def is_open(part: Part) -> bool:
    return "toolCallId" in part and not part["state"].startswith("output-")


def settled(parts: Sequence[Part], said: str = STOPPED) -> tuple[Part, ...]:
    """The parts of a message to which nothing more comes."""
    return tuple(_settled(part, said) for part in parts)


def _settled(part: Part, said: str) -> Part:
    if is_open(part):
        if part["state"] == "approval-requested":
            denied = {**part["approval"], "approved": False, "reason": said}
            return {**part, "state": "output-denied", "approval": denied}
        return {**part, "state": "output-error", "errorText": said}
    return {**part, "state": "done"} if part.get("state") == "streaming" else part


def answered(message: Told, answers: dict[str, Any], *, approvals: bool) -> Told:
    """The message once its page has put in what was answered; by the call's id: `(yes, reason)`, or an output."""
    return replace(message, parts=tuple(_answered(part, answers, approvals) for part in message.parts or ()))


def _answered(part: Part, answers: dict[str, Any], approvals: bool) -> Part:
    if part.get("toolCallId") not in answers or not is_open(part):
        return part
    answer = answers[part["toolCallId"]]
    if part["type"] != "tool-refund":
        return {**part, "state": "output-available", "output": answer}
    yes, reason = answer
    said = {"approved": yes} if reason is None else {"approved": yes, "reason": reason}
    if not approvals:
        return {**part, "state": "output-available", "output": said}
    return {**part, "state": "approval-responded", "approval": {**part["approval"], **said}}


@dataclass
class Running:
    """A run, under way or over."""

    id: str
    message_id: str
    page: Told | None
    """The message that it goes on with, as the page that posted had it."""
    readers: list[Reader] = field(default_factory=list)
    """Who reads on, or has read to the end; the first frames are one reader's as another's."""
    waiters: list[Waiter] = field(default_factory=list)
    """Who waits for the whole answer, or has it."""
    words: list[str] = field(default_factory=list)
    """The text that is to be shown."""
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Calls of the model's turn: tool and arguments, by the model's id."""
    written: dict[str, int] = field(default_factory=dict)
    """How much of the arguments was given."""
    hides: bool = False
    """Whether the model's turn has begun to hand off."""
    pondering: list[str] = field(default_factory=list)
    """The slow tools that are at work, by their subject."""
    will_wait: bool = False
    """Whether the tools of this turn leave calls that wait."""
    left_at: float = 0.0
    """When the last reader left."""
    ended_at: float | None = None
    http_status: int = 200
    """Of the whole answer, once it has ended."""
    read_at: float = -math.inf
    """When the chat was last read with all of its answer."""
    upstream: UpstreamCall | None = None

    @property
    def audience(self) -> list[Reader | Waiter]:
        """Everyone whose connection lasts, or who has had all."""
        return [*self.readers, *self.waiters]

    def leave(self, who: Reader | Waiter) -> None:
        """A connection was lost."""
        self.readers = [reader for reader in self.readers if reader is not who]
        self.waiters = [waiter for waiter in self.waiters if waiter is not who]

    def words_of(self) -> tuple[str, ...]:
        return (*(self.page.words if self.page else ()), *self.words)

    def outcome(self, status: str, *, approvals: bool) -> Told:
        """The message that the run leaves, as those who read it to its end have it."""
        told = [(reader, self._told_to(reader, approvals)) for reader in self.readers if reader.has_all]
        for _, other in told[1:]:
            assert other.metadata == told[0][1].metadata, "two readers, two messages"
            assert common(other.parts or ()) == common(told[0][1].parts or ()), "two readers, two messages"
        whole = [message for reader, message in told if self.page is None or not reader.is_late]
        message = whole[0] if whole else Told(self.message_id, "assistant", None)
        if told and not whole:
            message = replace(message, retold=told[0][1].parts)
        broke_off = status not in ("waiting", "complete")
        if broke_off and message.parts is not None:
            message = replace(message, parts=settled(message.parts))
        if broke_off and message.retold is not None:
            message = replace(message, retold=settled(message.retold))
        return replace(message, status=status, words=self.words_of())

    def _told_to(self, reader: Reader, approvals: bool) -> Told:
        chunks = parse(reader.body)
        before = self.page.parts or () if self.page is not None and not reader.is_late else ()
        assert_acceptable(
            chunks, approvals=approvals, called=[part["toolCallId"] for part in before if "toolCallId" in part]
        )
        metadata = self.page.metadata if self.page is not None and not reader.is_late else {}
        page = Page(before, metadata, approvals=approvals)
        page.read(chunks)
        assert page.id == self.message_id
        return Told(self.message_id, "assistant", tuple(page.parts), page.metadata)


@dataclass
class Chat:
    """A chat of one user, as it must be."""

    messages: list[Told] = field(default_factory=list)
    """Without the message that a run under way adds or goes on with."""
    exists: bool = False
    title: str | None = None
    run: Running | None = None
    """The newest run."""
    is_found: bool = False
    """Whether its stream can still be read."""
    replayed: Part | None = None
    """A body that answered calls."""
    remembered: list[Told] = field(default_factory=list)
    """What pages still show of the chat that was deleted."""

    @property
    def live(self) -> Running | None:
        return self.run if self.run is not None and self.run.ended_at is None else None

    def place_of(self, id: str) -> int | None:
        return next((place for place, message in enumerate(self.messages) if message.id == id), None)


def common(parts: Sequence[Part]) -> list[Part]:
    """The parts without what nobody is told who comes to them later: the ids of reasoning, and what was agreed to."""
    return [
        {
            name: value
            for name, value in part.items()
            if name != "approval" and (part["type"], name) != ("reasoning", "id")
        }
        for part in parts
    ]


def text_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """The words of a message's texts."""
    return tuple(" ".join(part["text"] for part in parts if part["type"] == "text").split())


def first_chunk(reader: Reader) -> Chunk:
    """The `start`."""
    start: Chunk = json.loads(reader.body.split(b"\n\n")[0].removeprefix(b"data: "))
    assert start["type"] == "start"
    return start
