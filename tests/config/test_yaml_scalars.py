from __future__ import annotations

import pytest

from fondation.config.yaml_scalars import read, refusal


@pytest.mark.parametrize(
    ("word", "wanted", "help"),
    [
        ("012", (), 'quote the text: "012", or write the integer 12'),
        ("012", ("string",), 'quote the text: "012"'),
        ("012", ("integer",), "write the integer 12"),
        ("012", ("string", "integer"), 'quote the text: "012", or write the integer 12'),
        ("0x1f", ("integer",), "write a plain number"),
        ("0x1f", (), 'quote the text: "0x1f"'),
        ("12:30", ("string",), 'quote the text: "12:30"'),
        ("12:30", ("integer",), "write a plain number"),
        ("2026-01-31", (), 'quote the text: "2026-01-31"'),
    ],
)
def test_the_help_for_an_ambiguous_word_offers_only_what_belongs_there(
    word: str, wanted: tuple[str, ...], help: str
) -> None:
    assert refusal(read(word)[0], word, wanted) == help


@pytest.mark.parametrize("word", ["text", "12", "1.5", "yes", "~"])
def test_a_word_that_all_readers_take_alike_is_not_refused(word: str) -> None:
    assert refusal(read(word)[0], word, ()) is None
