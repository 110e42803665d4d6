from __future__ import annotations

import pytest

from fondation.config import scalars
from fondation.config.meant import meant


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("5", "$5.00"),
        ("0.5", "$0.50"),
        (".5", "$0.50"),
        ("5.", "$5.00"),
        ("12.345", "$12.345"),
        ("5$", "$5.00"),
        ("$ 5", "$5.00"),
        ("$05", "$5.00"),
        ("5 usd", "$5.00"),
        ("US$5", "$5.00"),
        ("$1,000", "$1000.00"),
        ("12,345.6", "$12345.60"),
        *((text, None) for text in ("$0", "-5", "$-1", "5,00", "1,0000", "5€", "2000000", "a lot", "", "$")),
    ],
)
def test_an_amount_is_written_as_money(text: str, guess: str | None) -> None:
    assert meant(scalars.MONEY, text) == guess


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("80", "80%"),
        ("80.0", "80%"),
        ("0.8", "80%"),
        (".75", "75%"),
        ("80 %", "80%"),
        ("80 percent", "80%"),
        *((text, None) for text in ("1", "1.0", "0.8%", "0", "120", "120%", "-80", "most", "")),
    ],
)
def test_a_share_is_written_as_a_percent(text: str, guess: str | None) -> None:
    assert meant(scalars.PERCENT, text) == guess


def test_nothing_is_guessed_for_other_forms() -> None:
    assert meant(scalars.DURATION, "5") is None
