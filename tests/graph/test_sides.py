from __future__ import annotations

import pytest

from fondation.graph import Graph
from fondation.graph.columns import Vertex, columns_of
from fondation.graph.sides import End, Side, sides_of

from .support import graph


def ends(of: Graph, name: str, side: Side) -> list[str]:
    """The handoffs that end there, from above: `A>` leaves for A, `<A` comes from it."""
    columns, ways = columns_of(of)
    found = sides_of(columns, ways).get((Vertex("agent", name), side), [])
    return [told(end, ways[end.way].vertices) for end in found]


def told(end: End, vertices: tuple[Vertex, ...]) -> str:
    return f"<{vertices[0].name}" if end.is_target else f"{vertices[-1].name}>"


def test_lines_leave_for_the_next_column_at_the_right_and_arrive_at_the_left() -> None:
    of = graph("A B", "A C", routes={"/": "A"})
    assert ends(of, "A", "right") == ["B>", "C>"]
    assert ends(of, "A", "left") == ["</"]
    assert ends(of, "B", "left") == ["<A"]


@pytest.mark.parametrize("handoffs", [("A B", "B A"), ("B A", "A B")])
def test_both_ways_between_two_boxes_are_in_the_same_order_at_both(handoffs: tuple[str, str]) -> None:
    of = graph(*handoffs, routes={"/": "A"})
    assert ends(of, "A", "right") == ["B>", "<B"]
    assert ends(of, "B", "left") == ["<A", "A>"]


def test_within_a_column_lines_go_down_at_the_right_and_up_at_the_left() -> None:
    of = graph("A B", "A C", "B C", "C B", routes={"/": "A"})
    assert ends(of, "B", "right") == ["C>"]
    assert ends(of, "C", "right") == ["<B"]
    assert ends(of, "C", "left") == ["B>", "<A"]
    assert ends(of, "B", "left") == ["<A", "<C"]


def test_arcs_lie_within_each_other() -> None:
    of = graph("A", "B", "C", "D A", "A B", "A C", "C B", routes={"/a": "A", "/b": "B", "/c": "C", "/d": "D"})
    assert ends(of, "A", "right") == ["C>", "B>"]
    assert ends(of, "A", "left") == ["</a", "<D"]
    assert ends(of, "D", "left") == ["A>", "</d"]


def test_a_handoff_to_itself_ends_at_the_bottom_of_the_right_side() -> None:
    assert ends(graph("A A", "A B", routes={"/": "A"}), "A", "right") == ["B>", "A>", "<A"]
