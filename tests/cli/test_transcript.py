"""What stays of an answer in the conversation."""

from __future__ import annotations

from fondation.cli.transcript import Transcript
from fondation.events import Event, StepFinished, StepStarted, TextDelta, ToolCalled, ToolFailed, ToolSucceeded
from fondation.messages import AssistantMessage, Message, ToolCall, ToolResult


def kept(*told: Event) -> tuple[Message, ...]:
    transcript = Transcript()
    for event in told:
        transcript.feed([event])
    return transcript.messages


def test_each_step_is_a_message_with_its_results_after_it() -> None:
    assert kept(
        StepStarted(),
        TextDelta("t1", "Let me "),
        TextDelta("t1", "see."),
        ToolCalled("a", "look", {"at": "é"}),
        ToolCalled("b", "find", "not json"),
        ToolFailed("b", "find", "no"),
        ToolSucceeded("a", "look", {"found": 1}),
        StepFinished(),
        StepStarted(),
        TextDelta("t2", "Done."),
        StepFinished(),
    ) == (
        AssistantMessage("Let me see.", (ToolCall("a", "look", '{"at":"é"}'), ToolCall("b", "find", "not json"))),
        ToolResult("a", "look", '{"found":1}'),
        ToolResult("b", "find", "Error: no"),
        AssistantMessage("Done."),
    )


def test_a_call_without_a_result_is_left_out() -> None:
    assert kept(TextDelta("t1", "So far"), ToolCalled("a", "look", {})) == (AssistantMessage("So far"),)


def test_nothing_said_is_nothing_kept() -> None:
    assert kept(StepStarted(), ToolCalled("a", "look", {}), StepFinished()) == ()
