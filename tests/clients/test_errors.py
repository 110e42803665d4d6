"""Failures before and after the first byte, as the published clients read them."""

from __future__ import annotations

import json

import pytest

from .serving import API_KEY
from .stage import Stage, assert_accepted
from .upstream import Answer, Ending, calls, refuses, says

pytestmark = pytest.mark.clients


def test_a_bad_request_is_answered_before_any_byte_of_a_stream(stage: Stage) -> None:
    outcome = stage.ask(send="   ")
    assert (outcome.status, outcome.posts, outcome.looped) == ("error", 1, False)
    assert json.loads(outcome.error or "") == {"error": "No message provided"}
    assert outcome.exchanges[0].status == 400
    assert stage.upstream.calls == []


def test_an_unknown_route_is_a_short_answer(stage: Stage) -> None:
    outcome = stage.ask(route="/api/chatt")
    assert (outcome.status, outcome.posts) == ("error", 1)
    assert outcome.exchanges[0].status == 404
    assert "<" not in (outcome.error or "<")


def test_a_provider_that_refuses_is_an_error_in_plain_words(stage: Stage) -> None:
    outcome = stage.ask(refuses(401, f'{{"error": {{"message": "Incorrect API key: {API_KEY}"}}}}'))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert API_KEY not in outcome.exchanges[0].raw
    assert outcome.error is not None
    assert "rejected the server's API key" in outcome.error
    assert outcome.exchanges[0].status == 200
    assert len(stage.upstream.calls) == 1


@pytest.mark.parametrize("ending", ["drop", "error"])
def test_an_error_after_the_first_byte_keeps_the_text(stage: Stage, ending: Ending) -> None:
    outcome = stage.ask(says("Hello", " wor", ending=ending))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.text == "Hello wor"
    assert API_KEY not in outcome.exchanges[0].raw
    assert outcome.types.index("text-end") < outcome.types.index("error")
    assert outcome.types[-1] == "finish"


@pytest.mark.parametrize("answer", [refuses(401, "no"), says(ending="error")], ids=["refused", "broken"])
def test_an_error_after_a_tool_is_not_posted_again(stage: Stage, answer: Answer) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), answer)
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.parts_of("tool-get_weather")[0]["state"] == "output-available"


def test_arguments_that_break_off_are_a_failed_tool_and_not_posted_again(stage: Stage) -> None:
    half = calls(("get_weather", {"city": "Oslo"})).deltas[:2]
    outcome = stage.ask(Answer(half, ending="drop"))
    assert outcome.status == "error"
    assert_accepted(outcome)
    assert outcome.last.parts_of("tool-get_weather")[0]["state"] == "output-error"
