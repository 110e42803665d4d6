"""A post to a route, streamed or answered whole, and what must come of it: a run, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from tests.server.machine.base import Machine
from tests.server.machine.model import Part, Running, Told, first_chunk
from tests.server.machine.situations import Key
from tests.support.stepped import Reader, Refused, Waiter

Expected: TypeAlias = list[Told] | Told | int
"""The messages up to the question, the message to go on with, or the status of a refusal."""


class Started(NamedTuple):
    """A run that began."""

    run_id: str
    message_id: str
    question: str | None
    """The id that the user's message was given; None where it has its client's."""


class Asking(Machine):
    async def ask(self, key: Key, body: Part, expected: Callable[[], Expected], *, as_json: bool = False) -> None:
        """Post. `expected` tells what must come of it, once the run before has ended."""
        chat = self.chats[key]
        if chat.live is not None and chat.live.audience:
            refused = await self.house.ask("POST", self.path(key), body, x_user_id=key[0])
            assert (refused.status, refused.json) == (409, {"error": "This chat is still answering"})
            return
        former = chat.live
        answer = await (self._wait(key, body) if as_json else self._read_on(key, body))
        if former is not None:
            self.end_run(key, "stopped")
        wanted = expected()
        if isinstance(wanted, int):
            assert isinstance(answer, Refused), "a run, where a refusal was due"
            assert (answer.status, set(answer.json)) == (wanted, {"error"})
        else:
            assert not isinstance(answer, Refused), answer
            await self._begin(key, wanted, answer)
        await self.calm()

    async def _read_on(self, key: Key, body: Part) -> Reader | Refused:
        return await self.house.read("POST", self.path(key), body, x_user_id=key[0])

    async def _wait(self, key: Key, body: Part) -> Waiter | Refused:
        """An answer that is to be whole comes only with the run's end: that one began the server knows."""
        former = self.house.live(*key)
        waiter = self.house.wait("POST", self.path(key), body, x_user_id=key[0])
        await self.clock.until(
            lambda: waiter.has_all or self.house.live(*key) not in (None, former), "neither a run nor a refusal came"
        )
        return waiter.answer if waiter.has_all else waiter

    async def _begin(self, key: Key, wanted: list[Told] | Told, audience: Reader | Waiter) -> None:
        chat = self.chats[key]
        started = await (self._told(audience) if isinstance(audience, Reader) else self._looked_up(key))
        page: Told | None = None
        if isinstance(wanted, Told):
            page = wanted
            assert started.message_id == wanted.id, "an answer goes on in its own message"
        else:
            assert started.message_id not in [message.id for chat in self.chats.values() for message in chat.messages]
            chat.messages = [*wanted[:-1], _named(wanted[-1], started)]
        chat.exists = True
        chat.run = run = Running(started.run_id, started.message_id, page)
        if isinstance(audience, Reader):
            run.readers.append(audience)
        else:
            run.waiters.append(audience)
        chat.is_found = True

    async def _told(self, reader: Reader) -> Started:
        """The run as its stream tells it."""
        start = await self.start_of(reader)
        metadata = start["messageMetadata"]
        return Started(metadata["runId"], start["messageId"], metadata.get("userMessageId"))

    async def start_of(self, reader: Reader) -> Part:
        await self.clock.until(lambda: reader.body, "no start came")
        return first_chunk(reader)

    async def _looked_up(self, key: Key) -> Started:
        """The run as the server knows it, and its question as the chat has it."""
        live = self.house.live(*key)
        assert live is not None
        kept = (await self.house.ask("GET", f"/api/chats/{key[1]}", x_user_id=key[0])).json["messages"]
        questions = [message["id"] for message in kept if message["role"] == "user"]
        return Started(live.telling.headers["x-run-id"], live.message_id, questions[-1])


def _named(question: Told, started: Started) -> Told:
    """The user's message; one that its client gave no id has the server's."""
    if question.id:
        assert started.question in (None, question.id)
        return question
    assert started.question is not None
    return replace(question, id=started.question)
