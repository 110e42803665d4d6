"""At which side of its boxes a line ends, and in which order lines do: so that those of one box do not cross there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from fondation.graph.columns import Columns, Vertex, Way

Side: TypeAlias = Literal["left", "right"]


class End(NamedTuple):
    way: int
    """The number of the way."""
    is_target: bool
    """Whether it arrives there; else it leaves."""


Sides: TypeAlias = Mapping[tuple[Vertex, Side], Sequence[End]]
"""The ends at each side of each box, from above."""


class _Place(NamedTuple):
    column: int
    row: int


class _Rank(NamedTuple):
    """Where on its side a line ends."""

    part: int
    """Arcs to boxes above, lines to other columns, arcs to boxes below, an arc to the box itself."""
    row: int
    order: int


def sides_of(columns: Columns, ways: Sequence[Way]) -> Sides:
    """A line to the right ends above one to the left; within a column they go down at the right and up at the left."""
    places = {vertex: _Place(x, y) for x, column in enumerate(columns) for y, vertex in enumerate(column)}
    ranked: defaultdict[tuple[Vertex, Side], list[tuple[_Rank, End]]] = defaultdict(list)
    for number, way in enumerate(ways):
        for end, (own, other) in (
            (End(number, is_target=False), way.vertices[:2]),
            (End(number, is_target=True), way.vertices[:-3:-1]),
        ):
            side, rank = _side(places[own], places[other], end)
            ranked[own, side].append((rank, end))
    return {place: [end for _, end in sorted(ends)] for place, ends in ranked.items()}


def _side(own: _Place, other: _Place, end: End) -> tuple[Side, _Rank]:
    """For the end at `own` of a line between it and `other`."""
    if own == other:
        return "right", _Rank(3, 0, int(end.is_target))
    if own.column == other.column:
        is_below = other.row > own.row
        # of arcs within each other the outer ones end at the corners of what is between
        return "right" if is_below != end.is_target else "left", _Rank(2 if is_below else 0, -other.row, 0)
    is_to_the_right = other.column > own.column
    is_forward = is_to_the_right != end.is_target
    return "right" if is_to_the_right else "left", _Rank(1, other.row, 0 if is_forward else 1)
