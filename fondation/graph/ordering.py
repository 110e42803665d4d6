"""The order within the columns, in which few lines cross: each stands near the middle of those it is linked with."""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from fondation.graph.columns import Columns, Vertex, Way

Neighbours: TypeAlias = Mapping[Vertex, Sequence[Vertex]]

_SWEEPS = 12


def neighbours(columns: Columns, ways: Sequence[Way]) -> tuple[Neighbours, Neighbours]:
    """For each vertex those that it is linked with in the column to its left, and in the one to its right."""
    place = {vertex: number for number, column in enumerate(columns) for vertex in column}
    left: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    right: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    for way in ways:
        for ends in pairwise(way.vertices):
            one, other = sorted(ends, key=place.__getitem__)
            if place[one] != place[other]:
                right[one].append(other)
                left[other].append(one)
    return left, right


def ordered(columns: Columns, ways: Sequence[Way]) -> list[list[Vertex]]:
    """The columns, each in the best order that was found; the same for the same graph."""
    left, right = neighbours(columns, ways)
    best = current = [list(column) for column in columns]
    fewest = crossings(current, right)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        current = _swept(current, left) if sweep % 2 == 0 else _swept(current[::-1], right)[::-1]
        count = crossings(current, right)
        if count < fewest:
            best, fewest = current, count
    return best


def _swept(columns: Columns, before: Neighbours) -> list[list[Vertex]]:
    """Each column in the order of what it is linked with in the one before."""
    swept: list[list[Vertex]] = []
    for column in columns:
        place = {vertex: number for number, vertex in enumerate(swept[-1])} if swept else {}
        own = {vertex: number for number, vertex in enumerate(column)}

        def middle(vertex: Vertex, place: Mapping[Vertex, int] = place, own: Mapping[Vertex, int] = own) -> float:
            linked = before.get(vertex, ()) if place else ()
            return sum(place[each] for each in linked) / len(linked) if linked else own[vertex]

        swept.append(sorted(column, key=middle))
    return swept


def crossings(columns: Columns, right: Neighbours) -> int:
    """How many pairs of lines between neighbouring columns cross."""
    count = 0
    for one, other in pairwise(columns):
        place = {vertex: number for number, vertex in enumerate(other)}
        passed: list[int] = []
        for vertex in one:
            ends = sorted(place[each] for each in right.get(vertex, ()))
            count += sum(len(passed) - bisect(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return count
