"""Tools in the middle of an answer, as the published clients read them; no stream makes a client post again."""

from __future__ import annotations

import json

import pytest

from .stage import Stage, assert_answered
from .upstream import Answer, calls, says

pytestmark = pytest.mark.clients


def test_a_tool_runs_and_the_answer_comes_in_a_step_of_its_own(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), says("Clear."))
    assert_answered(outcome)
    assert outcome.last.steps == [["tool-get_weather"], ["text"]]
    [part] = outcome.last.parts_of("tool-get_weather")
    assert part["state"] == "output-available"
    assert part["input"] == {"city": "Oslo"}
    assert part["output"] == {"city": "Oslo", "sky": "clear"}
    assert outcome.types.count("tool-input-delta") == 2
    first, second = stage.upstream.calls
    assert first.roles == ["system", "user"]
    assert second.roles == ["system", "user", "assistant", "tool"]
    assert json.loads(second.body["messages"][-1]["content"]) == {"city": "Oslo", "sky": "clear"}


def test_text_before_a_tool_stays(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"}), text="I look. "), says("Clear."))
    assert_answered(outcome)
    assert outcome.last.steps == [["text", "tool-get_weather"], ["text"]]
    assert outcome.last.text == "I look. Clear."


def test_parallel_tools_answer_as_they_finish(stage: Stage) -> None:
    slow, fast = {"city": "Oslo", "seconds": 0.2}, {"city": "Rome", "seconds": 0}
    outcome = stage.ask(calls(("get_weather", slow), ("get_weather", fast)), says("Clear in both."))
    assert_answered(outcome)
    assert outcome.last.steps == [["tool-get_weather", "tool-get_weather"], ["text"]]
    parts = outcome.last.parts_of("tool-get_weather")
    assert [part["input"]["city"] for part in parts] == ["Oslo", "Rome"]
    assert [part["output"]["city"] for part in parts] == ["Oslo", "Rome"]
    finished = [chunk for chunk in outcome.chunks if chunk["type"] == "tool-output-available"]
    assert [chunk["output"]["city"] for chunk in finished] == ["Rome", "Oslo"]
    results = stage.upstream.calls[1].body["messages"][-2:]
    assert [json.loads(result["content"])["city"] for result in results] == ["Oslo", "Rome"]


def test_the_same_call_id_in_every_step_makes_two_parts(stage: Stage) -> None:
    oslo, rome = calls(("get_weather", {"city": "Oslo"})), calls(("get_weather", {"city": "Rome"}))
    outcome = stage.ask(oslo, rome, says("Clear in both."))
    assert_answered(outcome)
    assert outcome.last.steps == [["tool-get_weather"], ["tool-get_weather"], ["text"]]
    assert [part["output"]["city"] for part in outcome.last.parts_of("tool-get_weather")] == ["Oslo", "Rome"]


def test_a_tools_own_complaint_is_shown(stage: Stage) -> None:
    outcome = stage.ask(calls(("find_city", {"name": "Atlantis"})), says("No such city."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-find_city")
    assert (part["state"], part["errorText"]) == ("output-error", "There is no city called Atlantis.")


def test_a_crashing_tool_tells_nothing_of_its_exception(stage: Stage) -> None:
    outcome = stage.ask(calls(("crash", {})), says("That failed."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-crash")
    assert part["state"] == "output-error"
    assert "hunter2" not in outcome.exchanges[0].raw
    assert "hunter2" not in json.dumps(stage.upstream.calls[1].body)


@pytest.mark.parametrize("arguments", ['{"city": ', '"Oslo"', "[1]", '{"town": "Oslo"}', "null"])
def test_bad_arguments_become_a_failed_tool(stage: Stage, arguments: str) -> None:
    outcome = stage.ask(calls(("get_weather", arguments)), says("I could not find out."))
    assert_answered(outcome)
    [part] = outcome.last.parts_of("tool-get_weather")
    assert part["state"] == "output-error"
    assert outcome.last.text == "I could not find out."


def test_a_tool_that_does_not_exist_is_a_failed_tool(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_whether", {"city": "Oslo"})), says("Sorry."))
    assert_answered(outcome)
    assert outcome.last.parts_of("tool-get_whether")[0]["state"] == "output-error"
    assert outcome.last.text == "Sorry."


def test_a_tool_sends_data_parts_and_may_return_nothing(stage: Stage) -> None:
    outcome = stage.ask(calls(("show_progress", {})), says("Done."))
    assert_answered(outcome)
    assert outcome.data_of("data-progress") == [{"percent": 50}]
    assert outcome.last.parts_of("data-progress") == []
    [report] = outcome.last.parts_of("data-report")
    assert (report["id"], report["data"]) == ("report-1", {"version": 2})
    assert outcome.last.parts_of("tool-show_progress")[0]["state"] == "output-available"


@pytest.mark.parametrize("last", [says("Clear."), calls(("get_weather", {"city": "Rome"}))], ids=["answers", "asks on"])
def test_a_turn_at_its_step_limit_ends_with_text(stage: Stage, last: Answer) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), last, route="/api/hasty")
    assert_answered(outcome)
    assert outcome.last.text
    assert outcome.last.steps[-1][-1] == "text"


def test_an_empty_answer_after_a_tool_is_not_posted_again(stage: Stage) -> None:
    outcome = stage.ask(calls(("get_weather", {"city": "Oslo"})), says())
    assert_answered(outcome)
