"""A run in one value: who answered, on which model, for how many tokens and how much money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from fondation.calls import CostSource, ModelCall, Spent, TokenUsage
from fondation.events import EarlierRuns, RunSummary
from fondation.usage.money import PICO_PER_DOLLAR, pico

CERTAINTY: tuple[CostSource, ...] = (
    "none",
    "simulated",
    "billed",
    "priced",
    "estimated",
    "pending",
    "unknown",
)
"""From the surest to the least sure: a sum is as sure as its least sure part."""
_NOBODY_KNOWS = ("pending", "unknown")


def summarize(
    run_id: str,
    message_id: str,
    chain: Sequence[str],
    calls: Sequence[ModelCall],
    steps: int,
    finish_reason: str | None,
    dropped_messages: int = 0,
    summarized_messages: int = 0,
    earlier: EarlierRuns | None = None,
) -> RunSummary:
    """The summary of a run with these calls; `finish_reason` None is what the last model said."""
    answered = [call for call in calls if call.status == "done"]
    last = answered[-1] if answered else None
    usage, cost_source = spent(calls)
    return RunSummary(
        run_id=run_id,
        message_id=message_id,
        agent=chain[-1],
        handoff_chain=tuple(chain),
        model=(last.model or last.requested_model) if last else None,
        usage=usage,
        cost_source=cost_source,
        finish_reason=finish_reason or (last.finish_reason if last else None) or "other",
        calls=len(calls),
        steps=steps,
        dropped_messages=dropped_messages,
        summarized_messages=summarized_messages,
        earlier=earlier,
    )


def spent(calls: Iterable[ModelCall]) -> Spent:
    """What these calls took."""
    return together([_of_call(call) for call in calls])


def together(parts: Sequence[Spent]) -> Spent:
    """What all of it took. Nothing known is no sum, never a zero: a call that was refused does not make it one."""
    usages = [usage for usage, _ in parts]
    total = TokenUsage(
        prompt_tokens=_sum([usage.prompt_tokens for usage in usages]),
        completion_tokens=_sum([usage.completion_tokens for usage in usages]),
        total_tokens=_sum([usage.total for usage in usages]),
        cached_tokens=_sum([usage.cached_tokens for usage in usages]),
        cache_write_tokens=_sum([usage.cache_write_tokens for usage in usages]),
        reasoning_tokens=_sum([usage.reasoning_tokens for usage in usages]),
        cost=_dollars(parts),
    )
    return Spent(total, max((part.cost_source for part in parts), key=CERTAINTY.index, default="none"))


def _of_call(call: ModelCall) -> Spent:
    """Its whole cost, which may be more than its provider says in the usage, or another."""
    return Spent(msgspec.structs.replace(call.usage or TokenUsage(), cost=call.cost), call.cost_source)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _dollars(parts: Sequence[Spent]) -> float | None:
    """The sum as the ledger adds it, to the last digit."""
    known = [(usage.cost, source) for usage, source in parts if usage.cost is not None]
    if all(source == "none" for _, source in known) and any(part.cost_source in _NOBODY_KNOWS for part in parts):
        return None
    return sum(pico(cost) for cost, _ in known) / PICO_PER_DOLLAR if known else None
