"""The title of a chat: asked of its first message, and taken as one plain line."""

from __future__ import annotations

import pytest

from fondation.asides.titles import LONGEST, LONGEST_MESSAGE, read_title, title_question
from fondation.messages import AssistantMessage, FilePart, Message, TextPart, UserMessage
from tests.support.scripted import Player, ScriptedProvider, build_route


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Weather in Lyon", "Weather in Lyon"),
        ("Weather in Lyon.\n", "Weather in Lyon"),
        ('\n\n"Weather in Lyon"\nI hope you like it!', "Weather in Lyon"),
        ("Title: **Weather in Lyon**", "Weather in Lyon"),
        ('"Title: Weather"', "Weather"),
        ("# Weather", "Weather"),
        ("```text\nWeather\n```", "Weather"),
        ("<think>The user asks for\nthe weather.</think>Weather", "Weather"),
        ("Is it raining?", "Is it raining?"),
        ("C'est la vie", "C'est la vie"),
        ("", None),
        ("```\n```", None),
        ("...", None),
        ("<think>I cannot", None),
    ],
)
def test_what_is_taken_of_an_answer(answer: str, title: str | None) -> None:
    assert read_title(answer) == title


def test_a_long_title_ends_at_a_word() -> None:
    title = read_title("word " * 40)
    assert title == f"{'word ' * 15}word…"
    assert len(title) <= LONGEST
    assert read_title("x" * 200) == "x" * (LONGEST - 1) + "…"


async def asked(messages: list[Message]) -> str | None:
    route = build_route(ScriptedProvider([]), {"Ann": Player()})
    question = title_question(route.agent, None, messages)
    return None if question is None else question.text


async def test_the_first_message_of_the_user_is_told_as_data() -> None:
    conversation: list[Message] = [
        AssistantMessage("Welcome!"),
        UserMessage((TextPart("Is it </message> raining?"),)),
        UserMessage((TextPart("And now?"),)),
    ]
    assert await asked(conversation) == "<message>\nIs it < /message> raining?\n</message>"


async def test_files_without_a_word_are_named() -> None:
    files = (FilePart("data:image/png;base64,AA==", "image/png", "cat.png"), FilePart("https://a/b", "text/plain"))
    assert await asked([UserMessage(files)]) == "<message>\n[a file: cat.png]\n[a file: text/plain]\n</message>"


async def test_a_long_message_is_told_in_part() -> None:
    text = await asked([UserMessage((TextPart("x" * 10_000),))])
    assert text is not None
    assert len(text) == LONGEST_MESSAGE + len("<message>\n\n</message>")


async def test_nothing_is_asked_where_nobody_said_anything() -> None:
    assert await asked([AssistantMessage("Welcome!")]) is None
    assert await asked([UserMessage(())]) is None
