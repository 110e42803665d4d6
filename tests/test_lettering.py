from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.lettering import ELLIPSIS, cut, width_of


@pytest.mark.parametrize(
    ("narrower", "wider"), [("till", "seen"), ("seen", "MOWN"), ("seen", "日本語版"), ("ee", "eee")]
)
def test_a_text_is_as_wide_as_its_letters(narrower: str, wider: str) -> None:
    assert width_of(narrower, 12) < width_of(wider, 12)


def test_the_width_grows_with_the_fonts_size() -> None:
    assert width_of("Billing", 24) == pytest.approx(2 * width_of("Billing", 12))


def test_an_accent_behind_its_letter_takes_no_room() -> None:
    assert width_of("e\u0301", 12) == width_of("e", 12)


def test_letters_of_one_width_are_all_as_wide() -> None:
    assert width_of("illi", 10, is_monospaced=True) == width_of("MMMM", 10, is_monospaced=True)
    assert width_of("日本語版", 10, is_monospaced=True) > width_of("MMMM", 10, is_monospaced=True)


def test_what_fits_is_left_as_it_is() -> None:
    assert cut("Billing", width_of("Billing", 14), 14) == "Billing"


def test_what_does_not_fit_is_cut() -> None:
    assert cut("The whole of billing", 60, 12) == f"The wh{ELLIPSIS}"


@given(text=st.text(max_size=60), room=st.floats(13, 400), is_monospaced=st.booleans())
def test_whatever_is_cut_fits_and_is_the_beginning(text: str, room: float, is_monospaced: bool) -> None:
    shown = cut(text, room, 12, is_monospaced=is_monospaced)
    assert width_of(shown, 12, is_monospaced=is_monospaced) <= room + 1e-6
    assert shown == text or (shown.endswith(ELLIPSIS) and text.startswith(shown.removesuffix(ELLIPSIS)))
