"""What the page is told of the routes: who answers there, and what a request may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fondation.agents import Route
from fondation.config import ContextValue, ToolConfig
from fondation.messages import Json


def told_routes(routes: Iterable[Route], tools: Mapping[str, ToolConfig]) -> list[Json]:
    """Each route as JSON; `tools` are those of the file."""
    return [_told(route, tools) for route in routes]


def _told(route: Route, tools: Mapping[str, ToolConfig]) -> Json:
    agents = _descriptions(route)
    used = {tool for agent in route.reachable.values() for tool in agent.tools}
    return {
        "path": route.path,
        "agent": route.agent.name,
        "agents": [{"name": name, "description": agents[name]} for name in route.reachable],
        "chats": route.config.chats,
        "client": route.config.client,
        "context": [_context_value(name, value) for name, value in route.config.context.items()],
        "clientTools": {
            name: tool.description or "" for name, tool in tools.items() if name in used and tool.runs_on == "client"
        },
        "maxBody": route.limits.max_body_size,
        "maxMessage": route.limits.max_message_length,
    }


def _descriptions(route: Route) -> dict[str, str]:
    """What agents say of themselves to each other; the first one need not say anything."""
    described = {target: text for agent in route.reachable.values() for target, text in agent.handoffs.items()}
    return {name: described.get(name, "") for name in route.reachable}


def _context_value(name: str, value: ContextValue) -> Json:
    return {"name": name, "type": value.type, "default": value.default, "maxLength": value.max_length}
