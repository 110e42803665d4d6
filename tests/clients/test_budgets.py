"""A budget that runs short, as the published clients read it."""

from __future__ import annotations

import json

import pytest

from .stage import Stage, assert_accepted, assert_answered, assert_kept
from .upstream import calls, says

pytestmark = pytest.mark.clients

ROUTE = "/api/thrifty"
WEATHER = calls(("get_weather", {"city": "Oslo"}), text="Let me see. ")


def test_a_warning_is_a_passing_part(stage: Stage) -> None:
    outcome = stage.ask(WEATHER, says("Clear."), route=ROUTE)
    assert_answered(outcome)
    (part,) = outcome.data_of("data-budget")
    assert (part["budget"], part["spent"], part["limit"]) == ("thrift", 0.015, 0.03)
    assert part["reset"].endswith("-01T00:00:00Z")
    assert outcome.last.parts_of("data-budget") == []
    assert_kept(stage, outcome)


def test_an_answer_that_the_budget_stops_ends_properly_and_is_kept(stage: Stage) -> None:
    outcome = stage.ask(WEATHER, WEATHER, says("Never said."), route=ROUTE)
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.text == "Let me see. Let me see. "
    assert outcome.error is not None
    assert outcome.error.startswith('The budget "thrift" is used up: $0.03 of $0.03 is spent.')
    assert [part["spent"] for part in outcome.data_of("data-budget")] == [0.015, 0.03]
    assert outcome.types[-1] == "finish"
    assert len(stage.upstream.calls) == len(stage.rows(outcome.chat_id, 2))
    assert_kept(stage, outcome)


def test_a_message_that_there_is_no_money_for_is_answered_before_the_stream(stage: Stage) -> None:
    first = stage.ask(WEATHER, says("Clear."), route=ROUTE)
    assert_answered(first)
    stage.rows(first.chat_id, 2)
    before = stage.kept(first.chat_id)
    body = {"id": first.chat_id, "message": "And tomorrow?"}
    status, answer = stage.request("POST", ROUTE, body)
    assert (status, sorted(answer), answer["budget"]["spent"]) == (402, ["budget", "error"], 0.03)
    outcome = stage.ask(route=ROUTE, id=first.chat_id, messages=before, send="And tomorrow?")
    assert (outcome.status, outcome.posts, outcome.exchanges[0].status) == ("error", 1, 402)
    assert json.loads(outcome.error or "") == answer
    assert stage.upstream.calls == []
    assert stage.kept(first.chat_id) == before
    stage.rows(first.chat_id, 2)
