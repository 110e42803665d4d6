from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.dashboard.charts.ranges import Latency, ranges
from fondation.svg import Element
from tests.dashboard.charts.geometry import NAMES, assert_inside, assert_legible, of_class, share
from tests.dashboard.charts.pictures import assert_looks_as_kept

TIMES = st.none() | st.integers(min_value=0, max_value=10**10)
LATENCIES = st.lists(st.builds(Latency, NAMES, TIMES, TIMES, TIMES, TIMES), max_size=6)


def draw(*latencies: Latency) -> Element:
    return ranges("Latency by model", latencies)


def at(drawing: Element, css: str) -> list[float]:
    return [share(dot.get("cx")) for dot in of_class(drawing, css)]


@settings(max_examples=60, deadline=None)
@given(LATENCIES)
def test_whatever_is_drawn_is_inside_and_legible(latencies: list[Latency]) -> None:
    drawing = draw(*latencies)
    assert_inside(drawing)
    assert_legible(drawing)
    assert len(list(drawing.iter("circle"))) == sum(len(latency.times) for latency in latencies)


def test_each_doubling_has_the_same_room() -> None:
    drawing = draw(Latency("a", 100, 200, 400, 800))
    (first, last), (slow_first, slow_last) = at(drawing, "median"), at(drawing, "slow")
    steps = [slow_first - first, last - slow_first, slow_last - last]
    assert max(steps) - min(steps) < 0.001
    assert steps[0] > 0.1


def test_what_nobody_measured_is_no_dot_and_said() -> None:
    drawing = draw(
        Latency("a", None, None, 10, 20), Latency("b", None, None, None, None), Latency("c", 5, None, 9, None)
    )
    assert len(of_class(drawing, "first")) == 1
    assert [text.text for text in drawing.iter("text")].count("not measured") == 1
    assert len(of_class(drawing, "range")) == 1
    assert [row.findtext("title") for row in of_class(drawing, "row")] == [
        "a: first token - (median), - (p95); last byte 10ms (median), 20ms (p95)",
        "b: first token - (median), - (p95); last byte - (median), - (p95)",
        "c: first token 5ms (median), - (p95); last byte 9ms (median), - (p95)",
    ]


def test_a_long_name_is_cut_and_whole_while_the_mouse_is_on_it() -> None:
    name = "model-" * 20
    (row,) = of_class(draw(Latency(name, 1, 2, 3, 4)), "row")
    short, long = (text.text or "" for text in row.iter("text"))
    assert 20 < len(short) < len(long) < len(name)
    assert short.endswith("…")
    assert (row.findtext("title") or "").startswith(f"{name}:")


def test_the_name_of_the_picture_says_its_main_fact() -> None:
    fast, slow = Latency("fast", 100, 200, 900, 1500), Latency("slow", 300, 400, 5000, 61_000)
    assert draw(slow, fast).get("aria-label") == (
        "Latency by model: of 2 models the fastest is fast: first token 100ms (median), 200ms (p95); "
        "last byte 900ms (median), 1.5s (p95); the slowest is slow: first token 300ms (median), 400ms (p95); "
        "last byte 5.0s (median), 61.0s (p95)"
    )
    assert draw().get("aria-label") == "Latency by model: nothing is measured"


def test_it_looks_like_this() -> None:
    drawing = draw(Latency("openai/gpt-5-mini", 210, 640, 1800, 5200), Latency("<local>", None, None, 31, 31))
    assert_looks_as_kept("ranges", drawing)
