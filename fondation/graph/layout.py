"""The graph laid out: the box of each route and agent, and the line of each handoff with its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fondation.graph.columns import Columns, Vertex, Way, columns_of
from fondation.graph.labels import placed
from fondation.graph.lines import Line, Point, height_for, lines_of, outermost
from fondation.graph.model import Graph
from fondation.graph.ordering import neighbours, ordered
from fondation.graph.placing import Box, middles_of
from fondation.graph.sides import Sides, sides_of

_MARGIN = 16.0
_BETWEEN_ROWS = 18.0
_LEAST_BETWEEN_COLUMNS, _MOST_BETWEEN_COLUMNS = 104.0, 260.0
_SLOPE = 0.3
"""Room to the side for each unit that a line goes up or down."""
_BESIDE_LABELS = 60.0
_NUMBER_HEIGHT = 18.0


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    boxes: Mapping[Vertex, Box]
    """Of the routes and the agents."""
    of_routes: Sequence[Line]
    of_handoffs: Sequence[Line]
    """Each in the graph's order."""
    numbers: Sequence[Box | None]
    """Where the number of each handoff stands."""


def lay_out(graph: Graph, sizes: Mapping[Vertex, Size], numbers: Sequence[float]) -> Layout:
    """`sizes` are those that the boxes need; `numbers` the widths of those of the handoffs, 0 where one has none."""
    columns, ways = columns_of(graph)
    columns = ordered(columns, ways)
    sides = sides_of(columns, ways)
    labels = [*[0.0] * len(graph.routes), *numbers]
    heights = _heights(columns, sizes, sides)
    middles = middles_of(columns, neighbours(columns, ways), heights, _BETWEEN_ROWS)
    boxes: dict[Vertex, Box] = {}
    x = 0.0
    for column, gap in zip(columns, _gaps(columns, ways, labels, middles), strict=True):
        width = max(sizes[vertex].width for vertex in column if vertex in sizes)
        boxes |= {each: Box(x, middles[each] - heights[each] / 2, width, heights[each]) for each in column}
        x += width + gap
    lines = lines_of(ways, boxes, sides)
    shown = {vertex: box for vertex, box in boxes.items() if vertex in sizes}
    return _framed(shown, lines, placed(lines, labels, _NUMBER_HEIGHT, shown.values()), len(graph.routes))


def _heights(columns: Columns, sizes: Mapping[Vertex, Size], sides: Sides) -> dict[Vertex, float]:
    """Those that the boxes need, also for their lines; a bend has none."""
    heights = {vertex: sizes[vertex].height if vertex in sizes else 0.0 for column in columns for vertex in column}
    for (vertex, _), ends in sides.items():
        heights[vertex] = max(heights[vertex], height_for(len(ends)))
    return heights


def _gaps(
    columns: Columns, ways: Sequence[Way], labels: Sequence[float], middles: Mapping[Vertex, float]
) -> list[float]:
    """The room to the right of each column: more where lines are steep, or have wide labels."""
    place = {vertex: number for number, column in enumerate(columns) for vertex in column}
    gaps = [_LEAST_BETWEEN_COLUMNS] * len(columns)
    for way, label in zip(ways, labels, strict=True):
        for one, other in pairwise(way.vertices):
            left = min(place[one], place[other])
            steep = min(_MOST_BETWEEN_COLUMNS, abs(middles[one] - middles[other]) * _SLOPE)
            gaps[left] = max(gaps[left], steep, label + _BESIDE_LABELS)
    return gaps


def _framed(boxes: Mapping[Vertex, Box], lines: Sequence[Line], labels: Sequence[Box | None], routes: int) -> Layout:
    """Moved so that all of it, lines that reach over the boxes too, is within the margins."""
    solid = [*boxes.values(), *filter(None, labels)]
    corners = [point for box in solid for point in (Point(box.x, box.y), Point(box.right, box.bottom))]
    points = [*outermost(lines), *corners] or [Point(0.0, 0.0)]
    left, top = min(point.x for point in points), min(point.y for point in points)
    width, height = max(point.x for point in points) - left, max(point.y for point in points) - top
    move = _MARGIN - left, _MARGIN - top
    moved = [line.moved(*move) for line in lines]
    return Layout(
        width + 2 * _MARGIN,
        height + 2 * _MARGIN,
        boxes={vertex: box.moved(*move) for vertex, box in boxes.items()},
        of_routes=moved[:routes],
        of_handoffs=moved[routes:],
        numbers=[box and box.moved(*move) for box in labels[routes:]],
    )
