"""Where the numbers on the lines stand: on their line, and on no box and no other number where that can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from fondation.graph.lines import Line, Point
from fondation.graph.placing import Box

_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
"""Of a line, from its middle on."""
_CELL = 64.0


class _Taken:
    """What is there already, found by where it is."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._cells: defaultdict[tuple[int, int], list[Box]] = defaultdict(list)
        for box in boxes:
            self.add(box)

    def add(self, box: Box) -> None:
        for cell in _cells(box):
            self._cells[cell].append(box)

    def under(self, box: Box) -> float:
        """How much of it would be covered, or cover something."""
        found = {other for cell in _cells(box) for other in self._cells.get(cell, ())}
        return sum(_overlap(box, other) for other in found)


def placed(lines: Sequence[Line], widths: Sequence[float], height: float, boxes: Iterable[Box]) -> list[Box | None]:
    """The rectangle of the label of each line; None where its width is 0."""
    taken = _Taken(boxes)
    found: list[Box | None] = []
    for line, width in zip(lines, widths, strict=True):
        if not width:
            found.append(None)
            continue
        candidates = [Box(at.x - width / 2, at.y - height / 2, width, height) for at in _places(line)]
        best = min(candidates, key=taken.under)  # the first of the best
        taken.add(best)
        found.append(best)
    return found


def _places(line: Line) -> Iterator[Point]:
    """On the curves between columns: what lies between are straight stretches among boxes."""
    for share in _SHARES:
        yield from (curve.at(share) for curve in line.curves[::2])


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.x // _CELL), int(box.right // _CELL) + 1):
        for row in range(int(box.y // _CELL), int(box.bottom // _CELL) + 1):
            yield column, row


def _overlap(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.x, other.x)
    high = min(one.bottom, other.bottom) - max(one.y, other.y)
    return wide * high if wide > 0 and high > 0 else 0.0
