from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.dashboard.charts.waterfall import Bar, Kind, waterfall
from fondation.svg import Element
from tests.dashboard.charts.geometry import NAMES, assert_inside, assert_legible, number, of_class, share
from tests.dashboard.charts.pictures import assert_looks_as_kept

KINDS: tuple[Kind, ...] = ("answer", "retry", "fallback", "beside", "failed")
TIMES = st.integers(min_value=0, max_value=10**8)
BARS = st.builds(
    Bar,
    NAMES,
    st.sampled_from(KINDS),
    TIMES,
    st.none() | TIMES,
    st.none() | TIMES,
    st.sampled_from(["", "Round 1: Triage", "Round 2: Billing"]) | NAMES,
)


def draw(*bars: Bar) -> Element:
    return waterfall("Calls of the run", bars)


def spans(drawing: Element, css: str) -> list[tuple[float, float]]:
    return [(share(mark.get("x")), share(mark.get("x")) + share(mark.get("width"))) for mark in of_class(drawing, css)]


@settings(max_examples=60, deadline=None)
@given(st.lists(BARS, max_size=20))
def test_whatever_is_drawn_is_inside_and_legible(bars: list[Bar]) -> None:
    drawing = draw(*bars)
    assert_inside(drawing)
    assert_legible(drawing)
    assert len(of_class(drawing, "row")) == len(bars)
    tops = [number(mark, "y") for mark in of_class(drawing, "hit")]
    assert all(below - above >= 34 for above, below in pairwise(tops))


def test_a_call_lies_where_its_time_is_and_its_wait_is_light() -> None:
    drawing = draw(Bar("a", "answer", 1000, 4000, 500), Bar("b", "retry", 5000, 5000))
    waiting, text = of_class(drawing, "answer")
    assert waiting.get("class") == "answer waiting"
    assert (waiting.get("x"), waiting.get("width")) == ("10%", "5%")
    assert (text.get("x"), text.get("width")) == ("15%", "35%")
    assert spans(drawing, "retry") == [(0.5, 1.0)]


def test_a_short_call_can_be_seen() -> None:
    drawing = draw(Bar("long", "answer", 0, 120_000), Bar("short", "failed", 119_999, 1))
    ((begins, ends),) = spans(drawing, "failed")
    assert begins == pytest.approx(0.996)
    assert ends == pytest.approx(1)


def test_a_call_whose_end_nobody_knows_is_outlined_to_the_end() -> None:
    drawing = draw(Bar("a", "answer", 0, 4000), Bar("b", "answer", 3000, None, 100))
    assert spans(drawing, "unknown") == [(0.75, 1.0)]
    assert [text.text for text in of_class(drawing, "value")] == ["4.0s", "unknown"]
    assert of_class(drawing, "row")[1].findtext("title") == "b\nbegins after 3.0s, and nobody knows when it ended"


def test_a_call_that_began_when_the_others_had_ended_can_be_seen_although_it_goes_on() -> None:
    ((begins, ends),) = spans(draw(Bar("a", "answer", 0, 3000), Bar("b", "answer", 3000, None)), "unknown")
    assert (begins, ends) == (0.75, 1.0)


def test_a_call_that_goes_on_is_running() -> None:
    drawing = draw(Bar("a", "answer", 3000, None, is_running=True))
    assert [text.text for text in of_class(drawing, "value")] == ["running"]
    assert of_class(drawing, "row")[0].findtext("title") == "a\nbegins after 3.0s, and is still running"


def test_calls_in_a_row_of_one_round_stand_under_its_name() -> None:
    rounds = ["", "one", "one", "two", "one"]
    drawing = draw(*(Bar("call", "answer", at, 1, None, group) for at, group in enumerate(rounds)))
    assert [text.text for text in of_class(drawing, "group")] == ["one", "two", "one"]
    assert len(of_class(drawing, "boundary")) == 3


def test_the_mouse_tells_all_of_a_call() -> None:
    drawing = draw(Bar("Billing", "answer", 2030, 3100, 900, "", "lookup_invoice"))
    assert of_class(drawing, "row")[0].findtext("title") == (
        "Billing\nbegins after 2.0s, takes 3.1s, first token after 900ms\nlookup_invoice"
    )


def test_the_name_of_the_picture_says_its_main_fact() -> None:
    assert draw(Bar("a", "answer", 0, 4000), Bar("b", "answer", 4000, 500)).get("aria-label") == (
        "Calls of the run: 2 calls in 4.5s; the longest is a, 4.0s"
    )
    assert draw().get("aria-label") == "Calls of the run: 0 calls in 0ms"


def test_two_hundred_calls() -> None:
    drawing = draw(*(Bar(f"call {at}", KINDS[at % 5], at * 1000, 900, 300, f"Round {at // 20}") for at in range(200)))
    assert_inside(drawing)
    assert len(of_class(drawing, "row")) == 200


def test_it_looks_like_this() -> None:
    drawing = draw(
        Bar("Triage · gpt-5-mini", "failed", 0, 310, None, "Round 1: Triage", "429 too many requests"),
        Bar("Triage · gpt-5-mini", "retry", 620, 1400, 380, "Round 1: Triage"),
        Bar("<Billing>", "answer", 2030, None, None, "Round 2: <Billing>"),
    )
    assert_looks_as_kept("waterfall", drawing)
