"""A run in one value: who answered, on which model, for how many tokens and how much money."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fondation.calls import CostSource, ModelCall, TokenUsage
from fondation.events import RunSummary

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


def summarize(
    run_id: str,
    message_id: str,
    chain: Sequence[str],
    calls: Sequence[ModelCall],
    steps: int,
    finish_reason: str | None,
    dropped_messages: int = 0,
    summarized_messages: int = 0,
) -> RunSummary:
    """The summary of a run with these calls; `finish_reason` None is what the last model said."""
    answered = [call for call in calls if call.status == "done"]
    last = answered[-1] if answered else None
    return RunSummary(
        run_id=run_id,
        message_id=message_id,
        agent=chain[-1],
        handoff_chain=tuple(chain),
        model=(last.model or last.requested_model) if last else None,
        usage=_total(calls),
        cost_source=max((call.cost_source for call in calls), key=CERTAINTY.index, default="none"),
        finish_reason=finish_reason or (last.finish_reason if last else None) or "other",
        calls=len(calls),
        steps=steps,
        dropped_messages=dropped_messages,
        summarized_messages=summarized_messages,
    )


def _total(calls: Sequence[ModelCall]) -> TokenUsage:
    """Sums of what is known; None where nothing is."""
    usages = [call.usage for call in calls if call.usage is not None]
    return TokenUsage(
        prompt_tokens=_sum([usage.prompt_tokens for usage in usages]),
        completion_tokens=_sum([usage.completion_tokens for usage in usages]),
        total_tokens=_sum([usage.total for usage in usages]),
        cached_tokens=_sum([usage.cached_tokens for usage in usages]),
        cache_write_tokens=_sum([usage.cache_write_tokens for usage in usages]),
        reasoning_tokens=_sum([usage.reasoning_tokens for usage in usages]),
        cost=_dollars([call.cost for call in calls]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _dollars(costs: Sequence[float | None]) -> float | None:
    """The sum to a millionth of a millionth of a dollar, which is what the ledger adds."""
    known = [cost for cost in costs if cost is not None]
    return round(math.fsum(known), 12) if known else None
