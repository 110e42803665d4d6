"""A run in one value: sums of what is known, and how sure they are."""

from __future__ import annotations

import pytest

from fondation.calls import CallStatus, CostSource, ModelCall, TokenUsage
from fondation.events import RunSummary
from fondation.summary import summarize


def made(
    usage: TokenUsage | None = None,
    cost: float | None = None,
    source: CostSource = "billed",
    status: CallStatus = "done",
    model: str | None = "acme/one-2026",
) -> ModelCall:
    call = ModelCall("A", "openrouter", "acme/one", ("A",))
    call.usage, call.cost, call.cost_source, call.status, call.model = usage, cost, source, status, model
    call.finish_reason = "stop"
    return call


def summary(*calls: ModelCall, finish_reason: str | None = None) -> RunSummary:
    return summarize("run_1", "msg_1", ["A", "B"], calls, len(calls), finish_reason)


def test_tokens_and_money_add_up_over_every_call() -> None:
    told = summary(made(TokenUsage(10, 5, 15, cached_tokens=4), 0.5), made(TokenUsage(20, 1, 21), 0.25))
    assert (told.usage.prompt_tokens, told.usage.completion_tokens, told.usage.total) == (30, 6, 36)
    assert (told.usage.cost, told.cost_source) == (0.75, "billed")
    assert told.usage.cached_tokens == 4
    assert (told.agent, told.handoff_chain, told.calls) == ("B", ("A", "B"), 2)


def test_what_is_not_known_of_any_call_stays_unknown() -> None:
    told = summary(made(TokenUsage(10, 5, 15)))
    assert told.usage.reasoning_tokens is None
    assert told.usage.cost is None


def test_a_total_that_no_provider_reported_is_the_sum_of_what_it_did_report() -> None:
    assert summary(made(TokenUsage(10, 5)), made(TokenUsage(completion_tokens=3))).usage.total == 18


@pytest.mark.parametrize(
    ("sources", "least"),
    [
        (["billed", "none"], "billed"),
        (["billed", "priced", "none"], "priced"),
        (["estimated", "priced"], "estimated"),
        (["billed", "unknown", "simulated"], "unknown"),
    ],
)
def test_a_sum_is_as_sure_as_its_least_sure_part(sources: list[CostSource], least: str) -> None:
    assert summary(*[made(TokenUsage(1, 1), 0.1, source) for source in sources]).cost_source == least


def test_the_model_and_the_reason_are_those_of_the_last_answer() -> None:
    failed = made(status="error", model="acme/other")
    told = summary(made(model="acme/one-2026"), failed)
    assert (told.model, told.finish_reason) == ("acme/one-2026", "stop")


def test_a_provider_that_does_not_name_its_model_gave_the_one_that_was_asked_for() -> None:
    assert summary(made(model=None)).model == "acme/one"


def test_a_run_without_a_call_cost_nothing() -> None:
    told = summary()
    assert (told.model, told.cost_source, told.finish_reason) == (None, "none", "other")
    assert told.usage == TokenUsage()


def test_an_outcome_of_its_own_goes_over_what_the_model_said() -> None:
    assert summary(made(), finish_reason="aborted").finish_reason == "aborted"


def test_dollars_add_up_to_what_the_ledger_adds() -> None:
    assert summary(*[made(cost=0.001) for _ in range(11)]).usage.cost == 0.011


def test_costs_of_many_digits_add_up_to_what_the_ledger_adds() -> None:
    costs = [0.0000000000005, 0.0000000000005, 0.0000000000014]  # rounded up, up and down: each row by itself
    assert summary(*[made(cost=cost) for cost in costs]).usage.cost == 3e-12


@pytest.mark.parametrize("source", ["unknown", "pending"])
def test_a_cost_that_nobody_knows_is_not_zero_because_a_call_was_refused(source: CostSource) -> None:
    told = summary(made(cost=0.0, source="none", status="refused"), made(cost=None, source=source))
    assert (told.usage.cost, told.cost_source) == (None, source)


def test_what_is_known_of_a_cost_is_told_beside_what_is_not() -> None:
    told = summary(made(cost=0.5), made(cost=None, source="unknown"))
    assert (told.usage.cost, told.cost_source) == (0.5, "unknown")


def test_a_run_that_was_only_refused_cost_nothing() -> None:
    assert summary(made(cost=0.0, source="none", status="refused")).usage.cost == 0.0
