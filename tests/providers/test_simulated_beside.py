"""What a simulated model says beside the answer."""

from __future__ import annotations

import json

import pytest

from fondation.calls import ModelCall, Purpose
from fondation.messages import SystemMessage
from fondation.providers.base import TextPiece
from fondation.providers.simulated import SimulatedProvider
from fondation.providers.simulated.beside import write_beside
from tests.providers.simulated_requests import WEATHER, request, user


def said(purpose: Purpose, *quoted: str) -> str:
    texts = [f"<part{number}>\n{text}\n</part{number}>" for number, text in enumerate(quoted)]
    return write_beside(purpose, [SystemMessage("Do it."), user("\n".join(texts))])


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("What is the weather in Lyon?", "Weather in Lyon"),
        ("Hello! Is my invoice INV-42 paid?", "Invoice INV-42 paid"),
        ("Bonjour, quel temps fait-il à Paris ?", "Temps fait-il à Paris"),
        ("one two three four five six seven eight", "Two three four five six seven"),
        ("Hello", "Conversation"),
        ("", "Conversation"),
    ],
)
def test_a_title_is_what_the_message_is_about(message: str, title: str) -> None:
    assert said("title", message) == title


def test_suggestions_are_a_json_array() -> None:
    first, *others = json.loads(said("suggestions", "What is the weather in Lyon?", "It rains."))
    assert first == "Tell me more about: Weather in Lyon"
    assert len(others) == 2
    assert json.loads(said("suggestions", "Hello", "Hi."))[0] == "Tell me more"


def test_a_summary_says_that_it_is_none() -> None:
    text = said("summary", "User: Hi\nAssistant: Hello")
    assert text == "Simulated summary, no model was called. User: Hi Assistant: Hello"


async def test_the_purpose_of_the_call_decides() -> None:
    call = ModelCall("Ann", "simulated", "some/model", ("Ann",), purpose="title")
    pieces = SimulatedProvider("some/model", seconds_per_piece=0).stream(request("weather in Lyon", [WEATHER]), call)
    words = [piece.text async for batch in pieces for piece in batch if isinstance(piece, TextPiece)]
    assert "".join(words) == "Weather in Lyon"
    assert call.usage is not None
