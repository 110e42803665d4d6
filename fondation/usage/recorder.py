"""The recorder wraps a run's events and keeps a row of every model call in it.

Durable before it costs: a call is sent when the next batch is asked for, and that is not before its row is kept.
The recorder never breaks the stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Generator

from fondation.calls import CallStatus, ModelCall, RunInfo
from fondation.errors import ProviderError
from fondation.events import Batches, CallAccepted, CallEnded, CallStarted, Event
from fondation.stores.base import UsageStore
from fondation.usage.money import cost_text
from fondation.usage.pricing import price_as_told

log = logging.getLogger("fondation.usage")

LONGEST_WAIT = 0.25
"""Seconds that a call waits for its row."""

_CALL_EVENTS = frozenset((CallStarted, CallAccepted, CallEnded))


def record(batches: Batches, store: UsageStore | None, run: RunInfo) -> Batches:
    """The same batches, each handed on once its calls are kept. Without a store nothing is kept.

    Calls that are open when the stream ends early are settled as far as they came.
    """
    return batches if store is None else _record(batches, _Recorder(store, run))


async def _record(batches: Batches, recorder: _Recorder) -> Batches:
    status: CallStatus = "aborted"
    error_type: str | None = None
    try:
        async with contextlib.aclosing(batches):
            async for batch in batches:
                for event in batch:
                    if type(event) in _CALL_EVENTS:
                        await recorder.watch(event)
                yield batch
                recorder.unsent.clear()
    except Exception as error:
        status = "error"
        error_type = error.error_type if isinstance(error, ProviderError) else "internal"
        raise
    finally:
        recorder.end(status, error_type)


class _Recorder:
    """The calls of one run that are open."""

    def __init__(self, store: UsageStore, run: RunInfo) -> None:
        self._store = store
        self._run = run
        self._open: dict[ModelCall, None] = {}
        self.unsent: list[ModelCall] = []
        """Begun in a batch after which no other was asked for yet."""

    async def watch(self, event: Event) -> None:
        match event:
            case CallStarted(call=call):
                self._open[call] = None
                self.unsent.append(call)
                await self._begin(call)
            case CallAccepted(call=call):
                with _unharmed():
                    self._store.note(call)
            case CallEnded(call=call):
                self._open.pop(call, None)
                self._close(call)

    def end(self, status: CallStatus, error_type: str | None) -> None:
        """Settle what is open: the stream is over."""
        for call in self._open:
            if call in self.unsent:
                self._withdraw(call)
                continue
            if call.status == "running":
                call.status = status
                call.error_type = call.error_type or error_type
            if call.ended is None:
                call.ended = time.perf_counter()
            self._close(call)

    async def _begin(self, call: ModelCall) -> None:
        """Wait for the row, but not for ever: the store spools what its database cannot take."""
        with _unharmed():
            kept = self._store.begin(call, self._run)
            enough = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._give_up, kept)
            try:
                await kept
            finally:
                enough.cancel()

    def _give_up(self, kept: asyncio.Future[None]) -> None:
        """End the wait for a row; the store keeps it all the same."""
        if not kept.done():
            with _unharmed():
                self._store.hurry()
            kept.set_result(None)

    def _close(self, call: ModelCall) -> None:
        """A call that has ended: it has its row, unless it ended before it was sent."""
        if call.is_unsent:
            self._withdraw(call)
        else:
            self._settle(call)

    def _withdraw(self, call: ModelCall) -> None:
        with _unharmed():
            self._store.withdraw(call)

    def _settle(self, call: ModelCall) -> None:
        if call.cost_source == "pending":
            price_as_told(call)
        with _unharmed():
            self._store.settle(call)
        if log.isEnabledFor(logging.INFO):
            log.info("[Usage] %s: %s, %s", _whose(call), _tokens(call), cost_text(call.cost, call.cost_source))


@contextlib.contextmanager
def _unharmed() -> Generator[None, None, None]:
    """A store that fails must not reach the stream."""
    try:
        yield
    except Exception:
        log.exception("Failed to save usage")


def _whose(call: ModelCall) -> str:
    return call.agent if call.purpose == "answer" else f"{call.agent} ({call.purpose})"


def _tokens(call: ModelCall) -> str:
    total = call.usage.total if call.usage else None
    if total is None:
        return "0 tokens" if call.charged is False else "unknown tokens"
    return f"{total} tokens"
