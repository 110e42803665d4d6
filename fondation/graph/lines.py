"""The lines between the boxes: where each leaves one, how it bends, and where it arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from fondation.graph.columns import Vertex, Way
from fondation.graph.placing import Box
from fondation.graph.sides import End, Sides

_LEAST_APART, _MOST_APART = 10.0, 16.0
"""Between lines that end at the same side."""
_CORNER = 12.0
"""Of a side, as much as no line ends at."""
_LEAST_REACH, _MOST_REACH, _REACH_TO_ITSELF = 34.0, 96.0, 56.0
"""How far the curve of an arc reaches out of its column; it takes three quarters of that."""


class Point(NamedTuple):
    x: float
    y: float


class Curve(NamedTuple):
    """A cubic Bézier curve."""

    start: Point
    first: Point
    second: Point
    end: Point

    def at(self, share: float) -> Point:
        """The point after so much of it, from 0 to 1."""
        a, b, c, d = (1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3
        return Point(*(a * p + b * q + c * r + d * s for p, q, r, s in zip(*self, strict=True)))


@dataclass(frozen=True, slots=True)
class Line:
    """From box to box, and level at both: curves between columns, a straight stretch after each but the last."""

    curves: tuple[Curve, ...]

    @property
    def start(self) -> Point:
        return self.curves[0].start

    @property
    def end(self) -> Point:
        return self.curves[-1].end

    def moved(self, right: float, down: float) -> Line:
        return Line(tuple(Curve(*(Point(x + right, y + down) for x, y in curve)) for curve in self.curves))

    @property
    def heading(self) -> int:
        """1 where it arrives to the right, -1 to the left."""
        last = self.curves[-1]
        return 1 if last.second.x < last.end.x else -1


def height_for(lines: int) -> float:
    """What a box needs, so that as many lines end at one of its sides."""
    return 2 * _CORNER + _LEAST_APART * (lines - 1)


def lines_of(ways: Sequence[Way], boxes: Mapping[Vertex, Box], sides: Sides) -> list[Line]:
    """A line for each way."""
    ports = _ports(boxes, sides)
    return [Line(tuple(_curves(number, way, boxes, ports))) for number, way in enumerate(ways)]


def outermost(lines: Sequence[Line]) -> list[Point]:
    """Points between which they all lie: their ends and bends, and the middles of arcs."""
    return [point for line in lines for curve in line.curves for point in (curve.start, curve.at(0.5), curve.end)]


_Ports: TypeAlias = Mapping[End, Point]
"""Where each line ends."""


def _ports(boxes: Mapping[Vertex, Box], sides: Sides) -> _Ports:
    ports: dict[End, Point] = {}
    for (vertex, side), ends in sides.items():
        box = boxes[vertex]
        apart = min(_MOST_APART, (box.height - 2 * _CORNER) / max(1, len(ends) - 1))
        top = box.middle - apart * (len(ends) - 1) / 2
        x = box.x if side == "left" else box.right
        ports |= {end: Point(x, top + apart * place) for place, end in enumerate(ends)}
    return ports


def _curves(number: int, way: Way, boxes: Mapping[Vertex, Box], ports: _Ports) -> Iterator[Curve]:
    start, end = ports[End(number, is_target=False)], ports[End(number, is_target=True)]
    if start.x == end.x:
        yield _arc(
            start, end, outward=1 if start.x > boxes[way.source].x else -1, is_to_itself=way.source == way.target
        )
        return
    here = start
    for bend in (boxes[vertex] for vertex in way.vertices[1:-1]):
        near, far = (bend.x, bend.right) if end.x > start.x else (bend.right, bend.x)
        yield _between(here, Point(near, bend.middle))
        yield _between(Point(near, bend.middle), Point(far, bend.middle))
        here = Point(far, bend.middle)
    yield _between(here, end)


def _between(start: Point, end: Point) -> Curve:
    """From one column to the next; level at both ends."""
    half = (end.x - start.x) / 2
    return Curve(start, Point(start.x + half, start.y), Point(end.x - half, end.y), end)


def _arc(start: Point, end: Point, outward: int, *, is_to_itself: bool) -> Curve:
    """From one box of a column to another."""
    far = _REACH_TO_ITSELF if is_to_itself else min(_MOST_REACH, _LEAST_REACH + abs(end.y - start.y) / 5)
    return Curve(start, Point(start.x + outward * far, start.y), Point(end.x + outward * far, end.y), end)
