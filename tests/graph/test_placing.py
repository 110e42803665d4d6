from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.graph.columns import Vertex
from fondation.graph.placing import apart, middles_of

SPACE = 18.0
columns = st.lists(st.tuples(st.none() | st.floats(-500, 500), st.floats(0, 90)), min_size=1, max_size=8)


def column(length: int) -> list[Vertex]:
    return [Vertex("agent", str(number)) for number in range(length)]


def placed(wanted: list[float | None], heights: list[float]) -> list[float]:
    boxes = column(len(wanted))
    return apart(boxes, wanted, dict(zip(boxes, heights, strict=True)), SPACE)


def test_who_has_room_stands_where_it_is_wanted() -> None:
    assert placed([0, 100, 300], [60, 60, 60]) == [0, 100, 300]


def test_those_who_want_the_same_stand_around_it() -> None:
    assert placed([100, 100, 100], [60, 60, 60]) == [22, 100, 178]


def test_who_is_wanted_nowhere_stands_directly_below() -> None:
    assert placed([0, None, 500], [60, 40, 60]) == [0, 68, 500]
    assert placed([None, 500], [60, 60]) == [422, 500]
    assert placed([None, None], [60, 60]) == [0, 78]


@given(wishes=columns)
def test_there_is_always_room_between_and_nobody_could_be_nearer(wishes: list[tuple[float | None, float]]) -> None:
    wanted, heights = [list(each) for each in zip(*wishes, strict=True)]
    middles = placed(wanted, heights)
    gaps = [
        (lower - low / 2) - (upper + up / 2)
        for (upper, up), (lower, low) in pairwise(zip(middles, heights, strict=True))
    ]
    assert all(gap >= SPACE - 1e-6 for gap in gaps)
    for first in range(len(middles)):
        for last in range(first, len(middles)):
            assert is_settled(middles, wanted, gaps, first, last)


def is_settled(middles: list[float], wanted: list[float | None], gaps: list[float], first: int, last: int) -> bool:
    """Whether boxes that may move, up or down together, would not be nearer to where they are wanted."""
    pull = sum(
        want - at
        for want, at in zip(wanted[first : last + 1], middles[first : last + 1], strict=True)
        if want is not None
    )
    may_rise = first == 0 or gaps[first - 1] > SPACE + 1e-6
    may_fall = last == len(middles) - 1 or gaps[last] > SPACE + 1e-6
    return not (may_rise and pull < -1e-6) and not (may_fall and pull > 1e-6)


def test_each_stands_in_the_middle_of_those_it_is_linked_with() -> None:
    one, *others = Vertex("agent", "A"), *column(3)
    links = ({other: [one] for other in others}, {one: others})
    middles = middles_of([[one], others], links, dict.fromkeys([one, *others], 60.0), SPACE)
    assert [middles[other] for other in others] == pytest.approx([30, 108, 186])
    assert middles[one] == pytest.approx(108)
