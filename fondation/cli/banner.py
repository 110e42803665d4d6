"""What `fondation serve` prints once its port is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fondation import __version__
from fondation.addresses import is_loopback
from fondation.agents import missing_keys
from fondation.server.keys import SERVICES, Services

if TYPE_CHECKING:
    from aiohttp import web

    from fondation.config import Loaded


def banner(loaded: Loaded, app: web.Application, port: int) -> str:
    """Routes, agents, models, database, and what to type to try it."""
    assert loaded.config is not None
    services = app[SERVICES]
    url = f"http://{_url_host(loaded.config.server.host)}:{port}"
    sections = {
        "routes": _aligned({path: route.agent.name for path, route in services.cast.routes.items()}),
        "agents": _aligned(_agents(services)),
        "models": _aligned(_models(loaded, services)),
        "ledger": [_ledger(services)],
    }
    if uncounted := [warning.message for warning in loaded.warnings if warning.code == "unpriced-model"]:
        sections["budgets"] = ["; ".join(uncounted)]
    lines = [f"fondation {__version__} serves {loaded.summary()}", ""]
    for title, entries in sections.items():
        for number, entry in enumerate(entries):
            lines.append(f"  {title if number == 0 else '':8}{entry}")
    lines += ["", f"  {url}", *_pages(url, services), *_try(url, services)]
    return "\n".join(lines)


def _aligned(entries: Mapping[str, str]) -> list[str]:
    """A line for each name, what is said of it in one column."""
    width = max(map(len, entries), default=0)
    return [f"{name:{width}}  {text}".rstrip() for name, text in entries.items()]


def _agents(services: Services) -> dict[str, str]:
    return {
        name: "; ".join(
            [
                *([f"tools: {', '.join(agent.tools)}"] if agent.tools else []),
                *([f"hands off to: {', '.join(agent.handoffs)}"] if agent.handoffs else []),
            ]
        )
        for name, agent in services.cast.agents.items()
    }


def _models(loaded: Loaded, services: Services) -> dict[str, str]:
    assert loaded.config is not None
    lines, missing = {}, missing_keys(loaded)
    for name, model in loaded.config.models.items():
        place = f" at {urlsplit(model.base_url).netloc}" if model.base_url else ""
        line = f"{model.id} ({model.provider}{place})"
        if name in services.cast.simulated:
            line += f", simulated: {missing[name]} is not set" if name in missing else ", simulated"
        lines[name] = line
    return lines


def _ledger(services: Services) -> str:
    return str(services.database) if services.database else "off (usage.enabled)"


def _try(url: str, services: Services) -> list[str]:
    path = next(iter(services.cast.routes), None)
    if path is None:
        return ["  There is no route yet: add one under routes."]
    curl = f"  try: curl -N {url}{path} -H 'content-type: application/json' -d '{{\"message\": \"Hello\"}}'"
    return [curl]


def _pages(url: str, services: Services) -> list[str]:
    """The dashboard is for this machine alone, so for an address that means it."""
    server = services.config.server
    has_chat = server.page and services.cast.routes
    has_dashboard = server.dashboard and is_loopback(_name_of_this_machine(server.host))
    pages = [(has_chat, f"  chat: {url}/"), (has_dashboard, f"  usage: {url}/admin/usage")]
    return [line for is_there, line in pages if is_there]


def _url_host(host: str) -> str:
    name = _name_of_this_machine(host)
    return f"[{name}]" if ":" in name else name


def _name_of_this_machine(host: str) -> str:
    """By which a server that listens there can be reached from here."""
    return "localhost" if host in ("0.0.0.0", "::") else host
