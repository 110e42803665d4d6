"""What a mistyped amount was probably meant to be, in the form that the file wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from fondation.config import scalars
from fondation.config.scalars import Scalar

_NUMBER = r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?)"
_DOLLARS = re.compile(rf"(?:\$|USD|US\$)?\s*{_NUMBER}\s*(?:\$|USD|dollars?)?", re.IGNORECASE)
_PERCENT = re.compile(rf"{_NUMBER}\s*(?P<sign>%|percent)?", re.IGNORECASE)
_CENTS = 2


def meant(scalar: Scalar, text: str) -> str | None:
    """`5` as "$5.00" where `scalar` is money; None where nobody can tell."""
    guess = _GUESSES[scalar](text.strip()) if scalar in _GUESSES else None
    return guess if guess is not None and scalar.fits(guess) else None


def _money(text: str) -> str | None:
    match = _DOLLARS.fullmatch(text)
    if match is None:
        return None
    whole, _, decimals = match["number"].replace(",", "").partition(".")
    return f"${(whole or '0').lstrip('0') or '0'}.{decimals.ljust(_CENTS, '0')}"


def _percent(text: str) -> str | None:
    match = _PERCENT.fullmatch(text)
    if match is None:
        return None
    number = Decimal(match["number"].replace(",", ""))
    if match["sign"] is None and number == 1:  # a hundredth, or the whole
        return None
    share = match["sign"] is None and number < 1
    return f"{(number * 100 if share else number).normalize():f}%"


_GUESSES: Mapping[Scalar, Callable[[str], str | None]] = {scalars.MONEY: _money, scalars.PERCENT: _percent}
