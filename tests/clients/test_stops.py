"""The user stops an answer, or the server itself does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .harness import Client, Outcome, Scenario, StopAfter, Turn
from .serving import served
from .stage import Stage, assert_accepted
from .upstream import Call, Upstream, calls, is_mute, says

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
    outcome = stage.stop(says(*["word "] * 400, pause=0.02), after=StopAfter(texts=3))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text.startswith("word word word ")


def test_stop_while_the_model_pauses_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says("Let me see", ending="silence"), after=StopAfter(texts=1))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == "Let me see"


def test_stop_before_the_first_word_ends_the_upstream_call(stage: Stage) -> None:
    outcome = stage.stop(says(ending="silence"), after=StopAfter(seconds=0.2))
    assert_ends_with_the_stop(outcome, stage.upstream.calls[0])
    assert outcome.last.text == ""


def test_stop_while_a_tool_runs_asks_the_model_nothing_more(stage: Stage) -> None:
    slow = calls(("get_weather", {"city": "Oslo", "seconds": 1}))
    turns = [Turn(send="Oslo?", stop_after=StopAfter(tools=1)), Turn(send="Never mind.")]
    outcome = stage.play(slow, says("Fine."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Fine."
    stopped, following = stage.upstream.calls
    assert not stopped.cut
    assert following.roles == ["system", "user", "assistant", "tool", "user"]


def test_after_a_stop_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=StopAfter(texts=1)), Turn(send="And now?")]
    outcome = stage.play(says("Let me see", ending="silence"), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.last.text == "Done."
    assert [message.role for message in outcome.messages] == ["user", "assistant"] * 2
    assert stage.upstream.calls[1].roles == ["system", "user", "assistant", "user"]


def test_after_a_stop_before_any_answer_the_chat_goes_on(stage: Stage) -> None:
    turns = [Turn(send="Hello", stop_after=StopAfter(seconds=0.2)), Turn(send="And now?")]
    outcome = stage.play(is_mute(), says("Done."), turns=turns)
    assert (outcome.status, outcome.problems, outcome.posts) == ("ready", [], 2)
    assert outcome.messages[1].parts == []
    assert outcome.last.text == "Done."


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
