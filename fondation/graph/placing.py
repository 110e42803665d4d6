"""Where each box is: columns side by side, and in them each box as near to those it is linked with as there is room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def heights_at(
    columns: Columns, linked: Sequence[Neighbours], heights: Mapping[Vertex, float], space: float
) -> dict[Vertex, float]:
    """The y of the middle of each, at least `space` apart, the least of them at its own half height."""
    middles: dict[Vertex, float] = {}
    for column in columns:
        wanted = [0.0] * len(column)
        middles |= zip(column, _apart(column, wanted, heights, space), strict=True)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            wanted = [_mean(vertex, linked, middles) for vertex in column]
            middles |= zip(column, _apart(column, wanted, heights, space), strict=True)
    top = min((middle - heights[vertex] / 2 for vertex, middle in middles.items()), default=0.0)
    return {vertex: middle - top for vertex, middle in middles.items()}


def _mean(vertex: Vertex, linked: Sequence[Neighbours], middles: Mapping[Vertex, float]) -> float:
    """The mean of those it is linked with on each side, both sides alike."""
    sides = [[middles[each] for each in side.get(vertex, ())] for side in linked]
    means = [sum(side) / len(side) for side in sides if side]
    return sum(means) / len(means) if means else middles[vertex]


def _apart(
    column: Sequence[Vertex], wanted: Sequence[float], heights: Mapping[Vertex, float], space: float
) -> list[float]:
    """The middles that are nearest to the wanted ones by the sum of squares, in order and without overlap.

    Without the room that the boxes take, they need not fall: neighbours that would are pooled at their mean.
    """
    offsets = [0.0]
    for one, next_one in pairwise(column):
        offsets.append(offsets[-1] + (heights[one] + heights[next_one]) / 2 + space)
    pools: list[tuple[float, int]] = []
    for middle, offset in zip(wanted, offsets, strict=True):
        mean, count = middle - offset, 1
        while pools and pools[-1][0] > mean:
            above, size = pools.pop()
            mean, count = (above * size + mean * count) / (size + count), size + count
        pools.append((mean, count))
    pooled = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(pooled, offsets, strict=True)]
