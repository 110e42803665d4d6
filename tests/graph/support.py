"""Graphs to draw, and traffic on them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hypothesis import strategies as st

from fondation.graph.model import Agent, Graph, Handoff, Route
from fondation.usage.figures import Tally
from fondation.usage.parts import Part
from fondation.usage.traffic import Traffic

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def graph(*handoffs: str, routes: Mapping[str, str] | None = None, model: str = "claude") -> Graph:
    """`graph("A B", "B C")`: A may hand off to B, B to C; a name alone is an agent without handoffs."""
    ends = [each.split() for each in handoffs]
    names = dict.fromkeys(name for each in ends for name in each)
    return Graph(
        tuple(Route(path, agent) for path, agent in (routes or {}).items()),
        tuple(Agent(name, model, f"vendor/{model}") for name in names),
        tuple(Handoff(each[0], each[1]) for each in ends if len(each) == 2),
    )


def traffic_of(handoffs: Mapping[str, int], **calls: Tally) -> Traffic:
    return Traffic(
        {(source, target): times for (source, target), times in ((key.split(), n) for key, n in handoffs.items())},
        {name: tally.figures() for name, tally in calls.items()},
    )


def calls(number: int, dollars: float | None, *, source: str = "billed", tokens: int = 1_000) -> Tally:
    """So many calls, of one run."""
    tally = Tally()
    money = 0 if dollars is None else math.floor(dollars * 1e12 + 0.5)
    cost_source = "unknown" if dollars is None else source
    tally.add(Part("done", cost_source, number, number, 0, 0, tokens, 0, 0, 0, money, '["r"]', "[]", "[]"))
    return tally


@st.composite
def graphs(draw: st.DrawFn, largest: int = 12) -> Graph:
    """Any graph: cycles, several routes, agents that nothing reaches or that are gone."""
    names = draw(st.lists(NAMES, min_size=1, max_size=largest, unique=True))
    some = st.sampled_from(names)
    pairs = draw(st.lists(st.tuples(some, some), max_size=3 * len(names), unique=True))
    paths = draw(st.lists(NAMES.map(lambda name: f"/{name}"), max_size=4, unique=True))
    agents = [Agent(name, "m", "v/m", is_gone=draw(st.booleans())) for name in names]
    return Graph(
        tuple(Route(path, draw(some)) for path in paths),
        tuple(agents),
        tuple(Handoff(source, target, is_gone=draw(st.booleans())) for source, target in pairs),
    )


@st.composite
def travelled(draw: st.DrawFn, graph: Graph) -> Traffic:
    """Traffic on some of its ways, and perhaps on others."""
    names = [agent.name for agent in graph.agents]
    ends = st.tuples(st.sampled_from([*names, "Elsewhere"]), st.sampled_from(names))
    numbers = st.integers(1, 10**9)
    return Traffic(draw(st.dictionaries(ends, numbers, max_size=8)), {})
