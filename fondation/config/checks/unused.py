"""Warnings: what nothing uses, and targets that the handing agent's model reads nothing about."""

from __future__ import annotations

from fondation.config.checks.reach import agents_of_routes, models_asked
from fondation.config.document import Document

_BREAKING = frozenset({"unknown-model", "unknown-tool", "unknown-agent", "missing-key", "duplicate-key"})
_REFERRING = ((), ("models",), ("tools",), ("agents",), ("routes",), ("budgets",))


def check_unused(document: Document) -> None:
    """Only where every reference is known: a broken one would make its target look unused."""
    broken = any(problem.code in _BREAKING for problem in document.problems)
    if broken or any(path[:1] in _REFERRING for path in document.unknown | document.dropped):
        return
    _check_unreached(document)
    _check_undescribed(document)
    _check_unused_tools(document)
    _check_unused_models(document)


def _check_unreached(document: Document) -> None:
    if not document.mapping("routes"):
        document.warning(
            ("agents",),
            "no-routes",
            "there are no routes, so nothing is served",
            "say where an agent answers: routes: {/api/chat: AgentName}",
        )
        return
    reached = set().union(*agents_of_routes(document).values())
    for agent in document.mapping("agents"):
        if agent not in reached:
            document.warning(
                ("agents", agent),
                "unreached-agent",
                f"no route or handoff reaches {agent}",
                "give it a route, hand off to it, or remove it",
            )


def _check_undescribed(document: Document) -> None:
    targets = {
        target
        for agent in document.mapping("agents")
        for _, target in document.texts_at("agents", agent, "handoffs")
        if target != agent
    }
    for agent in document.mapping("agents"):
        if agent in targets and document.text("agents", agent, "description") is None:
            message = f"others hand off to {agent}, but it has no description"
            document.warning(
                ("agents", agent),
                "undescribed-agent",
                message,
                "write a description: it is what their models choose by",
            )


def _check_unused_tools(document: Document) -> None:
    used = {tool for agent in document.mapping("agents") for _, tool in document.texts_at("agents", agent, "tools")}
    for tool in document.mapping("tools"):
        if tool not in used:
            document.warning(
                ("tools", tool),
                "unused-tool",
                f"no agent uses the tool {tool}",
                "list it under an agent's tools, or remove it",
            )


def _check_unused_models(document: Document) -> None:
    used = models_asked(document, document.mapping("agents"))
    used |= {
        fallback
        for model in document.mapping("models")
        for _, fallback in document.texts_at("models", model, "fallbacks")
    }
    for model in document.mapping("models"):
        if model not in used:
            document.warning(
                ("models", model),
                "unused-model",
                f"no agent uses the model {model}",
                "name it as an agent's model or as a fallback, or remove it",
            )
