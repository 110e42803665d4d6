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
    SourceCited,
)
from fondation.protocols.payloads import usage_metadata

KINDS: dict[str, tuple[type[Event], ...]] = {
    "reasoning": (ReasoningStarted, ReasoningDelta, ReasoningEnded),
    "sources": (SourceCited,),
}
"""A word of `show` -> the events that go only where it is listed."""


async def show(batches: Batches, shown: Collection[str]) -> Batches:
    """The same batches without what is not `shown`; with usage, each answered call tells what it took."""
    hidden = frozenset(kind for word, kinds in KINDS.items() if word not in shown for kind in kinds)
    tells_usage = "usage" in shown
    async with contextlib.aclosing(batches):
        async for batch in batches:
            if not hidden.isdisjoint(map(type, batch)):
                batch = [event for event in batch if type(event) not in hidden]
            if tells_usage:
                batch = _with_usage(batch)
            if batch:
                yield batch


def _with_usage(batch: Batch) -> Batch:
    told: Batch = []
    for event in batch:
        told.append(event)
        if isinstance(event, CallEnded) and event.call.status == "done" and event.call.purpose == "answer":
            told.append(_usage(event.call))
    return told


def _usage(call: ModelCall) -> DataSent:
    known = {} if call.usage is None else usage_metadata(call.usage, call.cost_source)
    cost = {} if call.cost is None else {"cost": call.cost}
    model = call.model or call.requested_model
    return DataSent("usage", {"agent": call.agent, "model": model, **known, **cost, "costSource": call.cost_source})
