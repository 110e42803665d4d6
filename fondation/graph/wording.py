"""What is said of an agent and of a handoff: in its box, beside its line, and in full to who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.config.words import counted
from fondation.graph.model import Agent, Graph
from fondation.usage.money import dollars, sum_text

if TYPE_CHECKING:
    from fondation.usage.figures import Figures
    from fondation.usage.traffic import Traffic

GONE = "no longer in the file"
UNREACHED = "no route leads here"


def detail_text(agent: Agent) -> str:
    """`claude, 2 tools`."""
    if agent.is_gone:
        return GONE
    tools = f", {counted(len(agent.tools), 'tool')}" if agent.tools else ""
    return f"{agent.model}{tools}"


def calls_text(figures: Figures | None) -> str:
    """`12 calls`; simulated ones where there are no others."""
    if figures is None:
        return "no calls"
    if figures.simulated and not figures.calls + figures.refused:
        return f"{figures.simulated:,} simulated"
    return _many(figures.calls + figures.refused, "call")


def cost_text(figures: Figures | None) -> str:
    """`$0.0506`; with a + where more is not known."""
    if figures is None or not figures.calls + figures.refused:
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


def handoff_sentence(source: str, target: str, times: int | None, *, is_gone: bool) -> str:
    """`Triage to Billing: 12 handoffs`."""
    said = [] if times is None else [_many(times, "handoff")]
    said += [GONE] if is_gone else []
    return f"{source} to {target}" + (f": {'; '.join(said)}" if said else "")


def graph_sentence(graph: Graph, traffic: Traffic | None) -> str:
    """`3 agents, 1 route and 4 handoffs between them`."""
    parts = [counted(len(graph.routes), "route"), counted(len(graph.agents), "agent")]
    said = f"{' and '.join(parts)}: {counted(len(graph.handoffs), 'way')} to hand off"
    if traffic is None:
        return said
    return f"{said}, taken {_many(sum(traffic.handoffs.values()), 'time')}"


def _figures(figures: Figures | None) -> list[str]:
    if figures is None:
        return ["no calls"]
    said = []
    if calls := figures.calls + figures.refused:
        said += [_many(figures.runs, "run"), _many(calls, "call"), _many(figures.total_tokens, "token")]
        said.append(sum_text(figures.cost, figures.unknown_cost_calls))
    if figures.simulated:
        said.append(_many(figures.simulated, "simulated call"))
    return said


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
