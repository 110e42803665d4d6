from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.match_on import InvalidPattern, compile_match


@pytest.mark.parametrize(
    ("words", "message", "found"),
    [
        (["INVOICE"], "my invoice 12", True),
        (["invoice"], "My INVOICE!", True),
        (["invoice"], "invoices", False),
        (["invoice"], "reinvoice it", False),
        (["invoice"], "l'invoice_2", False),
        (["pay", "refund"], "A refund, please", True),
        (["credit card"], "my Credit\n  card", True),
        (["straße"], "Die STRASSE", True),
        (["été"], "cet ÉTÉ-là", True),
        (["c++"], "I like C++.", True),
        (["c++"], "c++17", False),
        ([r"/order #\d+/i"], "My Order #42", True),
        ([r"/order #\d+/"], "My Order #42", False),
        (["/^help$/"], "help", True),
        (["/^help$/"], "please help", False),
        (["/a/b/"], "x a/b x", True),
        ([], "anything", False),
        (["no", "/never/"], "something else", False),
        (["/./"], "\ud800", True),
    ],
)
def test_a_message_matches_whole_words_or_expressions(words: list[str], message: str, found: bool) -> None:
    assert compile_match(words).matches(message) is found


@pytest.mark.parametrize(
    ("word", "says", "help"),
    [
        ("/order", "does not end as a regular expression", "single quotes"),
        ("/", "does not end as a regular expression", "single quotes"),
        ("//", "does not end as a regular expression", "single quotes"),
        ("/(/", "is no regular expression: missing )", "RE2"),
        ("/(?=x)/", "is no regular expression", "no lookahead"),
        (r"/(a)\1/", "is no regular expression", "backreference"),
        ("/(a{1000}){1000}/", "is no regular expression", "RE2"),
        ("/a/g", 'has the flags "g"', "the only flag is i"),
        ("  ", "a blank word", "write a word"),
    ],
)
def test_a_word_that_cannot_be_used_says_why(word: str, says: str, help: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        compile_match([word])
    assert says in str(caught.value)
    assert help in caught.value.help


def test_an_expression_takes_linear_time() -> None:
    matcher = compile_match(["/(a+)+$/", "/(a|a)*c/", "aa a"])
    began = time.monotonic()
    assert not matcher.matches("a" * 100_000 + "!")
    assert not matcher.matches("aa" + " " * 100_000 + "b")
    assert time.monotonic() - began < 1


def test_words_alone_never_import_re2() -> None:
    code = (
        "import sys; from fondation.match_on import compile_match;"
        "assert compile_match(['a']).matches('a'); assert 're2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.lists(st.text(min_size=1, max_size=8), max_size=4), st.text(max_size=30))
@settings(max_examples=150)
def test_every_list_of_words_is_compiled_or_refused(words: list[str], message: str) -> None:
    try:
        matcher = compile_match(words)
    except InvalidPattern:
        assert any(word.startswith("/") or not word.strip() for word in words)
    else:
        assert matcher.matches(message) in (True, False)
