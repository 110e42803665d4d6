"""The graph for programs: JSON, whose keys stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.graph.model import Agent, Graph, Handoff, with_gone
from fondation.graph.rows import times_of
from fondation.usage.formats import dumps, json_figures

if TYPE_CHECKING:
    from fondation.usage.periods import Period
    from fondation.usage.traffic import Traffic


def as_json(graph: Graph, traffic: Traffic | None = None, period: Period | None = None) -> str:
    """One object: routes (path, agent), agents (name, model, model_id, tools, reached, gone), handoffs (from, to,
    gone).

    With traffic each agent has the `figures` of `fondation usage`, null where it made no call, and each handoff its
    `times`; with a period there are since and until (ISO 8601 or null).
    """
    whole = graph if traffic is None else with_gone(graph, traffic)
    document: dict[str, object] = {}
    if period is not None:
        document["since"] = period.since and period.since.isoformat()
        document["until"] = period.until and period.until.isoformat()
    document["routes"] = [{"path": route.path, "agent": route.agent} for route in whole.routes]
    document["agents"] = [_agent(agent, traffic) for agent in whole.agents]
    document["handoffs"] = [_handoff(handoff, traffic) for handoff in whole.handoffs]
    return dumps(document)


def _agent(agent: Agent, traffic: Traffic | None) -> dict[str, object]:
    told: dict[str, object] = {
        "name": agent.name,
        "model": agent.model,
        "model_id": agent.model_id,
        "tools": list(agent.tools),
        "reached": agent.is_reached,
        "gone": agent.is_gone,
    }
    if traffic is not None:
        figures = traffic.agents.get(agent.name)
        told["figures"] = None if figures is None else json_figures(figures)
    return told


def _handoff(handoff: Handoff, traffic: Traffic | None) -> dict[str, object]:
    told: dict[str, object] = {"from": handoff.source, "to": handoff.target, "gone": handoff.is_gone}
    return told if traffic is None else {**told, "times": times_of(handoff, traffic)}
