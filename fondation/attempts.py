"""One model turn as the calls it takes: the gate before each, retries and fallbacks until the first token.

Each call that is sent is a `ModelCall` of its own, begun before it is sent and ended exactly once, whatever happens.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from asyncio import sleep
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from fondation.agents import Agent, Model
from fondation.calls import CallStatus, ModelCall, Purpose, Reservation, RunInfo
from fondation.deadline import Deadline, DeadlineReached
from fondation.errors import ProviderError
from fondation.events import CallAccepted, CallEnded, CallStarted
from fondation.gate import CallStopped, Gate, Go, Proposal, Stop, UseModel
from fondation.providers.base import Accepted, ModelRequest, Piece
from fondation.usage.pricing import price

log = logging.getLogger("fondation.providers")

FIRST_PAUSE = 0.5
"""Seconds before the first retry; each further one waits twice as long."""
LONGEST_PAUSE = 20.0
"""Seconds. A provider that asks for more is not waited for."""

Item: TypeAlias = Piece | CallStarted | CallAccepted | CallEnded
Items: TypeAlias = AsyncGenerator[Sequence[Item], None]


@dataclass(frozen=True, slots=True)
class Attempts:
    """Asks a model for one turn, as often as its settings allow."""

    run: RunInfo
    agent: Agent
    gate: Gate
    deadline: Deadline
    new_call: Callable[[Model, int], ModelCall]
    """Makes the record of an attempt, of the given number, at a model."""
    purpose: Purpose = "answer"

    async def ask(self, request: ModelRequest) -> Items:
        """Yield the pieces of the one answer that came, and what happened to each call on the way.

        Raises the last `ProviderError` where none came, `CallStopped`, or `DeadlineReached`.
        """
        number = 0
        failure: ProviderError | None = None
        for candidate in (self.agent.model, *self.agent.model.fallbacks):
            patience = _Patience(candidate.retries)
            pause: float | None = 0
            while pause is not None:
                if pause:
                    await self.deadline.wait(sleep(pause))
                number += 1
                model, reservation = await self._pass_gate(candidate, request)
                call = self.new_call(model, number)
                call.reservation = reservation
                async with contextlib.aclosing(self._send(model, request, call)) as items:
                    try:
                        async for batch in items:
                            yield batch
                        return
                    except ProviderError as error:
                        failure = error
                log.warning("%s (run %s): %s", model.id, self.run.run_id, failure)
                if call.first_token is not None:
                    raise failure  # what the page has read cannot be taken back
                pause = patience.after(failure)
        assert failure is not None
        raise failure

    async def _pass_gate(self, model: Model, request: ModelRequest) -> tuple[Model, Reservation | None]:
        """The model that is asked, and what is set aside for the call."""
        proposal = Proposal(self.run, self.agent, model, request, self.purpose)
        match await self.deadline.wait(self.gate(proposal)):
            case Go(reservation):
                return model, reservation
            case UseModel(other, reservation):
                return other, reservation
            case Stop() as stop:
                raise CallStopped(stop)
            case never:
                assert_never(never)

    async def _send(self, model: Model, request: ModelRequest, call: ModelCall) -> Items:
        """One attempt. The call is begun before anything is sent, and ended whatever comes."""
        call.askable = model.provider.receipts is not None
        yield [CallStarted(call)]
        if self.deadline.reason is not None:
            call.charged = False  # the run ended while the row was written: nothing is sent any more
        request = replace(request, settings=self.agent.settings[model.name])
        try:
            async with contextlib.aclosing(model.provider.stream(request, call)) as pieces:
                while (batch := await self.deadline.wait(anext(pieces, None))) is not None:
                    if type(batch[0]) is Accepted:
                        yield [CallAccepted(call), *batch[1:]]
                    else:
                        yield batch  # as it is: this line runs for every read of every answer
        except ProviderError as error:
            call.charged = error.charged
            yield [_end(call, model, "refused" if error.charged is False else "error", error.error_type)]
            raise
        except DeadlineReached as error:
            yield [_end(call, model, "aborted", f"run_{error.reason}")]
            raise
        except Exception:
            yield [_end(call, model, "error", "internal")]
            raise
        except BaseException:
            _price(call, model)  # the page is gone, nobody reads events: what is known is priced all the same
            raise
        yield [_end(call, model, "done")]


def _end(call: ModelCall, model: Model, status: CallStatus, error_type: str | None = None) -> CallEnded:
    call.ended = time.perf_counter()
    call.status = status
    call.error_type = error_type
    _price(call, model)
    return CallEnded(call)


def _price(call: ModelCall, model: Model) -> None:
    price(call, model.price, estimate=model.estimates)


class _Patience:
    """How often, and after how long, one model is asked again."""

    def __init__(self, retries: int) -> None:
        self._left = retries
        self._next = FIRST_PAUSE
        self._reconnected = False

    def after(self, failure: ProviderError) -> float | None:
        """Seconds to wait before the next try; None where another try is of no use."""
        if failure.stale_connection and not self._reconnected:
            self._reconnected = True
            return 0
        if not failure.retryable or self._left == 0:
            return None
        self._left -= 1
        pause, self._next = self._next * random.uniform(0.75, 1.25), self._next * 2
        if failure.retry_after is not None:
            pause = failure.retry_after
        return pause if pause <= LONGEST_PAUSE else None
