"""What a page is told of tokens and money: a part for each step, and the message's metadata."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import CallAnswer, Turn
from .stage import Stage, assert_accepted, assert_answered, assert_kept
from .upstream import calls, refuses, says

pytestmark = pytest.mark.clients

ROUTE = "/api/metered"
WEATHER = calls(("get_weather", {"city": "Oslo"}))
STEP = {"agent": "Metered", "model": "scripted-1", "promptTokens": 12, "completionTokens": 3, "totalTokens": 15}
PRICED = {**STEP, "cost": 0.0000033, "costSource": "priced"}


def usage_in_ledger(stage: Stage, chat: str, calls: int) -> dict[str, Any]:
    rows = stage.rows(chat, calls)
    tokens = {name: sum(row[f"{name}_tokens"] for row in rows) for name in ("prompt", "completion", "total")}
    told = {f"{name}Tokens": count for name, count in tokens.items()}
    return {**told, "cost": sum(row["cost_pico"] for row in rows) / 10**12, "costSource": "priced"}


def test_each_step_tells_what_it_took_and_the_message_all_of_it(stage: Stage) -> None:
    outcome = stage.ask(WEATHER, says("Clear."), route=ROUTE)
    assert_answered(outcome)
    assert outcome.data_of("data-usage") == [PRICED, PRICED]
    assert outcome.last.metadata is not None
    assert outcome.last.metadata["usage"] == usage_in_ledger(stage, outcome.chat_id, 2)
    assert_kept(stage, outcome)


def test_a_step_that_was_asked_for_twice_tells_once(stage: Stage) -> None:
    outcome = stage.ask(refuses(503, "overloaded"), says("Clear."), route=ROUTE)
    assert_answered(outcome)
    assert outcome.data_of("data-usage") == [PRICED]
    assert_kept(stage, outcome)


def test_an_answer_that_went_on_after_a_yes_tells_all_of_it(stage: Stage) -> None:
    refund = calls(("refund", {"order": f"metered-{stage.client.name}", "amount": 5}))
    turns = [Turn(send="Refund it."), Turn(answers=[CallAnswer(approved=True)])]
    outcome = stage.play(refund, says("Done."), route=ROUTE, turns=turns)
    assert_answered(outcome, posts=2)
    assert outcome.last.metadata is not None
    assert outcome.last.metadata["usage"] == usage_in_ledger(stage, outcome.chat_id, 2)
    assert len(outcome.last.metadata["runIds"]) == 2
    assert_kept(stage, outcome)


def test_what_nobody_knows_is_not_told_as_zero(stage: Stage) -> None:
    outcome = stage.ask(says("Half an", ending="drop"), route=ROUTE)
    assert_accepted(outcome)
    assert outcome.data_of("data-usage") == [{"agent": "Metered", "model": "scripted-1", "costSource": "unknown"}]
    assert outcome.last.metadata is not None
    assert outcome.last.metadata["usage"] == {"costSource": "unknown"}
    assert_kept(stage, outcome)
