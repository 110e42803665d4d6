"""The lines between the boxes: where each leaves one, how it bends, and where it arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from fondation.graph.columns import Vertex, Way
from fondation.graph.placing import Box

Side: TypeAlias = Literal["left", "right"]
Boxes: TypeAlias = Mapping[Vertex, Box]

_WIDEST_APART = 16.0
"""Between the places on a side at which lines end."""
_CORNER = 12.0
"""Of a side, as much as no line ends at."""
_SMALLEST_ARC, _LARGEST_ARC = 34.0, 96.0


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
    """From box to box: curves between columns, and straight stretches through them. It ends level."""

    curves: tuple[Curve, ...]

    @property
    def start(self) -> Point:
        return self.curves[0].start

    @property
    def end(self) -> Point:
        return self.curves[-1].end

    @property
    def heading(self) -> int:
        """1 where it arrives to the right, -1 to the left."""
        last = self.curves[-1]
        return 1 if last.second.x < last.end.x else -1


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """Where on its side a line ends, seen from above: so that those of one box do not cross each other."""

    part: int
    """Arcs to boxes above, lines to other columns, arcs to boxes below, arcs to the box itself."""
    place: float
    heading: int


def lines_of(ways: Sequence[Way], boxes: Boxes) -> list[Line]:
    """A line for each way."""
    ports = _ports(ways, boxes)
    return [Line(tuple(_curves(number, way, boxes, ports))) for number, way in enumerate(ways)]


Ports: TypeAlias = Mapping[tuple[int, bool], Point]
"""Line, whether it is its end -> where."""


def _ports(ways: Sequence[Way], boxes: Boxes) -> Ports:
    sides: defaultdict[tuple[Vertex, Side], list[tuple[_Rank, tuple[int, bool]]]] = defaultdict(list)
    for number, way in enumerate(ways):
        for is_end, (own, other) in ((False, way.vertices[:2]), (True, way.vertices[:-3:-1])):
            side, rank = _side(own, other, boxes, is_end=is_end)
            sides[own, side].append((rank, (number, is_end)))
    ports = {}
    for (vertex, side), ends in sides.items():
        box = boxes[vertex]
        apart = min(_WIDEST_APART, (box.height - 2 * _CORNER) / max(1, len(ends) - 1))
        top = box.middle - apart * (len(ends) - 1) / 2
        x = box.x if side == "left" else box.right
        for place, (_, end) in enumerate(sorted(ends)):
            ports[end] = Point(x, top + apart * place)
    return ports


def _side(own: Vertex, other: Vertex, boxes: Boxes, *, is_end: bool) -> tuple[Side, _Rank]:
    """The side of `own` at which a line between it and `other` ends, and where among those there."""
    here, there = boxes[own], boxes[other]
    if own == other:
        return "right", _Rank(3, 0, int(is_end))
    if here.x == there.x:
        is_downward = (there.y > here.y) != is_end
        is_below = there.y > here.y
        return "right" if is_downward else "left", _Rank(2 if is_below else 0, -there.y, 0)
    is_rightward = (there.x > here.x) != is_end
    return "right" if there.x > here.x else "left", _Rank(1, there.middle, 0 if is_rightward else 1)


def _curves(number: int, way: Way, boxes: Boxes, ports: Ports) -> Iterator[Curve]:
    start, end = ports[number, False], ports[number, True]
    if len(way.vertices) == 2 and boxes[way.source].x == boxes[way.target].x:
        yield _arc(start, end, outward=1 if start.x > boxes[way.source].x else -1)
        return
    here = start
    for bend in (boxes[vertex] for vertex in way.vertices[1:-1]):
        near, far = (bend.x, bend.right) if end.x > start.x else (bend.right, bend.x)
        yield _between(here, Point(near, bend.middle))
        yield _straight(Point(near, bend.middle), Point(far, bend.middle))
        here = Point(far, bend.middle)
    yield _between(here, end)


def _between(start: Point, end: Point) -> Curve:
    """From one column to the next; level at both ends."""
    half = (end.x - start.x) / 2
    return Curve(start, Point(start.x + half, start.y), Point(end.x - half, end.y), end)


def _straight(start: Point, end: Point) -> Curve:
    third = (end.x - start.x) / 3
    return Curve(start, Point(start.x + third, start.y), Point(end.x - third, end.y), end)


def _arc(start: Point, end: Point, outward: int) -> Curve:
    """From one box of a column to another."""
    reach = outward * min(_LARGEST_ARC, _SMALLEST_ARC + abs(end.y - start.y) / 5)
    return Curve(start, Point(start.x + reach, start.y), Point(end.x + reach, end.y), end)


def reach(lines: Sequence[Line]) -> tuple[float, float]:
    """The least and the greatest x that any of them takes: an arc's is in its middle."""
    xs = [point.x for line in lines for curve in line.curves for point in (curve.start, curve.at(0.5), curve.end)]
    return min(xs, default=0.0), max(xs, default=0.0)
