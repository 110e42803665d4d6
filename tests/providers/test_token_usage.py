from __future__ import annotations

from typing import Any

import pytest

from fondation.calls import TokenUsage
from fondation.providers.token_usage import read_dollars, read_usage

OPENROUTER = {
    "prompt_tokens": 1854,
    "completion_tokens": 13,
    "total_tokens": 1867,
    "cost": 0.0077585,
    "is_byok": False,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 7, "audio_tokens": 0},
    "cost_details": {"upstream_inference_cost": 0.0007585},
    "completion_tokens_details": {"reasoning_tokens": 5, "image_tokens": 0},
    "server_tool_use_details": {"web_search_requests": 1},
}


def test_everything_openrouter_reports() -> None:
    assert read_usage(OPENROUTER) == TokenUsage(1854, 13, 1867, 100, 7, 5, 0.0077585, 0.0007585, False)


def test_a_key_of_ones_own() -> None:
    usage = read_usage({**OPENROUTER, "cost": 0.0001, "is_byok": True})
    assert usage is not None
    assert (usage.cost, usage.upstream_cost, usage.is_byok) == (0.0001, 0.0007585, True)


@pytest.mark.parametrize("missing", ["prompt_tokens_details", "completion_tokens_details", "cost_details"])
def test_details_may_be_null(missing: str) -> None:
    usage = read_usage({**OPENROUTER, missing: None})
    assert usage is not None
    assert usage.total == 1867


@pytest.mark.parametrize("cost", [None, "free", float("nan"), -1, True, {}])
def test_a_cost_that_is_none_is_unknown(cost: Any) -> None:
    usage = read_usage({**OPENROUTER, "cost": cost})
    assert usage is not None
    assert usage.cost is None


def test_missing_is_unknown_and_zero_is_zero() -> None:
    assert read_usage({"prompt_tokens": 0}) == TokenUsage(prompt_tokens=0)
    assert read_usage({"prompt_tokens": None, "completion_tokens": "many", "total_tokens": -3}) is None
    assert read_usage({"prompt_tokens": 10**400, "completion_tokens": float("inf")}) is None
    assert read_usage({"is_byok": "no", "prompt_tokens": 3.0}) == TokenUsage(prompt_tokens=3)


@pytest.mark.parametrize("value", [None, [], "usage", 3])
def test_what_is_no_usage_changes_nothing(value: Any) -> None:
    before = TokenUsage(1, 2, 3)
    assert read_usage(value) is None
    assert read_usage(value, before) is before


def test_the_last_report_wins_and_keeps_what_it_leaves_out() -> None:
    before = TokenUsage(9, 2, 11, cost=0.5)
    assert read_usage({"prompt_tokens": 9, "completion_tokens": 5}, before) == TokenUsage(9, 5, 11, cost=0.5)


@pytest.mark.parametrize(
    ("usage", "cached", "written"),
    [
        ({"prompt_cache_hit_tokens": 8}, 8, None),
        ({"cache_read_input_tokens": 8, "cache_creation_input_tokens": 3}, 8, 3),
    ],
)
def test_other_names_of_the_cache(usage: Any, cached: int, written: int | None) -> None:
    read = read_usage(usage)
    assert read is not None
    assert (read.cached_tokens, read.cache_write_tokens) == (cached, written)


@pytest.mark.parametrize(
    ("value", "dollars"), [("0.0031", 0.0031), (0, 0.0), (2, 2.0), ("None", None), ("inf", None), (10**400, None)]
)
def test_dollars(value: Any, dollars: float | None) -> None:
    assert read_dollars(value) == dollars
