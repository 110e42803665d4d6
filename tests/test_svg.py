from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.svg import as_text, element, picture


def test_a_picture_is_an_image_with_a_name() -> None:
    text = as_text(picture(120, 40.5, "Cost by day", element("rect", x=1, stroke_width=2.25), class_="chart"))

    assert text == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40.5" width="120" height="40.5" role="img" '
        'aria-label="Cost by day" class="chart"><rect x="1" stroke-width="2.25" /></svg>'
    )


def test_text_may_stand_before_between_and_behind_elements() -> None:
    assert as_text(element("text", "a", element("tspan", "b"), "c", "d")) == "<text>a<tspan>b</tspan>cd</text>"


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1"), (1.0, "1"), (0.126, "0.13"), (100, "100"), (-0.001, "0"), (1e6, "1000000")]
)
def test_numbers_have_two_places_at_most(number: float, text: str) -> None:
    assert element("rect", x=number).get("x") == text


@given(st.text())
def test_whatever_a_name_holds_the_picture_is_sound_and_says_it(name: str) -> None:
    root = ElementTree.fromstring(as_text(picture(1, 1, name, element("text", name))))

    assert root.get("aria-label") is not None
    assert [each.tag.rpartition("}")[2] for each in root.iter()] == ["svg", "text"]
    if name.isprintable():
        assert (root[0].text or "") == name
