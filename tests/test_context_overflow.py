"""A conversation that is too long: the oldest turns are left out, and the run says so."""

from __future__ import annotations

import logging

import pytest

from fondation import events
from fondation.calls import RunInfo
from fondation.errors import ContextTooLong
from fondation.messages import AssistantMessage, Message, SystemMessage, TextPart, ToolCall, ToolResult, UserMessage
from fondation.protocols.payloads import summary_metadata
from fondation.providers.base import TextPiece
from fondation.run_request import RunRequest, Start
from fondation.runner import Run
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Player, ScriptedProvider, build_route, play, text


def asked(words: str) -> UserMessage:
    return UserMessage((TextPart(words),))


TURNS: tuple[Message, ...] = (
    asked("a"),
    AssistantMessage("A"),
    asked("b"),
    AssistantMessage("B"),
    asked("1"),
    AssistantMessage("", (ToolCall("t1", "look", "{}"),)),
    ToolResult("t1", "look", "seen"),
    AssistantMessage("one"),
    asked("2"),
    AssistantMessage("two"),
    asked("3"),
)


def run_of(provider: ScriptedProvider, player: Player | None = None) -> Run:
    route = build_route(provider, {"A": player or Player()})
    return Run(RunRequest(RunInfo("run_1", "s1"), route, Start(route.agent), TURNS, "msg_1"))


def texts(provider: ScriptedProvider, request: int) -> list[str]:
    messages = provider.requests[request].messages
    return [message.text for message in messages if not isinstance(message, SystemMessage | ToolResult)]


async def test_the_oldest_turns_are_left_out_until_it_fits(caplog: pytest.LogCaptureFixture) -> None:
    provider = ScriptedProvider([[ContextTooLong("x")], [ContextTooLong("x")], text("ok")])
    told = await play(run_of(provider))
    assert_well_formed(told)
    assert [texts(provider, number) for number in (0, 1, 2)] == [
        ["a", "A", "b", "B", "1", "", "one", "2", "two", "3"],
        ["2", "two", "3"],
        ["3"],
    ]
    finished = told[-1]
    assert isinstance(finished, events.RunFinished)
    assert finished.summary.dropped_messages == 10
    assert summary_metadata(finished.summary)["droppedMessages"] == 10
    assert "its oldest 10 messages are left out" in caplog.text


async def test_each_call_counts_on() -> None:
    run = run_of(ScriptedProvider([[ContextTooLong("x")], text("ok")]))
    await play(run)
    assert [(call.step, call.attempt) for call in run.calls] == [(1, 1), (1, 2)]


async def test_the_newest_turn_alone_fails_where_it_is_too_long() -> None:
    provider = ScriptedProvider([[ContextTooLong("x")] for _ in range(3)])
    [*_, failed] = await play(run_of(provider))
    assert isinstance(failed, events.RunFailed)
    assert failed.error_type == "context_length"


async def test_nothing_is_asked_again_once_the_page_has_read() -> None:
    provider = ScriptedProvider([[[TextPiece("So far")], ContextTooLong("x")]])
    [*_, failed] = await play(run_of(provider))
    assert isinstance(failed, events.RunFailed)
    assert len(provider.requests) == 1


async def test_an_agents_window_counts_an_answer_with_its_calls_as_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    provider = ScriptedProvider([text("ok")])
    [*_, finished] = await play(run_of(provider, Player(last_messages=5)))
    assert texts(provider, 0) == ["1", "", "one", "2", "two", "3"]
    assert isinstance(finished, events.RunFinished)
    assert "droppedMessages" not in summary_metadata(finished.summary)
    assert not caplog.text
