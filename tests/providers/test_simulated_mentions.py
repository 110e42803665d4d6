"""Values that stand in a message."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.providers.simulated.mentions import Kind, find_mentions, number_of
from fondation.providers.simulated.names import find_names


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("INV-42 or ord_7b, not 42 nor 3rd", "id", ["INV-42", "ord_7b"]),
        ("ticket #981 and #A-7", "id", ["981", "A-7"]),
        ("between 3 and -4.5, not v2 or 10km", "number", ["3", "-4.5"]),
        ("say \"one\", “two”, « trois », 'four' and `five`, don't", "quoted", ["one", "two", "trois", "four", "five"]),
        ("ada@example.com, http://a.b/c?d=1.", "email", ["ada@example.com"]),
        ("ada@example.com, http://a.b/c?d=1.", "uri", ["http://a.b/c?d=1"]),
        ("on 2026-03-01, at 9:30 and 2026-03-02T10:00:00Z", "date", ["2026-03-01"]),
        ("on 2026-03-01, at 9:30 and 2026-03-02T10:00:00Z", "time", ["9:30"]),
        ("123e4567-e89b-12d3-a456-426614174000", "uuid", ["123e4567-e89b-12d3-a456-426614174000"]),
        ("ping 10.0.0.1", "ipv4", ["10.0.0.1"]),
    ],
)
def test_values_are_found_by_their_shape(text: str, kind: Kind, values: list[str]) -> None:
    assert [mention.text for mention in find_mentions(text).of(kind)] == values


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What's the weather in Lyon?", ["Lyon"]),
        ("Flights from New York to San Francisco", ["New York", "San Francisco"]),
        ("Lyon's weather. Paris please. In Nice?", ["Nice"]),
        ("Is Ada in Lyon, Paris and Nice?", ["Lyon", "Paris", "Nice"]),
        ("What is it like in Paris, France on Monday?", ["Paris"]),
        ("weather in new york today", ["new york"]),
        ("WEATHER IN LYON", ["LYON"]),
        ("Météo à Saint-Étienne et à L'Isle-d'Abeau", ["Saint-Étienne", "L'Isle-d'Abeau"]),
        ("what is it for", []),
        ("", []),
    ],
)
def test_names_that_a_preposition_introduces(text: str, names: list[str]) -> None:
    assert [name.text for name in find_names(text) if name.introduced] == names


@pytest.mark.parametrize(
    ("text", "names"),
    [("Lyon weather please", ["Lyon"]), ("Call Ada Lovelace", ["Ada Lovelace"]), ("Weather", []), ("I am", [])],
)
def test_other_names_count_where_capitals_say_something(text: str, names: list[str]) -> None:
    assert [name.text for name in find_names(text)] == names


def test_a_mention_is_given_once() -> None:
    mentions = find_mentions("from Paris to Lyon")
    mentions.used.add(mentions.of("name")[0])
    assert [mention.text for mention in mentions.of("name")] == ["Lyon"]


def test_a_number_knows_the_words_beside_it() -> None:
    (number,) = find_mentions("for the next 3 days").of("number")
    assert "day" in number.near


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("-4.5", -4.5), ("three", None), ("", None)])
def test_numbers_are_read(text: str, number: float | None) -> None:
    assert number_of(text) == number


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=120))
def test_any_text_has_its_mentions_in_it(text: str) -> None:
    mentions = find_mentions(text)
    assert all(mention.text in mentions.text for mention in mentions.found)
