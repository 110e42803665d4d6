"""The user stops an answer, or the server itself does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .harness import After, Body, Client, Outcome, Scenario, Turn
from .serving import served
from .stage import Stage, assert_accepted, assert_lasts
from .upstream import HOLD, Call, Upstream, calls, is_mute, says

pytestmark = pytest.mark.clients

AT_ONCE = 1.0
"""Seconds within which a stop reaches the provider."""


def assert_ends_with_the_stop(outcome: Outcome, call: Call) -> None:
    assert outcome.stopped_at is not None
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 1)
    assert outcome.finishes[-1].is_abort
    assert call.seconds_after(outcome.stopped_at) < AT_ONCE
    assert call.cut


def test_stop_in_the_middle_of_text_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says(*["word "] * 400, pause=0.02), after=After(texts=3))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text.startswith("word word word ")


def test_stop_while_the_model_pauses_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says("Let me see", ending="silence"), after=After(texts=1))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == "Let me see"


def test_stop_before_the_first_word_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says(ending="silence"), after=After(seconds=0.2))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == ""


def test_stop_while_a_tool_runs_asks_the_model_nothing_more(stage: Stage) -> None:
    slow = calls(("get_weather", {"city": "Oslo", "seconds": 1}))
    turns = [Turn(send="Oslo?", stop_after=After(tools=1)), Turn(send="Never mind.")]
    outcome = stage.play(slow, says("Fine."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Fine."
    stopped, following = stage.upstream.calls
    assert not stopped.cut
    assert following.roles == ["system", "user", "assistant", "tool", "user"]


def test_after_a_stop_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=After(texts=1)), Turn(send="And now?")]
    outcome = stage.play(says("Let me see", ending="silence"), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Done."
    assert [message.role for message in outcome.messages] == ["user", "assistant"] * 2
    assert stage.upstream.calls[1].roles == ["system", "user", "assistant", "user"]


def test_after_a_stop_before_any_answer_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=After(seconds=0.2)), Turn(send="And now?")]
    outcome = stage.play(is_mute(), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.messages[1].parts == []
    assert outcome.last.text == "Done."


@pytest.mark.parametrize("body", ["full", "message", "turn"])
@pytest.mark.parametrize("route", ["/api/chat", "/api/lasting", "/api/patient"])
def test_what_was_said_until_the_stop_is_kept_and_the_next_message_goes_at_once(
    stage: Stage, route: str, body: Body
) -> None:
    turns = [Turn(send="Hello", stop_after=After(texts=1)), Turn(send="And now?")]
    held = says("Let me see", HOLD, ", I think")
    outcome = stage.play(held, says("Done."), turns=turns, route=route, body=body)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert [message.text for message in outcome.messages] == ["Hello", "Let me see", "And now?", "Done."]
    stopped, following = stage.upstream.calls
    assert stopped.was_cut()
    assert following.texts[1:] == ["Hello", "Let me see", "And now?"]
    assert_lasts(stage, outcome, route)
    assert [row["status"] for row in stage.rows(outcome.chat_id, 3)] == ["aborted", "done", "done"]


def test_a_client_that_only_leaves_does_not_stop_a_run_that_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=After(texts=1))]
    outcome = stage.play(says("Let me see", HOLD, ", I think"), turns=turns, route="/api/lasting", body="turn")
    assert outcome.finishes[-1].is_abort
    assert stage.upstream.calls[0].ended_at is None
    back = stage.reopen(outcome.chat_id, turns=[Turn(resume=True)], route="/api/lasting")
    assert back.last.text == "Let me see, I think"
    assert not stage.upstream.calls[0].was_cut()
    assert_lasts(stage, back, "/api/lasting")


def test_the_route_stops_a_run_that_its_reader_left(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=After(texts=1))]
    outcome = stage.play(says("Let me see", HOLD, ending="silence"), turns=turns, route="/api/lasting", body="turn")
    assert stage.request("POST", f"/api/lasting/{outcome.chat_id}/stop") == (200, {"stopped": True})
    assert stage.request("POST", f"/api/lasting/{outcome.chat_id}/stop") == (200, {"stopped": False})
    assert stage.upstream.calls[0].was_cut()
    [row] = stage.rows(outcome.chat_id, 1)
    assert row["status"] == "aborted"
    assert_lasts(stage, outcome, "/api/lasting")


@pytest.mark.parametrize("route", ["/api/chat", "/api/lasting"])
def test_a_stop_of_the_run_ends_the_stream_of_every_reader(stage: Stage, route: str) -> None:
    turns = [Turn(send="Hello", readers=1, stop="run", stop_after=After(texts=2))]
    outcome = stage.play(says("Let me see", HOLD, ", I", ending="silence"), turns=turns, route=route)
    for page in (outcome, *outcome.readers):
        assert (page.status, page.error, page.last.text) == ("ready", None, "Let me see, I")
        assert page.types[-3:] == ["finish-step", "abort", "finish"]
        assert page.exchanges[0].done
    assert outcome.problems == []
    assert stage.upstream.calls[0].was_cut()
    assert_lasts(stage, outcome, route)


def test_somebody_else_cannot_stop_a_run(stage: Stage) -> None:
    mine, yours = {"x-user-id": "ann"}, {"x-user-id": "bob"}
    turns = [Turn(send="Hello", stop_after=After(texts=1))]
    outcome = stage.play(says("Let me see", HOLD, "."), turns=turns, route="/api/lasting", headers=mine)
    for other in (yours, {}):
        assert stage.request("POST", f"/api/lasting/{outcome.chat_id}/stop", **other) == (200, {"stopped": False})
    back = stage.reopen(outcome.chat_id, turns=[Turn(resume=True)], route="/api/lasting", headers=mine)
    assert back.last.text == "Let me see."
    assert_lasts(stage, back, "/api/lasting", **mine)


def test_a_server_that_goes_down_ends_the_stream_and_is_not_asked_again(
    client: Client, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.play(calls(("get_weather", {"city": "Oslo"})), says(ending="silence"))
    with served(tmp_path, upstream.url, "--drain", "0") as server, ThreadPoolExecutor() as pool:
        scenario = Scenario(turns=[Turn(send="Oslo?")], send_automatically=True)
        playing = pool.submit(client.drive, f"{server.url}/api/chat", scenario)
        upstream.wait_for(2)
        server.process.terminate()
        outcome = playing.result()
    assert_accepted(outcome)
    assert outcome.types[-2:] == ["abort", "finish"]
    assert upstream.calls[-1].cut
