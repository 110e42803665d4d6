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
from fondation.graph.sides import sides_of

MARGIN = 16.0
_BETWEEN_ROWS = 18.0
_LEAST_BETWEEN_COLUMNS, _MOST_BETWEEN_COLUMNS = 104.0, 260.0
_SLOPE = 0.3
"""Room to the side for each unit that a line goes up or down."""
_BESIDE_LABELS = 60.0
LABEL_HEIGHT = 18.0


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
    lines: Sequence[Line]
    """Of the routes, then of the handoffs, in their order."""
    labels: Sequence[Box | None]
    """Where the number of each line stands."""


def lay_out(graph: Graph, sizes: Mapping[Vertex, Size], labels: Sequence[float]) -> Layout:
    """`sizes` are those that the boxes need; `labels` the widths of the numbers of all lines, 0 where one has none."""
    columns, ways = columns_of(graph)
    columns = ordered(columns, ways)
    sides = sides_of(columns, ways)
    heights = {vertex: sizes[vertex].height if vertex in sizes else 0.0 for column in columns for vertex in column}
    for (vertex, _), ends in sides.items():
        heights[vertex] = max(heights[vertex], height_for(len(ends)))
    middles = middles_of(columns, neighbours(columns, ways), heights, _BETWEEN_ROWS)
    boxes: dict[Vertex, Box] = {}
    x = 0.0
    for column, gap in zip(columns, _gaps(columns, ways, labels, middles), strict=True):
        width = max(sizes[vertex].width for vertex in column if vertex in sizes)
        boxes |= {each: Box(x, middles[each] - heights[each] / 2, width, heights[each]) for each in column}
        x += width + gap
    return _framed(boxes, lines_of(ways, boxes, sides), labels)


def _gaps(
    columns: Columns, ways: Sequence[Way], labels: Sequence[float], middles: Mapping[Vertex, float]
) -> list[float]:
    """The room to the right of each column: more where lines are steep, or have wide numbers."""
    place = {vertex: number for number, column in enumerate(columns) for vertex in column}
    gaps = [_LEAST_BETWEEN_COLUMNS] * len(columns)
    for way, label in zip(ways, labels, strict=True):
        for one, other in pairwise(way.vertices):
            left = min(place[one], place[other])
            steep = min(_MOST_BETWEEN_COLUMNS, abs(middles[one] - middles[other]) * _SLOPE)
            gaps[left] = max(gaps[left], steep, label + _BESIDE_LABELS)
    return gaps


def _framed(boxes: Mapping[Vertex, Box], lines: Sequence[Line], labels: Sequence[float]) -> Layout:
    """Moved so that all of it, lines that reach over the boxes too, is within the margins."""
    shown = {vertex: box for vertex, box in boxes.items() if vertex.kind != "bend"}
    numbers = placed(lines, labels, LABEL_HEIGHT, shown.values())
    solid = [*shown.values(), *filter(None, numbers)]
    points = [
        *outermost(lines),
        *(Point(box.x, box.y) for box in solid),
        *(Point(box.right, box.bottom) for box in solid),
    ]
    xs, ys = [point.x for point in points] or [0.0], [point.y for point in points] or [0.0]
    right, down = MARGIN - min(xs), MARGIN - min(ys)
    return Layout(
        max(xs) + right + MARGIN,
        max(ys) + down + MARGIN,
        {vertex: box.moved(right, down) for vertex, box in shown.items()},
        [line.moved(right, down) for line in lines],
        [box and box.moved(right, down) for box in numbers],
    )
