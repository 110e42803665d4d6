from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores.sqlite import chats_search
from fondation.stores.sqlite.chats_search import (
    EXCERPT_CHARACTERS,
    LEAD_CHARACTERS,
    MAX_WORDS,
    excerpt,
    first_words,
    fold,
    readable_text,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Is INVOICE 42 paid?", "invoice"),
        ("Où est la Réponse ?", "REPONSE"),
        ("ou est la reponse", "Où réponse"),
        ("Die Straße", "STRASSE"),
        ("ὈΔΥΣΣΕΎΣ", "Οδυσσευς"),
        ("İstanbul", "istanbul"),
        ("ПРИВЕТ, Пётр", "петр привет"),
        ("日本語の請求書", "請求"),
        ("한국어 청구서", "청구"),
        ("\uff21\uff22\uff23 ﬁnally", "abc fi"),
        ("हिन्दी", "हिन्दी"),
        ("100% _sure_", "0% _"),
    ],
)
def test_words_are_found_in_any_language_whatever_their_case_and_accents(text: str, search: str) -> None:
    assert all(word in fold(text) for word in words_of(search))


def test_signs_of_other_scripts_still_tell_words_apart() -> None:
    assert fold("가") not in fold("각")
    assert fold("か") not in fold("が")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_every_word_of_a_text_is_found_in_it(words: list[str]) -> None:
    text = " ".join(words)
    for word in words:
        for change in (str, str.upper, str.lower):
            assert all(folded in fold(text) for folded in words_of(change(word)))


def test_a_search_heeds_each_word_once_the_longest_first_and_not_too_many() -> None:
    assert words_of("  an  Invoice AN\tinvoice paid ") == ("invoice", "paid", "an")
    assert words_of(" \n") == ()
    assert len(words_of(" ".join(map(str, range(100))))) == MAX_WORDS


def test_the_text_of_a_message_is_what_a_person_reads() -> None:
    parts = [
        {"type": "step-start"},
        {"type": "text", "text": "One", "state": "done"},
        {"type": "reasoning", "text": "hidden"},
        {"type": "tool-x", "toolCallId": "1", "state": "output-available", "output": {"text": "hidden"}},
        {"type": "text", "text": None},
        "odd",
        {"type": "text", "text": "Two"},
    ]
    assert readable_text(parts) == "One\nTwo"


def test_first_words_are_one_line_cut_between_words() -> None:
    assert first_words("  Hello\n\n  there \t you ") == "Hello there you"
    assert first_words("") == ""
    cut = first_words("word " * 100)
    assert cut == ("word " * 24).strip() + "…"


@pytest.mark.parametrize("shift", range(6))
def test_an_excerpt_shows_what_was_found_between_what_is_around_it(shift: int) -> None:
    around, filler = "Lorem ipsum dolor sit amet. " * 20, "x" * shift
    text = f"{around}{filler} The Invoice\nINV-42 is páid. {filler} {around}"
    shown = excerpt(text, words_of("inv-42"))
    assert "The Invoice INV-42 is páid." in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= EXCERPT_CHARACTERS + 2
    assert set(shown.strip("…").split()) <= set(text.split())


def test_an_excerpt_is_found_where_folding_changes_lengths() -> None:
    text = "ﬃ" * 300 + " ß here ß " + "é" * 300
    assert "here" in excerpt(text, words_of("HERE"))


@pytest.mark.parametrize("filler", ["ﬃ", "é ", "e\u0301\u0323", "\u304b\u3099", "ß\n\n", "각"])
def test_an_excerpt_of_a_long_text_is_where_it_was_found(filler: str) -> None:
    text = f"{filler * 5_000}nadel {filler * 1_000}"
    shown = excerpt(text, words_of("nadel"))
    assert LEAD_CHARACTERS // 2 <= shown.index("nadel") <= LEAD_CHARACTERS + 1


def test_an_excerpt_folds_little_more_than_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    folded = list[str]()

    def counted(text: str) -> str:
        folded.append(text)
        return fold(text)

    monkeypatch.setattr(chats_search, "fold", counted)
    text = "é" * 100_000 + " nadel"
    assert "nadel" in excerpt(text, ["nadel"])
    assert sum(map(len, folded)) < 1.2 * len(text)
    assert max(map(len, folded)) <= 1_000


def test_an_excerpt_of_a_text_without_spaces_has_what_was_found() -> None:
    assert "請求書" in excerpt("日本語" * 200 + "請求書" + "日本語" * 200, words_of("請求書"))


@given(st.text(max_size=400), st.text(max_size=10))
@settings(max_examples=100, deadline=None)
def test_an_excerpt_is_never_long_nor_several_lines(text: str, search: str) -> None:
    shown = excerpt(text, words_of(search))
    assert len(shown) <= EXCERPT_CHARACTERS + 2
    assert "\n" not in shown
