"""Where the numbers on the lines stand: on their line, and on no box, arrow head or other number where that can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from fondation.graph.lines import Line, Point
from fondation.graph.placing import Box

_Cell: TypeAlias = tuple[int, int]

_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8, 0.14, 0.86)
"""Of a line, from its middle on."""
_CELL = 64.0
_HEAD = 14.0
"""The length of the head of an arrow, and its height."""
_STEPS = 24
"""Into how many a curve is taken apart, to find out what lies on it."""
_LINE_COVERED = 12.0
"""What a step of another line counts, where a square unit of a box or label that is covered counts 1."""


class _Taken:
    """What is there already, found by where it is."""

    def __init__(self, boxes: Iterable[Box], lines: Sequence[Line]) -> None:
        self._boxes: defaultdict[_Cell, set[Box]] = defaultdict(set)
        self._points: defaultdict[_Cell, set[tuple[int, Point]]] = defaultdict(set)
        for box in (*boxes, *map(_head, lines)):
            self.add(box)
        for number, line in enumerate(lines):
            for curve in line.curves[::2]:
                for step in range(1, _STEPS):
                    point = curve.at(step / _STEPS)
                    self._points[_cell(*point)].add((number, point))

    def add(self, box: Box) -> None:
        for cell in _cells(box):
            self._boxes[cell].add(box)

    def covered(self, number: int, box: Box) -> float:
        """How much is where the box of this line's label would be."""
        boxes = {other for cell in _cells(box) for other in self._boxes.get(cell, ())}
        points = [point for cell in _cells(box) for line, point in self._points.get(cell, ()) if line != number]
        covered = sum(_overlap(box, other) for other in boxes) + _LINE_COVERED * sum(_holds(box, at) for at in points)
        return round(covered, 3)  # what differs less is alike


def placed(lines: Sequence[Line], widths: Sequence[float], height: float, boxes: Iterable[Box]) -> list[Box | None]:
    """The rectangle of the label of each line; None where its width is 0."""
    taken = _Taken(boxes, lines)
    found: list[Box | None] = []
    for number, (line, width) in enumerate(zip(lines, widths, strict=True)):
        if not width:
            found.append(None)
            continue
        candidates = [Box(at.x - width / 2, at.y - height / 2, width, height) for at in _places(line)]
        best = min(candidates, key=lambda box: taken.covered(number, box))  # the first of the best
        taken.add(best)
        found.append(best)
    return found


def _head(line: Line) -> Box:
    """Where the head of the arrow is."""
    left = line.end.x - _HEAD if line.heading > 0 else line.end.x
    return Box(left, line.end.y - _HEAD / 2, _HEAD, _HEAD)


def _places(line: Line) -> Iterator[Point]:
    """On the curves between columns: what lies between are straight stretches among boxes."""
    for share in _SHARES:
        yield from (curve.at(share) for curve in line.curves[::2])


def _cells(box: Box) -> Iterator[_Cell]:
    left, top = _cell(box.x, box.y)
    right, bottom = _cell(box.right, box.bottom)
    return ((column, row) for column in range(left, right + 1) for row in range(top, bottom + 1))


def _cell(x: float, y: float) -> _Cell:
    return int(x // _CELL), int(y // _CELL)


def _overlap(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.x, other.x)
    high = min(one.bottom, other.bottom) - max(one.y, other.y)
    return wide * high if wide > 0 and high > 0 else 0.0


def _holds(box: Box, point: Point) -> bool:
    return box.x <= point.x <= box.right and box.y <= point.y <= box.bottom
