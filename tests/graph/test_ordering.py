from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings

from fondation.graph import Graph
from fondation.graph.columns import Columns, Way, columns_of
from fondation.graph.ordering import crossings, neighbours, ordered

from .support import graph, graphs


def pairs_that_cross(columns: Columns, ways: list[Way]) -> int:
    """Counted pair by pair."""
    place = {vertex: (x, y) for x, column in enumerate(columns) for y, vertex in enumerate(column)}
    steps = [sorted((place[one], place[other])) for way in ways for one, other in pairwise(way.vertices)]
    between = [(left, right) for left, right in steps if left[0] < right[0]]
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for one, other in combinations(between, 2)
    )


@given(of=graphs())
@settings(max_examples=60, deadline=None)
def test_crossings_are_counted_and_never_more_after(of: Graph) -> None:
    columns, ways = columns_of(of)
    _, right = neighbours(columns, ways)
    after = ordered(columns, ways)
    assert crossings(columns, right) == pairs_that_cross(columns, ways)
    assert crossings(after, right) == pairs_that_cross(after, ways) <= crossings(columns, right)
    assert [sorted(column) for column in after] == [sorted(column) for column in columns]


def test_lines_that_need_not_cross_do_not() -> None:
    of = graph("A D", "A E", "B D", "D F", "E G", routes={"/a": "A", "/b": "B"})
    columns, ways = columns_of(of)
    assert pairs_that_cross(columns, ways) > 0
    assert pairs_that_cross(ordered(columns, ways), ways) == 0


def test_where_nothing_crosses_the_order_stays() -> None:
    columns, ways = columns_of(graph("A B", "A C", "B D", routes={"/": "A"}))
    assert ordered(columns, ways) == columns
