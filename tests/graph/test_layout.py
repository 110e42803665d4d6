from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.graph.columns import Vertex
from fondation.graph.layout import Layout, Size, lay_out
from fondation.graph.lines import Line
from fondation.graph.model import Graph
from fondation.graph.placing import Box

from .support import graph, graphs

NEARLY = 1e-6
sizes = st.builds(Size, st.floats(20, 300), st.floats(40, 90))


def vertices(of: Graph) -> list[Vertex]:
    return [Vertex("route", each.path) for each in of.routes] + [Vertex("agent", each.name) for each in of.agents]


def ends(of: Graph) -> list[tuple[Vertex, Vertex]]:
    of_routes = [(Vertex("route", each.path), Vertex("agent", each.agent)) for each in of.routes]
    return of_routes + [(Vertex("agent", each.source), Vertex("agent", each.target)) for each in of.handoffs]


def lie_apart(one: Box, other: Box) -> bool:
    return (
        one.right <= other.x + NEARLY
        or other.right <= one.x + NEARLY
        or one.bottom <= other.y + NEARLY
        or other.bottom <= one.y + NEARLY
    )


def laid_out(of: Graph, label: float = 0) -> Layout:
    return lay_out(of, dict.fromkeys(vertices(of), Size(150, 60)), [label] * len(of.handoffs))


def lines_in(layout: Layout) -> list[Line]:
    return [*layout.of_routes, *layout.of_handoffs]


@given(of=graphs(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_graph_has_its_boxes_apart_its_lines_ended_and_all_in_the_picture(of: Graph, data: st.DataObject) -> None:
    number = len(of.handoffs)
    numbers = data.draw(st.lists(st.sampled_from([0.0, 20.0, 90.0]), min_size=number, max_size=number))
    layout = lay_out(of, {vertex: data.draw(sizes) for vertex in vertices(of)}, numbers)
    assert set(layout.boxes) == set(vertices(of))
    for one, other in combinations(layout.boxes.values(), 2):
        assert lie_apart(one, other)
    for (source, target), line in zip(ends(of), lines_in(layout), strict=True):
        assert is_on_a_side(layout.boxes[source], line.start.x, line.start.y)
        assert is_on_a_side(layout.boxes[target], line.end.x, line.end.y)
        assert all(one.end == other.start for one, other in pairwise(line.curves))
        assert all(is_inside(layout, *curve.at(share / 8)) for curve in line.curves for share in range(9))
    within = [curve.at(share / 8) for line in lines_in(layout) for curve in line.curves for share in range(1, 8)]
    assert [(box, at) for box in layout.boxes.values() for at in within if is_covered(box, *at)] == []
    assert [box is not None for box in layout.numbers] == [width > 0 for width in numbers]
    for box in (*layout.boxes.values(), *filter(None, layout.numbers)):
        assert is_inside(layout, box.x, box.y)
        assert is_inside(layout, box.right, box.bottom)


def is_on_a_side(box: Box, x: float, y: float) -> bool:
    return min(abs(x - box.x), abs(x - box.right)) < NEARLY and box.y < y < box.bottom


def is_covered(box: Box, x: float, y: float) -> bool:
    return box.x + NEARLY < x < box.right - NEARLY and box.y + NEARLY < y < box.bottom - NEARLY


def is_inside(layout: Layout, x: float, y: float) -> bool:
    return 0 <= x <= layout.width and 0 <= y <= layout.height


@given(of=graphs())
@settings(max_examples=30, deadline=None)
def test_the_same_graph_is_laid_out_the_same(of: Graph) -> None:
    assert laid_out(of, label=30) == laid_out(of, label=30)


def test_columns_are_handoffs_away_from_a_route() -> None:
    layout = laid_out(graph("A B", "B C", "C A", "A D", routes={"/": "A"}))
    x = {vertex.name: box.x for vertex, box in layout.boxes.items()}
    assert x["/"] < x["A"] < x["B"] == x["D"] < x["C"]


def test_both_ways_between_two_agents_are_lines_of_their_own_that_do_not_cross() -> None:
    there, back = laid_out(graph("A B", "B A", routes={"/": "A"})).of_handoffs
    assert there.heading == 1
    assert back.heading == -1
    assert all(y(there, share / 10) < y(back, 1 - share / 10) for share in range(11))


def y(line: Line, share: float) -> float:
    (curve,) = line.curves
    return curve.at(share).y


def test_a_line_back_over_several_columns_passes_between_the_boxes() -> None:
    of = graph("A B", "B C", "C D", "D A", "A E", "E F", routes={"/": "A"})
    layout = laid_out(of)
    back = layout.of_handoffs[3]
    assert len(back.curves) == 5
    points = [curve.at(share / 20) for curve in back.curves for share in range(21)]
    assert [box for box in layout.boxes.values() for at in points if is_covered(box, *at)] == []


def test_a_handoff_to_itself_leaves_the_box_and_comes_back() -> None:
    layout = laid_out(graph("A A"))
    (line,) = layout.of_handoffs
    box = layout.boxes[Vertex("agent", "A")]
    assert line.start.x == line.end.x == box.right
    assert line.curves[0].at(0.5).x > box.right + 10


def test_an_agent_that_hands_off_to_all_others_stands_in_their_middle() -> None:
    layout = laid_out(graph("A B", "A C", "A D", "A E", "A F"))
    boxes = {vertex.name: box for vertex, box in layout.boxes.items()}
    assert abs(boxes["A"].middle - boxes["D"].middle) < 1


def test_lines_cross_no_more_than_they_must() -> None:
    of = graph("A D", "B E", "C F", "A X", "X A", routes={"/a": "C", "/b": "B", "/c": "A"})
    layout = laid_out(of)
    order = sorted("ABC", key=lambda name: layout.boxes[Vertex("agent", name)].y)
    behind = sorted("DEF", key=lambda name: layout.boxes[Vertex("agent", name)].y)
    assert ["ABC".index(name) for name in order] == ["DEF".index(name) for name in behind]
