"""What a route's page is sent of a run, besides text and tools."""

from __future__ import annotations

import contextlib
from collections.abc import Collection

from fondation.calls import ModelCall
from fondation.events import (
    Batch,
    Batches,
    CallEnded,
    DataSent,
    Event,
    ReasoningDelta,
    ReasoningEnded,
    ReasoningStarted,
    RunAborted,
    RunFailed,
    SourceCited,
)
from fondation.messages import Json
from fondation.protocols.payloads import usage_metadata
from fondation.summary import spent

KINDS: dict[str, tuple[type[Event], ...]] = {
    "reasoning": (ReasoningStarted, ReasoningDelta, ReasoningEnded),
    "sources": (SourceCited,),
}
"""A word of `show` -> the events that go only where it is listed."""


async def show(batches: Batches, shown: Collection[str]) -> Batches:
    """The same batches without what is not `shown`; with usage, each step tells what it took."""
    hidden = frozenset(kind for word, kinds in KINDS.items() if word not in shown for kind in kinds)
    steps = _Steps() if "usage" in shown else None
    async with contextlib.aclosing(batches):
        async for batch in batches:
            if not hidden.isdisjoint(map(type, batch)):
                batch = [event for event in batch if type(event) not in hidden]
            if steps is not None:
                batch = steps.tell(batch)
            if batch:
                yield batch


class _Steps:
    """What each step of the answer took, all of its attempts: told once its answer is there, or will not come."""

    def __init__(self) -> None:
        self._calls: list[ModelCall] = []
        """Those of the step that is not told yet."""

    def tell(self, batch: Batch) -> Batch:
        told: Batch = []
        for event in batch:
            match event:
                case RunFailed() | RunAborted():
                    told += [*self._usage(), event]
                case CallEnded(call=call) if call.purpose == "answer":
                    self._calls.append(call)
                    told += [event, *self._usage()] if call.status == "done" else [event]
                case _:
                    told.append(event)
        return told

    def _usage(self) -> Batch:
        if not self._calls:
            return []
        calls, self._calls = self._calls, []
        usage, cost_source = spent(calls)
        whose: dict[str, Json] = {"agent": calls[-1].agent, "model": calls[-1].model or calls[-1].requested_model}
        return [DataSent("usage", {**whose, **usage_metadata(usage, cost_source)})]
