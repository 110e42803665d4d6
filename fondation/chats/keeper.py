"""The keeper wraps a run's events and keeps the message that they make in its chat.

The chat has the message, as `begun`, before the run begins; while it grows it is saved about once a second, and whole
before the run's outcome is passed on. A store that fails never breaks the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fondation.chats.history import TurnPlan
from fondation.errors import ChatStoreError
from fondation.events import Batch, Batches, RunAborted, RunFailed, RunFinished, RunWaiting, ToolWaiting
from fondation.messages import ConversationSummary, Message
from fondation.protocols.ui_message_stream.assemble import Assembler, settled
from fondation.stores.chats import ChatKey, ChatStore, MessageStatus, StoredMessage, StoredSummary, WaitingCall

log = logging.getLogger("fondation.chats")

SAVE_SECONDS = 0.9
"""Between two saves: with what a save takes, a process that is killed loses at most a second of text."""


class Made(Protocol):
    """What a run makes for the models of later turns."""

    @property
    def produced(self) -> tuple[Message, ...]: ...

    @property
    def summary(self) -> ConversationSummary | None: ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a run's message is kept, and what is there of it already."""

    store: ChatStore
    key: ChatKey
    run_id: str
    plan: TurnPlan
    created_at: float
    """Unix seconds."""
    assembler: Assembler
    told: tuple[Message, ...] = ()
    """What models read of the message that the run goes on with."""


def begun(keeping: Keeping) -> StoredMessage:
    """The message as it is when the run begins: it is saved together with the question."""
    return _message(keeping, "streaming")


async def keep(batches: Batches, keeping: Keeping, made: Made) -> Batches:
    """The same batches, each handed on once it is part of the message; what the run made is kept with its outcome."""
    keeper = _Keeper(keeping, made)
    try:
        async with contextlib.aclosing(batches):
            async for batch in batches:
                await keeper.take(batch)
                yield batch
    finally:
        await keeper.close()


class _Keeper:
    def __init__(self, keeping: Keeping, made: Made) -> None:
        self._keeping = keeping
        self._made = made
        self._message = keeping.assembler
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._outcome: RunFinished | RunWaiting | RunFailed | RunAborted | None = None
        self._is_kept = False
        """Whether its last save was asked: the store does that also for whoever is cancelled meanwhile."""

    async def take(self, batch: Batch) -> None:
        self._message.feed(batch)
        outcome = batch[-1]
        if isinstance(outcome, RunFinished | RunWaiting | RunFailed | RunAborted):
            self._outcome = outcome
            await self._end(outcome)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save_meanwhile)

    async def close(self) -> None:
        """The stream is over: what there is of the message is kept, if it is not, with the outcome that it had."""
        if self._outcome is None:
            await self._settle()
            await self._save("stopped")
        elif not self._is_kept:
            await self._end(self._outcome)

    async def _end(self, outcome: RunFinished | RunWaiting | RunFailed | RunAborted) -> None:
        await self._settle()
        if isinstance(outcome, RunWaiting):
            await self._keep_calls(outcome.waiting)
        told = (*self._keeping.told, *self._made.produced)
        self._is_kept = True
        await self._save(self._message.status, told, outcome.summary.agent, self._new_summary())

    def _new_summary(self) -> StoredSummary | None:
        plan, summary = self._keeping.plan, self._made.summary
        return None if summary is None or summary is plan.summary else plan.stored_summary(summary)

    async def _keep_calls(self, waiting: tuple[ToolWaiting, ...]) -> None:
        now = time.time()
        calls = [_waiting_call(self._keeping.plan.message_id, call, now) for call in waiting]
        with self._unharmed():
            await self._keeping.store.wait(self._keeping.key, calls)

    async def _settle(self) -> None:
        """No save comes after this that was begun before it."""
        if self._timer is not None:
            self._timer.cancel()
        if self._saving is not None and not self._saving.done():
            await asyncio.wait([self._saving])

    def _save_meanwhile(self) -> None:
        if self._saving is not None and not self._saving.done():  # the disk is slow
            self._timer = asyncio.get_running_loop().call_later(SAVE_SECONDS, self._save_meanwhile)
            return
        self._timer = None
        self._saving = asyncio.create_task(self._save("streaming"))

    async def _save(
        self,
        status: MessageStatus,
        told: tuple[Message, ...] | None = None,
        agent: str | None = None,
        summary: StoredSummary | None = None,
    ) -> None:
        message = _message(self._keeping, status, told)
        with self._unharmed():
            await self._keeping.store.save(self._keeping.key, [message], agent=agent, summary=summary)

    @contextlib.contextmanager
    def _unharmed(self) -> Iterator[None]:
        """A store that fails must not reach the stream."""
        try:
            yield
        except ChatStoreError as error:
            log.error("chat %s: an answer is not kept: %s", self._keeping.key.id, error)  # noqa: TRY400


def _message(keeping: Keeping, status: MessageStatus, told: tuple[Message, ...] | None = None) -> StoredMessage:
    parts = keeping.assembler.parts
    return StoredMessage(
        id=keeping.plan.message_id,
        role="assistant",
        parts=parts if status in ("streaming", "waiting") else settled(parts),
        metadata=keeping.assembler.metadata,
        model_messages=told,
        run_id=keeping.run_id,
        status=status,
        created_at=keeping.created_at,
    )


def _waiting_call(message_id: str, call: ToolWaiting, now: float) -> WaitingCall:
    return WaitingCall(
        id=call.id,
        message_id=message_id,
        call_id=call.call_id,
        tool=call.tool,
        arguments=call.arguments,
        agent=call.agent,
        kind=call.kind,
        by=call.by,
        expires_at=None if call.expires is None else now + call.expires,
    )
