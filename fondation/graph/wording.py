"""What is said of an agent and of a handoff: in its box, beside its line, and in full to who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.config.words import counted
from fondation.graph.model import Agent, Graph, Route
from fondation.usage.figures import Figures
from fondation.usage.money import dollars, sum_text

if TYPE_CHECKING:
    from fondation.usage.traffic import Traffic

GONE = "no longer in the file"
UNREACHED = "no route leads here"


def detail_text(agent: Agent, graph: Graph) -> str:
    """`claude, 2 tools`, or what is out of order."""
    if agent.is_gone:
        return GONE
    if graph.leaves_out(agent):
        return UNREACHED
    tools = f", {counted(len(agent.tools), 'tool')}" if agent.tools else ""
    return f"{agent.model}{tools}"


def calls_text(figures: Figures | None) -> str:
    """`12 calls`; refused or simulated ones where there are no others."""
    match figures:
        case None:
            return "no calls"
        case Figures(calls=0, refused=0, simulated=simulated):
            return f"{simulated:,} simulated"
        case Figures(calls=0, refused=refused):
            return f"{refused:,} refused"
        case _:
            return _many(figures.calls, "call")


def cost_text(figures: Figures | None) -> str:
    """`$0.0506`; with a + where more is not known."""
    if figures is None or not figures.calls:
        return ""
    if figures.cost is None:
        return "cost unknown"
    return f"{dollars(figures.cost)}{' + ?' if figures.unknown_cost_calls else ''}"


def agent_sentence(agent: Agent, traffic: Traffic | None) -> str:
    """All that is known of the agent."""
    said = []
    if agent.is_gone:
        said.append(GONE)
    else:
        said.append(f"model {agent.model} ({agent.model_id})")
        said.append(f"tools {', '.join(agent.tools)}" if agent.tools else "no tools")
        said += [] if agent.is_reached else [UNREACHED]
    if traffic is not None:
        said += _figures(traffic.agents.get(agent.name))
    return f"{agent.name}: {'; '.join(said)}"


def route_sentence(route: Route) -> str:
    """`/api/chat: Triage answers first`."""
    return f"{route.path}: {route.agent} answers first"


def handoff_sentence(source: str, target: str, times: int | None, *, is_gone: bool) -> str:
    """`Triage to Billing: 12 handoffs`."""
    said = [] if times is None else [_many(times, "handoff")]
    said += [GONE] if is_gone else []
    return f"{source} to {target}" + (f": {'; '.join(said)}" if said else "")


def graph_sentence(graph: Graph, traffic: Traffic | None) -> str:
    """`1 route, 3 agents, 4 handoffs, taken 2,262 times`."""
    parts = [(graph.routes, "route"), (graph.agents, "agent"), (graph.handoffs, "handoff")]
    said = ", ".join(_many(len(of), noun) for of, noun in parts)
    return said if traffic is None else f"{said}, taken {_many(sum(traffic.handoffs.values()), 'time')}"


def _figures(figures: Figures | None) -> list[str]:
    if figures is None:
        return ["no calls"]
    said = []
    if figures.calls:
        said += [_many(figures.runs, "run"), _many(figures.calls, "call"), _many(figures.total_tokens, "token")]
        said.append(sum_text(figures.cost, figures.unknown_cost_calls))
    if figures.refused:
        said.append(_many(figures.refused, "refused call"))
    if figures.simulated:
        said.append(_many(figures.simulated, "simulated call"))
    return said


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
