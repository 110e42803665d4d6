from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.messages import (
    AssistantMessage,
    FilePart,
    Message,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolResult,
    UserMessage,
)
from fondation.stores.sqlite.chats_json import read, read_messages, write, write_messages

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def tuples(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=3).map(tuple)


PARTS = st.builds(TextPart, TEXT) | st.builds(FilePart, TEXT, TEXT, st.none() | TEXT)
FIELDS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    SystemMessage: {"text": TEXT},
    UserMessage: {"parts": tuples(PARTS), "id": st.none() | TEXT},
    AssistantMessage: {
        "text": TEXT,
        "tool_calls": tuples(st.builds(ToolCall, TEXT, TEXT, TEXT)),
        "model": st.none() | TEXT,
        "reasoning_details": st.none() | tuples(JSON),
    },
    ToolResult: {"call_id": TEXT, "name": TEXT, "content": TEXT},
}
MESSAGES = st.one_of([st.builds(kind, **fields) for kind, fields in FIELDS.items()])


@given(st.lists(MESSAGES, max_size=5).map(tuple))
@settings(max_examples=150, deadline=None)
def test_model_messages_come_back_as_they_were(messages: tuple[Message, ...]) -> None:
    assert read_messages(write_messages(messages)) == messages


def test_every_kind_of_message_and_every_field_is_tried() -> None:
    assert set(FIELDS) == set(get_args(Message))
    for kind, strategies in FIELDS.items():
        assert set(strategies) == {field.name for field in dataclasses.fields(kind)}
    assert [field.name for field in dataclasses.fields(ToolCall)] == ["id", "name", "arguments"]
    assert [field.name for field in dataclasses.fields(TextPart)] == ["text"]
    assert [field.name for field in dataclasses.fields(FilePart)] == ["url", "media_type", "filename"]


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_json_values_come_back_as_they_were(value: Any) -> None:
    assert read(write(value)) == value


def test_half_a_character_is_replaced() -> None:
    assert read(write(({"text": "a\ud83d!", "\ude00": ["\udc00"]},))) == [{"text": "a\ufffd!", "\ufffd": ["\ufffd"]}]
    assert read_messages(write_messages((UserMessage((TextPart("\ud83d"),)),))) == (UserMessage((TextPart("\ufffd"),)),)


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 2, "messages": []}',
        "[]",
        "nonsense",
        '{"version": 1, "messages": [{"role": "poet", "text": "roses"}]}',
        '{"version": 1, "messages": [{"role": "user", "parts": [{"type": "smell"}], "id": null}]}',
    ],
)
def test_what_another_version_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|malformed"):
        read_messages(text)
