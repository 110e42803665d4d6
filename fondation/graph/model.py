"""The graph as the file declares it, and as a ledger remembers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fondation.config import AgentConfig, Config
    from fondation.usage.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Route:
    path: str
    agent: str
    """The agent that answers there first."""


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    model: str | None = None
    """The model's name in the file; None where the agent is gone."""
    model_id: str | None = None
    """The provider's name for it."""
    tools: tuple[str, ...] = ()
    is_reached: bool = True
    """Whether a route leads to it, over handoffs or not."""
    is_gone: bool = False
    """The ledger knows it, and the file no longer does."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """Who may pass the conversation to whom."""

    source: str
    target: str
    is_gone: bool = False
    """It happened, and the file no longer allows it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """All in the file's order; what is gone comes last, by name."""

    routes: tuple[Route, ...]
    agents: tuple[Agent, ...]
    handoffs: tuple[Handoff, ...]

    def leaves_out(self, agent: Agent) -> bool:
        """Whether routes lead to others, and not to this agent of the file."""
        return bool(self.routes) and not agent.is_reached and not agent.is_gone


def graph_of(config: Config) -> Graph:
    """The graph of a file that was checked."""
    routes = tuple(Route(path, route.agent) for path, route in config.routes.items())
    reached = _reached(config, (route.agent for route in routes))
    agents = tuple(_agent(config, name, agent, name in reached) for name, agent in config.agents.items())
    handoffs = tuple(Handoff(name, target) for name, agent in config.agents.items() for target in agent.handoffs)
    return Graph(routes, agents, handoffs)


def with_gone(graph: Graph, traffic: Traffic) -> Graph:
    """The same graph, and behind it the agents and handoffs of the ledger that are not in the file."""
    known = {agent.name for agent in graph.agents}
    allowed = {(handoff.source, handoff.target) for handoff in graph.handoffs}
    passed = sorted(traffic.handoffs.keys() - allowed)
    names = sorted({*traffic.agents, *(name for ends in passed for name in ends)} - known)
    return Graph(
        graph.routes,
        (*graph.agents, *(Agent(name, is_reached=False, is_gone=True) for name in names)),
        (*graph.handoffs, *(Handoff(source, target, is_gone=True) for source, target in passed)),
    )


def busiest_gone(graph: Graph, traffic: Traffic, most: int) -> tuple[Traffic, int]:
    """The traffic with so many agents that are not in the file, those that called most; and how many it leaves out."""

    def calls(agent: Agent) -> int:
        figures = traffic.agents.get(agent.name)
        return figures.rows if figures else 0

    gone = sorted((agent for agent in with_gone(graph, traffic).agents if agent.is_gone), key=calls, reverse=True)
    left_out = {agent.name for agent in gone[most:]}
    handoffs = {ends: times for ends, times in traffic.handoffs.items() if left_out.isdisjoint(ends)}
    agents = {name: figures for name, figures in traffic.agents.items() if name not in left_out}
    return replace(traffic, handoffs=handoffs, agents=agents), len(left_out)


def _agent(config: Config, name: str, agent: AgentConfig, is_reached: bool) -> Agent:
    return Agent(name, agent.model, config.models[agent.model].id, tuple(agent.tools), is_reached)


def _reached(config: Config, starts: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += config.agents[name].handoffs
    return reached
