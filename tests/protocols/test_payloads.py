from __future__ import annotations

from fondation.calls import Spent, TokenUsage
from fondation.events import RunSummary
from fondation.protocols.payloads import earlier_runs, summary_metadata, usage_metadata


def test_what_is_unknown_is_left_out() -> None:
    assert usage_metadata(TokenUsage(10, 5, cost=0.25), "billed") == {
        "promptTokens": 10,
        "completionTokens": 5,
        "totalTokens": 15,
        "cost": 0.25,
        "costSource": "billed",
    }
    assert usage_metadata(TokenUsage(), "unknown") == {"costSource": "unknown"}


def test_a_refused_run_tells_no_zero_that_would_stay_beside_a_later_cost_that_nobody_knows() -> None:
    first = summary_metadata(summary("run_1", Spent(TokenUsage(cost=0.0), "none")))
    second = summary("run_2", Spent(TokenUsage(), "unknown"), first)
    merged = {**first["usage"], **summary_metadata(second)["usage"]}  # as a page does it
    assert merged == {"costSource": "unknown"}


def summary(run_id: str, spent: Spent, before: dict[str, object] | None = None) -> RunSummary:
    earlier = None if before is None else earlier_runs(before)
    return RunSummary(
        run_id, "m1", "Ann", ("Ann",), None, spent.usage, spent.cost_source, "other", 1, 1, earlier=earlier
    )
