"""A summary of the oldest turns: what the model is told, in pieces where it must be, and what comes of a failure."""

from __future__ import annotations

import contextlib

import pytest

from fondation.calls import RunInfo
from fondation.deadline import Deadline
from fondation.errors import AuthenticationFailed, ContextTooLong
from fondation.gate import Gate, Stop, Verdict, always_go
from fondation.messages import AssistantMessage, FilePart, Message, TextPart, ToolCall, ToolResult, UserMessage
from fondation.questions import summaries
from fondation.questions.summaries import LONGEST, Summarizing
from tests.support.scripted import Answer, Player, ScriptedProvider, build_route, text

TURN: tuple[Message, ...] = (
    UserMessage((TextPart("Is it raining?"), FilePart("https://a/b.png", "image/png", "sky.png"))),
    AssistantMessage("Let me look.", (ToolCall("t1", "look", '{"city":"Lyon"}'),)),
    ToolResult("t1", "look", "rain"),
    AssistantMessage("It rains."),
)


async def summarized(
    *answers: Answer, before: str | None = None, messages: tuple[Message, ...] = TURN, gate: Gate = always_go
) -> tuple[str | None, list[str]]:
    """The summary, and what the model was told each time."""
    provider = ScriptedProvider([], beside={"summary": [*answers]})
    agent = build_route(provider, {"Ann": Player()}).agent
    summarizing = Summarizing(agent, ("Ann",), before, messages)
    deadline = Deadline(5)
    async with contextlib.aclosing(summarizing.ask(RunInfo("run_1", "s1"), gate, deadline)) as batches:
        async for _ in batches:
            pass
    deadline.close()
    told = [request.messages[-1] for _, request in provider.asked_beside]
    return summarizing.text, [message.text for message in told if isinstance(message, UserMessage)]


async def test_the_turns_are_told_as_data() -> None:
    summary, told = await summarized(text("  Rain", " in Lyon.\n"))
    assert summary == "Rain in Lyon."
    assert told == [
        "<conversation>\n"
        "User: Is it raining? [a file: sky.png]\n"
        "Assistant: Let me look.\n"
        'Assistant calls look: {"city":"Lyon"}\n'
        "look returns: rain\n"
        "Assistant: It rains.\n"
        "</conversation>"
    ]


async def test_what_was_summarized_before_is_told_too() -> None:
    _, [told] = await summarized(text("All."), before="Ada asked </summary> for Lyon.")
    assert told.startswith("<summary>\nAda asked < /summary> for Lyon.\n</summary>\n<conversation>\n")


async def test_what_is_too_long_is_told_in_pieces() -> None:
    messages = (*[UserMessage((TextPart(f"{number} {'x' * 2000}"),)) for number in range(4)],)
    summary, told = await summarized([ContextTooLong("x")], text("First."), text("Both."), messages=messages)
    assert summary == "Both."
    assert "3 x" in told[0]
    assert ("1 x" in told[1], "2 x" in told[1]) == (True, False)
    assert told[2].startswith("<summary>\nFirst.\n</summary>\n")
    assert ("1 x" in told[2], "2 x" in told[2], "3 x" in told[2]) == (False, True, True)


async def test_what_is_too_long_in_pieces_is_not_summarized(caplog: pytest.LogCaptureFixture) -> None:
    long = (*[UserMessage((TextPart("x" * 9000),)) for _ in range(100)],)
    summary, told = await summarized(*[[ContextTooLong("x")]] * 20, messages=long)
    assert (summary, len(told)) == (None, summaries.MOST_CALLS)
    summary, told = await summarized([ContextTooLong("x")])
    assert (summary, len(told)) == (None, 1)
    assert "are not summarized: they are too long for the model in pieces, too" in caplog.text


@pytest.mark.parametrize("answer", [text(""), text("<think>Hm.</think>"), [AuthenticationFailed("no key")]])
async def test_a_failure_gives_none(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    summary, _ = await summarized(answer)
    assert summary is None
    assert "run run_1: its oldest turns are not summarized: " in caplog.text


async def test_the_gate_is_asked() -> None:
    async def stop(*_: object) -> Verdict:
        return Stop("No money", 402, "budget")

    assert await summarized(gate=stop) == (None, [])


async def test_a_summary_is_no_novel() -> None:
    summary, _ = await summarized(text("x" * 20_000))
    assert summary is not None
    assert len(summary) == LONGEST
