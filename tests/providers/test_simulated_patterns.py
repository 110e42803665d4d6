"""Text that matches a pattern."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.providers.simulated.patterns import samples


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        (r"^INV-\d+$", "INV-1"),
        (r"^[A-Z]{3}-\d{2,4}$", "ABC-12"),
        (r"^(low|high)$", "low"),
        (r"^\+?[1-9]\d{7}$", "11234567"),
        (r"^#[0-9a-fA-F]{6}$", "#012345"),
        (r"^[a-z]+(?:-[a-z]+)*$", "a"),
        (r"^(?P<year>20\d{2})$", "2012"),
        (r"^[^@\s]+@[^@\s]+\.com$", "a@a.com"),
        (r"^\x41\u0042\.\/$", "AB./"),
        (r"^[\w.-]+$", "a"),
        (r"^a{2,}?$", "aa"),
        (r"", ""),
    ],
)
def test_common_patterns_are_written(pattern: str, first: str) -> None:
    assert next(samples(pattern)) == first


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", "[", "(", "*", r"\p{L}", "a)", "[]", r"\u00", "\\"])
def test_what_cannot_be_written_has_no_samples(pattern: str) -> None:
    assert list(samples(pattern)) == []


def test_samples_differ() -> None:
    found = list(samples(r"^[A-Z]{2}\d$"))
    assert len(found) == len(set(found)) > 20


def test_a_huge_repetition_is_given_up() -> None:
    assert list(samples(r"^a{1000000}$")) == []


ATOMS = st.sampled_from(["a", r"\d", r"\w", "[a-f]", "[^0-9]", ".", r"\.", "(?:ab|cd)", "(x)", r"\s"])
REPEATS = st.sampled_from(["", "?", "+", "*", "{2}", "{1,3}", "{2,}"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ATOMS, REPEATS).map("".join), min_size=1, max_size=5).map("".join), st.booleans())
def test_every_pattern_of_these_parts_is_matched(pattern: str, anchored: bool) -> None:
    pattern = f"^{pattern}$" if anchored else pattern
    found = list(samples(pattern))
    assert found
    assert all(re.search(pattern, text) for text in found)
