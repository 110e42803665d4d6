from __future__ import annotations

import json
import math

import pytest

from fondation.calls import CostSource, ModelCall, Reservation, RunInfo, TokenUsage
from fondation.stores.rows import COLUMNS, call_of, row_of

RUN = RunInfo("run_1", "s1", user_id="ada", chat_id="c1", method="generate")


def settled(usage: TokenUsage | None = None) -> ModelCall:
    call = ModelCall("Billing", "openrouter", "acme/one", ("Triage", "Billing"), round=2, step=3, attempt=4)
    call.started_at, call.started, call.first_token, call.ended = 1_795_000_000.9, 10.0, 10.25, 11.5
    call.status, call.finish_reason, call.model = "done", "tool-calls", "acme/one-2026"
    call.usage, call.cost, call.cost_source = usage, 0.003351, "billed"
    return call


def test_a_settled_call_fills_its_row() -> None:
    usage = TokenUsage(
        prompt_tokens=10,
        completion_tokens=5,
        cached_tokens=4,
        cache_write_tokens=3,
        reasoning_tokens=2,
        cost=0.003351,
        upstream_cost=0.003,
        is_byok=False,
    )
    call = settled(usage)
    call.generation_id, call.reservation = "gen-1", Reservation("t1", ("all-day", "per-user ada"))
    assert row_of(call, RUN, "me", number=7) == {
        "agent_name": "Billing",
        "session_id": "s1",
        "user_id": "ada",
        "total_tokens": 15,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost": 0.003351,
        "model": "acme/one-2026",
        "method": "generate",
        "finish_reason": "tool-calls",
        "duration": 1500,
        "handoff_chain": '["Triage", "Billing"]',
        "timestamp": 1_795_000_000,
        "run_id": "run_1",
        "chat_id": "c1",
        "round": 2,
        "step": 3,
        "attempt": 4,
        "requested_model": "acme/one",
        "provider": "openrouter",
        "generation_id": "gen-1",
        "cached_tokens": 4,
        "cache_write_tokens": 3,
        "reasoning_tokens": 2,
        "upstream_cost": 0.003,
        "is_byok": 0,
        "cost_source": "billed",
        "cost_note": None,
        "status": "done",
        "error_type": None,
        "time_to_first_token": 250,
        "config_hash": None,
        "labels": None,
        "owner": "me",
        "purpose": "answer",
        "number": 7,
        "reservation": "t1",
        "budgets": '["all-day", "per-user ada"]',
    }


def test_every_column_is_filled() -> None:
    assert sorted(row_of(settled(), RUN, "me")) == sorted(COLUMNS)


def test_what_is_absent_is_null_and_never_text() -> None:
    row = row_of(settled(), RunInfo("run_1", "", user_id=""), "me")
    absent = ("session_id", "user_id", "chat_id", "generation_id", "prompt_tokens", "is_byok", "upstream_cost")
    assert [row[name] for name in absent] == [None] * len(absent)
    assert row["total_tokens"] == 0


def test_a_running_call_has_no_duration_yet() -> None:
    call = ModelCall("Billing", "openrouter", "acme/one", ("Billing",))
    row = row_of(call, RUN, "me")
    assert (row["status"], row["cost_source"], row["duration"], row["cost"]) == ("running", "pending", None, 0.0)


@pytest.mark.parametrize("tokens", [-1, 2**63, 10**30])
def test_tokens_that_cannot_be_are_unknown(tokens: int) -> None:
    row = row_of(settled(TokenUsage(prompt_tokens=tokens, total_tokens=tokens)), RUN, "me")
    assert (row["prompt_tokens"], row["total_tokens"]) == (None, 0)


@pytest.mark.parametrize("cost", [math.nan, math.inf])
def test_a_cost_that_is_no_number_does_not_reach_the_table(cost: float) -> None:
    call = settled(TokenUsage(upstream_cost=cost))
    call.cost = cost
    row = row_of(call, RUN, "me")
    assert (row["cost"], row["upstream_cost"]) == (0.0, None)


def test_text_is_storable_whatever_a_client_sends() -> None:
    row = row_of(settled(), RunInfo("run_1", "half \ud83d a pair", user_id="Zoë 🦊"), "me")
    assert row["session_id"] == "half \ufffd a pair"
    assert row["user_id"] == "Zoë 🦊"


def test_the_handoff_chain_is_a_json_array() -> None:
    call = settled()
    call.handoff_chain = ("Crème", 'Brû"lée')
    assert json.loads(str(row_of(call, RUN, "me")["handoff_chain"])) == ["Crème", 'Brû"lée']


def test_a_row_tells_the_call_again_as_far_as_its_cost_depends_on_it() -> None:
    usage = TokenUsage(10, 5, 15, 4, 3, 2, upstream_cost=0.003, is_byok=True)
    call = settled(usage)
    call.generation_id, call.status, call.error_type = "gen-1", "error", "timeout"
    told = call_of(row_of(call, RUN, "me"))
    for name in ("agent", "provider", "requested_model", "model", "generation_id", "status", "error_type"):
        assert getattr(told, name) == getattr(call, name)
    assert (told.usage, told.finish_reason) == (usage, "tool-calls")
    assert (told.started_at, told.cost, told.cost_source) == (1_795_000_000, call.cost, call.cost_source)


@pytest.mark.parametrize("source", ["pending", "unknown", "simulated", None])
def test_the_zero_of_a_row_whose_cost_nobody_knows_is_no_cost(source: CostSource | None) -> None:
    told = call_of({**row_of(settled(TokenUsage(10, 5)), RUN, "me"), "cost": 0.0, "cost_source": source})
    assert (told.cost, told.cost_source) == (None, source or "unknown")


def test_what_a_row_does_not_know_its_call_does_not_know() -> None:
    assert call_of(row_of(settled(), RUN, "me")).usage is None


def test_a_running_call_is_pending_whatever_it_may_cost() -> None:
    call = settled(TokenUsage(cost=0.5))
    call.status = "running"
    assert row_of(call, RUN, "me")["cost_source"] == "pending"
