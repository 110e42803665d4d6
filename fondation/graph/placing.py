"""Where each box is: columns side by side, and in them each box as near to those it is linked with as there is room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fondation.graph.columns import Columns, Vertex
from fondation.graph.ordering import Neighbours

_SWEEPS = 10


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; of a bend one without height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return self.y + self.height / 2

    def moved(self, right: float, down: float) -> Box:
        return replace(self, x=self.x + right, y=self.y + down)


def middles_of(
    columns: Columns, linked: Sequence[Neighbours], heights: Mapping[Vertex, float], space: float
) -> dict[Vertex, float]:
    """The y of the middle of each, with `space` between them; the uppermost begins at 0."""
    middles: dict[Vertex, float] = {}
    for column in columns:
        middles |= zip(column, apart(column, [None] * len(column), heights, space), strict=True)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = [_mean(vertex, linked, middles) for vertex in column]
            middles |= zip(column, apart(column, wanted, heights, space), strict=True)
    top = min((middle - heights[vertex] / 2 for vertex, middle in middles.items()), default=0.0)
    return {vertex: middle - top for vertex, middle in middles.items()}


def _mean(vertex: Vertex, linked: Sequence[Neighbours], middles: Mapping[Vertex, float]) -> float | None:
    """The mean of those it is linked with on each side, both sides alike; None where it is linked with nobody."""
    sides = [[middles[each] for each in side.get(vertex, ())] for side in linked]
    means = [sum(side) / len(side) for side in sides if side]
    return sum(means) / len(means) if means else None


def apart(
    column: Sequence[Vertex], wanted: Sequence[float | None], heights: Mapping[Vertex, float], space: float
) -> list[float]:
    """The middles that are nearest to the wanted ones by the sum of squares, in order and without overlap.

    Those of which nothing is wanted stand directly below the one before.
    """
    offsets = [0.0]
    for one, below in pairwise(column):
        offsets.append(offsets[-1] + (heights[one] + heights[below]) / 2 + space)
    # less their offsets they need only not fall
    levels = _rising(
        [None if middle is None else middle - offset for middle, offset in zip(wanted, offsets, strict=True)]
    )
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _rising(wanted: Sequence[float | None]) -> list[float]:
    """The levels nearest to the wanted ones of which none is below the one before: those that would be are pooled at
    their mean. Where nothing is wanted it is the level before.
    """
    pools: list[tuple[float, int, int]] = []  # their mean, how many want something, how many there are
    for want in wanted:
        if want is None:
            level, wanting, size = pools.pop() if pools else (0.0, 0, 0)
            pools.append((level, wanting, size + 1))
            continue
        level, wanting, size = want, 1, 1
        while pools and (pools[-1][0] > level or not pools[-1][1]):
            above, wanting_above, size_above = pools.pop()
            level = (above * wanting_above + level * wanting) / (wanting_above + wanting)
            wanting, size = wanting + wanting_above, size + size_above
        pools.append((level, wanting, size))
    return [level for level, _, size in pools for _ in range(size)]
