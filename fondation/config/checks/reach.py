"""Who can meet whom: the agents that a route reaches through handoffs."""

from __future__ import annotations

from fondation.config.document import Document
from fondation.config.source import Value


def agent_of_route(document: Document, route: str) -> str | None:
    """The agent that answers first at `route`, whichever way the route is written."""
    return document.text("routes", route) or document.text("routes", route, "agent")


def agents_of_routes(document: Document) -> dict[str, set[str]]:
    """For each route its agent, and all that can be handed the conversation from there."""
    return {
        route: _reached(document, agent)
        for route in document.mapping("routes")
        if (agent := agent_of_route(document, route)) is not None
    }


def limit_of_route(document: Document, route: str, name: str) -> Value:
    """A limit as it is written for the route, else for all; None where it is not written."""
    own = document.value("routes", route, "limits", name)
    return document.value("limits", name) if own is None else own


def _reached(document: Document, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        agent = waiting.pop()
        if agent not in reached:
            reached.add(agent)
            waiting += [target for _, target in document.texts_at("agents", agent, "handoffs")]
    return reached
