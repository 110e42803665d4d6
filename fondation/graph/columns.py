"""Who stands in which column: routes first, then the agents by how many handoffs they are away from a route."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from fondation.graph.model import Graph


class Vertex(NamedTuple):
    """What has a place in a column: a box, or a bend where a long line passes between boxes."""

    kind: Literal["route", "agent", "bend"]
    name: str
    """Of a bend, the number of its line."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a line: from box to box, with a bend in each column between."""

    vertices: tuple[Vertex, ...]

    @property
    def source(self) -> Vertex:
        return self.vertices[0]

    @property
    def target(self) -> Vertex:
        return self.vertices[-1]


Columns: TypeAlias = Sequence[Sequence[Vertex]]


def columns_of(graph: Graph) -> tuple[list[list[Vertex]], list[Way]]:
    """The columns from left to right, and the ways of the routes' lines, then of the handoffs', in their order."""
    distances = _distances(graph)
    first = 1 if graph.routes else 0
    columns: list[list[Vertex]] = [[] for _ in range(first + max(distances.values(), default=-1) + 1)]
    place = {Vertex("agent", name): first + distance for name, distance in distances.items()}
    place |= {Vertex("route", route.path): 0 for route in graph.routes}
    for vertex, column in place.items():
        columns[column].append(vertex)
    ends = [(Vertex("route", route.path), Vertex("agent", route.agent)) for route in graph.routes]
    ends += [(Vertex("agent", each.source), Vertex("agent", each.target)) for each in graph.handoffs]
    ways = []
    for number, (source, target) in enumerate(ends):
        start, end = place[source], place[target]
        step = 1 if end > start else -1
        bends = []
        for column in range(start + step, end, step):
            bends.append(Vertex("bend", f"{number}/{column}"))
            columns[column].append(bends[-1])
        ways.append(Way((source, *bends, target)))
    return columns, ways


def _distances(graph: Graph) -> dict[str, int]:
    """Agent -> handoffs from the nearest route. Those that none reaches stand where they lead to each other from."""
    lawful: dict[str, list[str]] = {agent.name: [] for agent in graph.agents}
    possible: dict[str, list[str]] = {agent.name: [] for agent in graph.agents}
    for handoff in graph.handoffs:
        possible[handoff.source].append(handoff.target)
        if not handoff.is_gone:
            lawful[handoff.source].append(handoff.target)
    found = _spread({}, (route.agent for route in graph.routes), lawful)
    found = _spread(found, (), possible)
    while waiting := [name for name in possible if name not in found]:
        led_to = {target for name in waiting for target in possible[name] if target != name}
        found = _spread(found, [name for name in waiting if name not in led_to] or waiting[:1], possible)
    return found


def _spread(found: Mapping[str, int], starts: Iterable[str], targets: Mapping[str, Collection[str]]) -> dict[str, int]:
    """The distances so far, and those of all that can be led to from there and from `starts`, which are new ones."""
    known = {**found, **dict.fromkeys(starts, 0)}
    distance = 0
    while distance <= max(known.values(), default=-1):
        for name in [name for name, away in known.items() if away == distance]:
            for target in targets[name]:
                known.setdefault(target, distance + 1)
        distance += 1
    return known
