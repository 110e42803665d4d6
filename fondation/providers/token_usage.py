"""A provider's `usage` object as a `TokenUsage`: what is missing or nonsense is unknown, never zero."""

from __future__ import annotations

import math

from fondation.calls import TokenUsage
from fondation.messages import Json
from fondation.providers.untyped import map_of

_MOST_TOKENS = 2**53
"""A larger number, or an infinite one, counts nothing."""


def read_usage(usage: Json, before: TokenUsage | None = None) -> TokenUsage | None:
    """`usage` as reported; None where it says nothing.

    Counts are cumulative: the last report wins. What it leaves out keeps the value of `before`.
    """
    if not isinstance(usage, dict):
        return before
    prompt = map_of(usage.get("prompt_tokens_details"))
    completion = map_of(usage.get("completion_tokens_details"))
    cost = map_of(usage.get("cost_details"))
    is_byok = usage.get("is_byok")
    reported = TokenUsage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        total_tokens=_count(usage.get("total_tokens")),
        cached_tokens=_first_count(
            prompt.get("cached_tokens"),
            usage.get("prompt_cache_hit_tokens"),
            usage.get("cache_read_input_tokens"),
        ),
        cache_write_tokens=_first_count(prompt.get("cache_write_tokens"), usage.get("cache_creation_input_tokens")),
        reasoning_tokens=_count(completion.get("reasoning_tokens")),
        cost=read_dollars(usage.get("cost")),
        upstream_cost=read_dollars(cost.get("upstream_inference_cost")),
        is_byok=is_byok if isinstance(is_byok, bool) else None,
    )
    return _over(before, reported)


def read_dollars(value: Json) -> float | None:
    """A sum of money, also as text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        dollars = float(value)
    except (ValueError, OverflowError):
        return None
    return dollars if math.isfinite(dollars) and dollars >= 0 else None


def _over(before: TokenUsage | None, reported: TokenUsage) -> TokenUsage | None:
    if reported == TokenUsage():
        return before
    if before is None:
        return reported
    known = {name: value for name in TokenUsage.__struct_fields__ if (value := getattr(reported, name)) is not None}
    return TokenUsage(**{name: known.get(name, getattr(before, name)) for name in TokenUsage.__struct_fields__})


def _count(value: Json) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS else None


def _first_count(*values: Json) -> int | None:
    return next((count for value in values if (count := _count(value)) is not None), None)
