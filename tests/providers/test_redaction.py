from __future__ import annotations

import pytest

from fondation.providers.redaction import LONGEST, Redactor

KEY = "sk-or-v1-8f2a9c"


@pytest.mark.parametrize(
    "text",
    [
        f"User not found for {KEY}",
        "Incorrect API key provided: sk-proj-abc***xyz.",
        "Authorization: Bearer abcdef0123456789",
        '{"api_key": "abcdef0123456789"}',
        "http://host/v1?key=abcdef0123456789&x=1",
        "connect to http://user:abcdef0123456789@proxy:3128 failed",
        "AIzaSyA0123456789abcdef is not valid",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    shown = Redactor(KEY)(text)
    assert "[hidden]" in shown
    for secret in (KEY, "sk-proj", "abcdef0123456789", "AIzaSy"):
        assert secret not in shown


def test_a_key_of_any_form_is_hidden() -> None:
    assert Redactor("hunter22")("password hunter22!") == "password [hidden]!"


@pytest.mark.parametrize("key", ["x", "EMPTY", "1234567"])
def test_a_key_that_is_part_of_words_is_no_secret(key: str) -> None:
    text = "max_tokens: EMPTY, not 12345678"
    assert Redactor(key)(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit exceeded: free-models-per-day. Add 10 credits",
        "maximum context length is 8192 tokens: 9000 tokens given",
        "the key: value pairs; skeleton; risk-taking is fine",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert Redactor(KEY)(text) == text
    assert Redactor(None)(text) == text


def test_text_is_one_line_of_a_sane_length() -> None:
    assert Redactor(None)("a\n  b\tc") == "a b c"
    assert len(Redactor(None)("x" * 100_000)) <= LONGEST + 3


def test_a_key_at_the_cut_is_hidden_before_the_cut() -> None:
    assert "sk-or" not in Redactor(KEY)("x" * (LONGEST - 6) + KEY)
