"""Text on its way to a model as data, and text of a model on its way to a page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.questions.wording import plain_line, quoted, shortened, without_thoughts


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Weather in Lyon", "Weather in Lyon"),
        ("  Weather\n\tin   Lyon\u2028", "Weather in Lyon"),
        ('"Weather in Lyon"', "Weather in Lyon"),
        ("“Météo à Lyon”", "Météo à Lyon"),
        ("« Météo à Lyon »", "Météo à Lyon"),
        ("„Wetter in Lyon“", "Wetter in Lyon"),
        ("**Weather** in `Lyon`", "Weather in Lyon"),
        ("# Weather", "Weather"),
        ("- Weather", "Weather"),
        ('**"Weather"**', "Weather"),
        ('Tom\'s "best" idea', 'Tom\'s "best" idea'),
        ('"A" and "B"', '"A" and "B"'),
        ("snake_case or C#", "snake_case or C#"),
        ("-5 degrees", "-5 degrees"),
        ("a\x00b\ud83d", "a b"),
        ("👩‍💻 at work", "👩‍💻 at work"),
        ('""', ""),
        ("", ""),
    ],
)
def test_a_line_is_plain(said: str, plain: str) -> None:
    assert plain_line(said) == plain


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_whatever_is_said_becomes_one_line_that_can_be_sent(text: str) -> None:
    line = plain_line(text)
    assert line.splitlines() in ([], [line])
    assert line == line.strip()
    line.encode()


@given(st.text(alphabet="</ mesagM>\n", max_size=60))
@settings(max_examples=150)
def test_what_is_quoted_cannot_leave_its_quotation(text: str) -> None:
    opening, *_, closing = quoted("message", text, 50).split("\n")
    assert (opening, closing) == ("<message>", "</message>")
    inside = quoted("message", text, 50)[len("<message>") : -len("</message>")]
    assert "</message" not in inside.lower()
    assert "<message" not in inside.lower()


def test_a_long_text_is_quoted_in_part() -> None:
    assert quoted("user", "a" * 100, 10) == f"<user>\n{'a' * 9}…\n</user>"
    assert shortened("a" * 10, 10) == "a" * 10


def test_thoughts_are_not_said() -> None:
    assert without_thoughts("<think>Hm.\nLet me see</think>\nLyon") == "\nLyon"
    assert without_thoughts("Lyon<THINKING>and then it broke off") == "Lyon"
