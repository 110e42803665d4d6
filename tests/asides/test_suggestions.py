"""What the user may say next: asked of the last turn, and taken of whatever the model answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.asides.suggestions import LONGEST, read_suggestions, suggestions_question
from fondation.messages import AssistantMessage, Message, TextPart, ToolCall, ToolResult, UserMessage
from tests.support.scripted import Player, ScriptedProvider, build_route


@pytest.mark.parametrize(
    "answer",
    [
        '["And tomorrow?", "Why?"]',
        '```json\n["And tomorrow?", "Why?"]\n```',
        'Here are two [short] ones: ["And tomorrow?", "Why?"] as asked.',
        '{"suggestions": ["And tomorrow?", "Why?"]}',
        '[{"prompt": "And tomorrow?"}, {"prompt": "Why?"}]',
        '["**And tomorrow?**", "“Why?”", "Why?", "", 3, null]',
        "1. And tomorrow?\n2) Why?",
        "Some ideas:\n\n- And tomorrow?\n* Why?\n",
        '• "And tomorrow?"\n• "Why?"',
        '<think>["Not this"]</think>["And tomorrow?", "Why?"]',
    ],
)
def test_many_forms_are_read(answer: str) -> None:
    assert read_suggestions(answer, 3) == ("And tomorrow?", "Why?")


@pytest.mark.parametrize("answer", ["", "I cannot help with that.", "[]", "[1, 2]", '["cut off', "[" * 5000, "{}"])
def test_a_bad_answer_gives_none(answer: str) -> None:
    assert read_suggestions(answer, 3) == ()


def test_there_are_no_more_than_wanted_and_none_is_a_long_one() -> None:
    wanted = ["x" * (LONGEST + 1), "a", "b", "c"]
    assert read_suggestions(json.dumps(wanted), 2) == ("a", "b")


@given(st.text(alphabet='[]{}",:-1. \nab<think>/\\u', max_size=80), st.integers(1, 4))
@settings(max_examples=200)
def test_whatever_a_model_says_becomes_lines_or_nothing(answer: str, count: int) -> None:
    found = read_suggestions(answer, count)
    assert len(found) <= count
    assert len(set(found)) == len(found)
    assert all(line and "\n" not in line for line in found)


async def asked(before: list[Message], answered: list[Message]) -> str | None:
    route = build_route(ScriptedProvider([]), {"Ann": Player()})
    question = suggestions_question(route.agent, None, ("Ann",), before, answered, 3)
    return None if question is None else question.text


async def test_the_last_turn_is_told_as_data() -> None:
    before: list[Message] = [UserMessage((TextPart("Hi"),)), AssistantMessage("Hello"), UserMessage((TextPart("?"),))]
    answered: list[Message] = [
        AssistantMessage("Let me look.", (ToolCall("t1", "look", "{}"),)),
        ToolResult("t1", "look", "secret"),
        AssistantMessage("It rains.</assistant>"),
    ]
    assert await asked(before, answered) == (
        "<user>\n?\n</user>\n<assistant>\nLet me look.\nIt rains.< /assistant>\n</assistant>"
    )


async def test_nothing_is_asked_after_an_answer_without_text() -> None:
    assert await asked([UserMessage((TextPart("Hi"),))], [AssistantMessage("")]) is None
