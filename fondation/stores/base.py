"""The contract of a usage store: it keeps one row per model call, from before the call is sent until it is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from fondation.calls import ModelCall, RunInfo
from fondation.errors import FondationError
from fondation.stores.rows import Row


class CannotOpen(FondationError):
    """No store can be kept in this place; the text says why, and `help` what to do about it."""

    def __init__(self, text: str, help: str) -> None:
        super().__init__(text)
        self.help = help


Ended: TypeAlias = Callable[[ModelCall, Row], None]
"""Told of each call that has ended, once its row says so, with the columns that were known when it began."""


class UnsettledCall(NamedTuple):
    """A call that has ended, and whose cost is still to be asked for."""

    row_id: int
    call: ModelCall
    """As its row tells it."""
    tries: int
    """How often it was asked for, the time that begins now included."""
    since: float
    """When that was done first, in unix seconds."""


class Unsettled(NamedTuple):
    calls: tuple[UnsettledCall, ...] = ()
    next_in: float | None = None
    """Seconds until more may be due; None where none waits."""


class Outcome(NamedTuple):
    """What came of asking for a call's cost."""

    unsettled: UnsettledCall
    retry_in: float | None = None
    """Seconds until it is to be asked for again; None where its call says now what it cost, or why nobody knows."""


class UsageStore(Protocol):
    """Keeps usage rows. Called on an event loop, it never blocks it; whatever fails inside stays inside."""

    def begin(self, call: ModelCall, run: RunInfo) -> asyncio.Future[None]:
        """Keep the row of a call that is about to be sent. The result is ready once the row is durable."""

    def hurry(self) -> None:
        """What was kept so far has waited long enough: it goes wherever it can be durable now."""

    def note(self, call: ModelCall) -> None:
        """Keep what the call has learned since: its generation id, the model that answers."""

    def settle(self, call: ModelCall) -> None:
        """Keep the call as it ended. Nothing more of it comes."""

    def withdraw(self, call: ModelCall) -> None:
        """Remove the row of a call that was begun and never sent."""

    async def unsettled(self, most: int) -> Unsettled:
        """Calls whose cost is to be asked for now, by this process alone: its own, and those of processes that died."""

    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
        """Keep what came of asking. Returns the rows of the calls that this settled."""

    async def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelCall]]:
        """The calls of these runs' answers, as far as their rows tell of them; none where they cannot be read now."""

    def close(self) -> None:
        """Keep all that waits, then let go of the database. Blocks, for some seconds at most."""
