"""An agent's own rules: names that are taken, route_only, match_on, memory, max_turns."""

from __future__ import annotations

from fondation.config.checks.reach import agents_of_routes, limit_of_route
from fondation.config.document import Document
from fondation.config.words import shown
from fondation.match_on import InvalidPattern, compile_match

TAKEN_TOOLS = ("handoff_to_agent", "update_working_memory")


def check_agents(document: Document) -> None:
    """The agents, and the names of tools."""
    for tool in document.mapping("tools"):
        if tool in TAKEN_TOOLS:
            message = f"the tool name {shown(tool)} is taken: fondation has a tool of its own with it"
            document.error_at_key(("tools", tool), "taken-name", message, "choose another name")
    for agent in document.mapping("agents"):
        _check_route_only(document, agent)
        _check_match_on(document, agent)
        _check_memory(document, agent)
    _check_max_turns(document)


def _check_route_only(document: Document, agent: str) -> None:
    path = ("agents", agent)
    if document.value(*path, "route_only") is True and document.value(*path, "handoffs") in (None, []):
        if (*path, "handoffs") in document.dropped:
            return
        message = f"{agent} is route_only but has no handoffs"
        document.error_at_key(
            (*path, "route_only"),
            "route-only-without-handoffs",
            message,
            "list the agents it chooses from under handoffs, or remove route_only",
        )


def _check_match_on(document: Document, agent: str) -> None:
    for index, word in document.texts_at("agents", agent, "match_on"):
        try:
            compile_match([word])
        except InvalidPattern as invalid:
            path = ("agents", agent, "match_on", index)
            document.error(
                path, "invalid-match", f"{shown(word)} {invalid}" if word.strip() else str(invalid), invalid.help
            )


def _check_memory(document: Document, agent: str) -> None:
    path = ("agents", agent, "memory")
    if document.text(*path, "template") is None or document.text(*path, "working") is not None:
        return
    if (*path, "working") not in document.dropped | document.unknown:
        message = f"agents.{agent}.memory has a template but no working memory"
        help = "write working: chat (one for each chat) or working: user (one for all chats of a user) beside it"
        document.error_at_key((*path, "template"), "template-without-memory", message, help)


def _check_max_turns(document: Document) -> None:
    """More turns than the steps that are allowed: the last ones could never happen."""
    everywhere = document.value("limits", "max_steps")
    ceilings: dict[str, list[object]] = {}
    for route, agents in agents_of_routes(document).items():
        for agent in agents:
            ceilings.setdefault(agent, []).append(limit_of_route(document, route, "max_steps"))
    for agent in document.mapping("agents"):
        turns = document.value("agents", agent, "max_turns")
        steps = [number for number in ceilings.get(agent, [everywhere]) if isinstance(number, int)]
        if not isinstance(turns, int) or not steps or len(steps) < len(ceilings.get(agent, [everywhere])):
            continue
        if turns > max(steps):
            message = f"{agent} has max_turns {turns}, but limits.max_steps is {max(steps)}"
            help = f"write at most {max(steps)}, or raise max_steps"
            document.error(("agents", agent, "max_turns"), "max-turns-above-max-steps", message, help)
