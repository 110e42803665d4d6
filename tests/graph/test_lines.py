from __future__ import annotations

import pytest

from fondation.graph.columns import Vertex, Way
from fondation.graph.lines import Curve, Point, height_for, lines_of, outermost
from fondation.graph.placing import Box
from fondation.graph.sides import sides_of

A, B, C = (Vertex("agent", name) for name in "ABC")
BEND = Vertex("bend", "0")
BOXES = {
    A: Box(0, 0, 100, 60),
    B: Box(200, 100, 100, 60),
    C: Box(200, 200, 100, 60),
    BEND: Box(200, 80, 100, 0),
    Vertex("agent", "D"): Box(400, 0, 100, 60),
}
COLUMNS = [[A], [BEND, B, C], [Vertex("agent", "D")]]


def test_a_curve_begins_and_ends_where_it_should() -> None:
    curve = Curve(Point(0, 0), Point(10, 0), Point(10, 20), Point(20, 20))
    assert (curve.at(0), curve.at(0.5), curve.at(1)) == ((0, 0), (10, 10), (20, 20))


def test_a_line_to_the_next_column_is_one_curve_that_is_level_at_its_ends() -> None:
    ways = [Way((A, B))]
    (line,) = lines_of(ways, BOXES, sides_of(COLUMNS, ways))
    assert (line.start, line.end, line.heading) == (Point(100, 30), Point(200, 130), 1)
    (curve,) = line.curves
    assert (curve.first.y, curve.second.y) == (30, 130)


def test_a_line_back_arrives_to_the_left() -> None:
    ways = [Way((B, A))]
    (line,) = lines_of(ways, BOXES, sides_of(COLUMNS, ways))
    assert (line.start, line.end, line.heading) == (Point(200, 130), Point(100, 30), -1)


@pytest.mark.parametrize("is_back", [False, True])
def test_a_long_line_goes_straight_through_the_columns_between(is_back: bool) -> None:
    vertices = (A, BEND, Vertex("agent", "D"))
    ways = [Way(vertices[::-1] if is_back else vertices)]
    (line,) = lines_of(ways, BOXES, sides_of(COLUMNS, ways))
    straight = line.curves[1]
    assert {straight.start, straight.end} == {Point(200, 80), Point(300, 80)}
    assert {straight.at(share / 4).y for share in range(5)} == {80}


def test_arcs_bulge_to_the_right_going_down_and_to_the_left_going_up() -> None:
    ways = [Way((B, C)), Way((C, B))]
    down, up = lines_of(ways, BOXES, sides_of(COLUMNS, ways))
    assert (down.start.x, down.end.x, down.heading) == (300, 300, -1)
    assert (up.start.x, up.end.x, up.heading) == (200, 200, 1)
    assert min(point.x for point in outermost([up])) < 200 - 20
    assert max(point.x for point in outermost([down])) > 300 + 20


def test_lines_of_a_side_have_room_between_them() -> None:
    ways = [Way((A, B)), Way((A, C)), Way((B, A))]
    lines = lines_of(ways, BOXES, sides_of(COLUMNS, ways))
    assert sorted((lines[0].start.y, lines[1].start.y, lines[2].end.y)) == [14, 30, 46]
    assert height_for(8) == 24 + 70
