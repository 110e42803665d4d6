"""Who can meet whom: the agents that a route reaches through handoffs."""

from __future__ import annotations

from collections.abc import Iterable

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


def models_asked(document: Document, agents: Iterable[str]) -> set[str]:
    """The models that these agents may ask: their own, those that stand in for one, and those of the routes' titles and
    suggestions.
    """
    asked = {document.text("budgets", index, "on_exceed", "use") for index, _ in document.mappings_at("budgets")}
    for route in document.mapping("routes"):
        asked |= {document.text("routes", route, key, "model") for key in ("titles", "suggestions")}
    return models_of_agents(document, agents) | _with_fallbacks(document, asked)


def models_of_agents(document: Document, agents: Iterable[str]) -> set[str]:
    """The models of these agents, and those that stand in for one that fails."""
    return _with_fallbacks(document, (document.text("agents", agent, "model") for agent in agents))


def _with_fallbacks(document: Document, asked: Iterable[str | None]) -> set[str]:
    found: set[str] = set()
    waiting = [model for model in asked if model is not None]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [fallback for _, fallback in document.texts_at("models", model, "fallbacks")]
    return found


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
