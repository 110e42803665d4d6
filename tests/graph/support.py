"""Graphs to draw, and traffic on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

from fondation.graph import Agent, Graph, Handoff, Route
from fondation.usage.figures import Figures, Tally
from fondation.usage.money import pico
from fondation.usage.parts import Part
from fondation.usage.traffic import Traffic

GOLDEN = Path(__file__).parent / "golden"
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


def traffic_of(handoffs: Mapping[str, int], **agents: Figures) -> Traffic:
    """`traffic_of({"A B": 12}, A=calls(3, 0.5))`."""
    return Traffic({(key.split()[0], key.split()[1]): times for key, times in handoffs.items()}, agents)


def calls(known: int = 0, dollars: float = 0.0, *, unknown: int = 0, simulated: int = 0, refused: int = 0) -> Figures:
    """So many calls with a cost, of unknown cost, simulated and refused ones: of one run, a thousand tokens each."""
    tally = Tally()
    kinds = (("done", "billed", known), ("done", "unknown", unknown), ("done", "simulated", simulated))
    for status, source, number in (*kinds, ("refused", "none", refused)):
        if number:
            money = pico(dollars) if source == "billed" else 0
            tokens = 0 if status == "refused" else 1_000 * number
            tally.add(Part(status, source, number, number, 0, 0, tokens, 0, 0, 0, money, '["r"]', "[]", "[]"))
    return tally.figures()


def support_desk() -> tuple[Graph, Traffic]:
    """A bit of everything: two routes, both ways, a way never taken, who is gone, and whom no route reaches."""
    declared = Graph(
        (Route("/api/chat", "Triage"), Route("/api/billing", "Billing")),
        (
            Agent("Triage", "haiku", "vendor/haiku-4.5"),
            Agent("Billing", "claude", "vendor/claude-4.5", ("check_invoice", "refund")),
            Agent("TechnicalSupportAndEverythingThatNobodyElseKnows", "claude", "vendor/claude-4.5", ("look_up",)),
            Agent("Archive", "claude", "vendor/claude-4.5", is_reached=False),
        ),
        (
            Handoff("Triage", "Billing"),
            Handoff("Triage", "TechnicalSupportAndEverythingThatNobodyElseKnows"),
            Handoff("TechnicalSupportAndEverythingThatNobodyElseKnows", "Billing"),
            Handoff("Billing", "Triage"),
        ),
    )
    passed = {
        "Triage Billing": 1_404,
        "Triage TechnicalSupportAndEverythingThatNobodyElseKnows": 812,
        "Billing Triage": 9,
        "Triage <Sales>&": 3,
    }
    figures = {
        "Triage": calls(2_216, 1.2568, refused=2),
        "Billing": calls(1_400, 17.22, unknown=3),
        "TechnicalSupportAndEverythingThatNobodyElseKnows": calls(unknown=4),
        "<Sales>&": calls(simulated=15),
    }
    return declared, traffic_of(passed, **figures)


@st.composite
def graphs(draw: st.DrawFn, largest: int = 12) -> Graph:
    """Any graph: cycles, several routes, agents that nothing reaches or that are gone."""
    names = draw(st.lists(NAMES, min_size=1, max_size=largest, unique=True))
    some = st.sampled_from(names)
    pairs = draw(st.lists(st.tuples(some, some), max_size=3 * len(names), unique=True))
    paths = draw(st.lists(NAMES.map(lambda name: f"/{name}"), max_size=4, unique=True))
    agents = [
        Agent(name, "m", "v/m", tuple(draw(st.lists(NAMES, max_size=2))), draw(st.booleans()), draw(st.booleans()))
        for name in names
    ]
    return Graph(
        tuple(Route(path, draw(some)) for path in paths),
        tuple(agents),
        tuple(Handoff(source, target, is_gone=draw(st.booleans())) for source, target in pairs),
    )


@st.composite
def travelled(draw: st.DrawFn) -> tuple[Graph, Traffic]:
    """Any graph, and traffic on some of its ways and perhaps on others."""
    graph = draw(graphs(largest=6))
    some = st.sampled_from([*(agent.name for agent in graph.agents), "Elsewhere"])
    handoffs = draw(st.dictionaries(st.tuples(some, some), st.integers(1, 10**9), max_size=8))
    figures = st.builds(calls, st.integers(0, 10**6), st.floats(0, 10**6), unknown=st.integers(0, 3))
    return graph, Traffic(handoffs, draw(st.dictionaries(some, figures, max_size=4)))
