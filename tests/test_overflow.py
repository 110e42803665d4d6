"""A conversation that is too long, told to an agent that summarizes: its oldest turns become a summary."""

from __future__ import annotations

import pytest

from fondation import events
from fondation.calls import RunInfo
from fondation.errors import ContextTooLong, ModelNotFound
from fondation.messages import ConversationSummary
from fondation.protocols.payloads import summary_metadata
from fondation.run_request import RunRequest, Start
from fondation.runner import Run
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Answer, Player, ScriptedProvider, build_route, handoff, play, text
from tests.test_context_overflow import TURNS, texts

TOO_LONG: Answer = [ContextTooLong("x")]
HEADING = "[The conversation before this message, in short]"


def run_of(provider: ScriptedProvider, summary: ConversationSummary | None = None, player: Player | None = None) -> Run:
    players = {"A": player or Player(summarizes=True), "B": Player()}
    route = build_route(provider, players)
    return Run(RunRequest(RunInfo("run_1", "s1"), route, Start(route.agent), TURNS, "msg_1", summary=summary))


def summary_of(told: list[events.Event]) -> events.RunSummary:
    outcome = told[-1]
    assert isinstance(outcome, events.RunFinished | events.RunFailed)
    return outcome.summary


async def test_the_oldest_turns_become_a_summary(caplog: pytest.LogCaptureFixture) -> None:
    provider = ScriptedProvider([TOO_LONG, text("ok")], beside={"summary": [text("It was about a and b.")]})
    run = run_of(provider)
    told = await play(run)
    assert_well_formed(told)
    assert texts(provider, 1) == [f"{HEADING}\nIt was about a and b.\n[The message]\n2", "two", "3"]
    assert run.dialogue.summary == ConversationSummary("It was about a and b.", 8)
    metadata = summary_metadata(summary_of(told))
    assert metadata["summarizedMessages"] == 8
    assert "droppedMessages" not in metadata
    assert "its oldest 8 messages are summarized" in caplog.text


async def test_its_call_is_told_apart_and_no_part_of_the_answers_usage() -> None:
    provider = ScriptedProvider([TOO_LONG, text("ok")], beside={"summary": [text("Short.")]})
    run = run_of(provider)
    told = await play(run)
    [(call, request)] = provider.asked_beside
    ended = [event.call for event in told if isinstance(event, events.CallEnded)]
    assert [each.purpose for each in ended] == ["answer", "summary", "answer"]
    assert call is ended[1]
    assert (call.agent, call.step, call.attempt, call.handoff_chain, call.status) == ("A", 0, 1, ("A",), "done")
    assert request.tools == ()
    assert summary_of(told).calls == 2
    assert summary_of(told).usage.cost == 0.25


async def test_a_summary_that_is_too_long_yet_takes_in_more() -> None:
    answers = [TOO_LONG, TOO_LONG, text("ok")]
    provider = ScriptedProvider([*answers], beside={"summary": [text("First."), text("All.")]})
    run = run_of(provider)
    await play(run)
    assert run.dialogue.summary == ConversationSummary("All.", 10)
    assert texts(provider, 2) == [f"{HEADING}\nAll.\n[The message]\n3"]
    asked = provider.asked_beside[1][1].messages[1]
    assert getattr(asked, "text", "").startswith("<summary>\nFirst.\n</summary>\n<conversation>\nUser: 2\n")


async def test_turns_are_left_out_where_no_summary_comes(caplog: pytest.LogCaptureFixture) -> None:
    provider = ScriptedProvider([TOO_LONG, text("ok")], beside={"summary": [[ModelNotFound("gone")]]})
    told = await play(run_of(provider))
    assert_well_formed(told)
    assert texts(provider, 1) == ["2", "two", "3"]
    assert summary_metadata(summary_of(told))["droppedMessages"] == 8
    assert "its oldest turns are not summarized: gone" in caplog.text
    assert "its oldest 8 messages are left out" in caplog.text


async def test_a_summary_of_an_earlier_turn_is_read_at_once() -> None:
    provider = ScriptedProvider([text("ok")])
    told = await play(run_of(provider, ConversationSummary("Before.", 4)))
    assert texts(provider, 0)[0] == f"{HEADING}\nBefore.\n[The message]\n1"
    assert summary_metadata(summary_of(told))["summarizedMessages"] == 4


async def test_a_window_of_last_messages_begins_with_the_summary() -> None:
    provider = ScriptedProvider([text("ok")])
    await play(run_of(provider, ConversationSummary("Before.", 4), Player(summarizes=True, last_messages=1)))
    assert texts(provider, 0) == [f"{HEADING}\nBefore.\n[The message]\n3"]


async def test_an_agent_that_does_not_summarize_reads_it_all() -> None:
    provider = ScriptedProvider([handoff("B"), text("ok")])
    player = Player(summarizes=True, handoffs=("B",))
    told = await play(run_of(provider, ConversationSummary("Before.", 4), player))
    assert texts(provider, 0)[0].startswith(HEADING)
    assert texts(provider, 1)[:2] == ["a", "A"]
    assert summary_of(told).agent == "B"


async def test_a_summary_that_does_not_fit_beside_the_newest_turn_goes_too() -> None:
    provider = ScriptedProvider([TOO_LONG, text("ok")])
    told = await play(run_of(provider, ConversationSummary("Before.", 10)))
    assert [texts(provider, number) for number in (0, 1)] == [[f"{HEADING}\nBefore.\n[The message]\n3"], ["3"]]
    assert summary_metadata(summary_of(told))["droppedMessages"] == 10


async def test_the_newest_turn_alone_fails_where_it_is_too_long() -> None:
    provider = ScriptedProvider([TOO_LONG, TOO_LONG])
    told = await play(run_of(provider, ConversationSummary("Before.", 10)))
    assert isinstance(told[-1], events.RunFailed)
    assert told[-1].error_type == "context_length"
