"""The contract of a usage store: it keeps one row per model call, from before the call is sent."""

from __future__ import annotations

import asyncio
from typing import Protocol

from fondation.calls import ModelCall, RunInfo
from fondation.errors import FondationError


class CannotOpen(FondationError):
    """No store can be kept in this place; the text says why, and `help` what to do about it."""

    def __init__(self, text: str, help: str) -> None:
        super().__init__(text)
        self.help = help


class UsageStore(Protocol):
    """Keeps usage rows. Called on an event loop, it never blocks it; whatever fails inside stays inside."""

    def begin(self, call: ModelCall, run: RunInfo) -> asyncio.Future[None]:
        """Keep the row of a call that is about to be sent. The result is ready once the row is durable."""

    def note(self, call: ModelCall) -> None:
        """Keep what the call has learned since: its generation id, the model that answers."""

    def settle(self, call: ModelCall) -> None:
        """Keep the call as it ended. Nothing more of it comes."""

    def withdraw(self, call: ModelCall) -> None:
        """Remove the row of a call that was begun and never sent."""

    def close(self) -> None:
        """Keep all that waits, then let go of the database. Blocks, for some seconds at most."""
