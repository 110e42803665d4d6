"""What only the server's chats can hold, on routes whose chats the client keeps: titles, calls that wait, and
what agents keep in their memory.
"""

from __future__ import annotations

from fondation.config.checks.reach import agents_of_routes
from fondation.config.document import Document
from fondation.config.words import listed

_CODE = "needs-server-chats"


def check_chats(document: Document) -> None:
    """Every route with `chats: client`."""
    for route, reached in agents_of_routes(document).items():
        if document.text("routes", route, "chats") == "client":
            agents = [agent for agent in document.mapping("agents") if agent in reached]
            _check_titles(document, route)
            _check_tools(document, route, agents)
            _check_memory(document, route, agents)


def _check_titles(document: Document, route: str) -> None:
    path = ("routes", route, "titles")
    if document.value(*path) not in (None, False):
        message = f"{route} has chats: client, but titles are of chats that the server keeps"
        document.error_at_key(path, _CODE, message, "write chats: server, or remove titles")


def _check_tools(document: Document, route: str, agents: list[str]) -> None:
    used = {tool for agent in agents for _, tool in document.texts_at("agents", agent, "tools")}
    waiting = [tool for tool in document.mapping("tools") if tool in used and _waits(document, tool)]
    if not waiting:
        return
    message = f"{route} has chats: client, but {_clause('tool', waiting, 'wait')} for an answer"
    help = "write chats: server, which keeps calls that wait, or remove the tool from the agents of this route"
    document.error_at_key(("routes", route), _CODE, message, help)


def _check_memory(document: Document, route: str, agents: list[str]) -> None:
    for key, noun in (("working", "a working memory"), ("summary", "a summary")):
        keeping = [agent for agent in agents if document.value("agents", agent, "memory", key)]
        if keeping:
            message = f"{route} has chats: client, but {_clause('agent', keeping, 'keep')} {noun}"
            help = f"write chats: server, which keeps it, or remove {key} under memory"
            document.error_at_key(("routes", route), _CODE, message, help)


def _waits(document: Document, tool: str) -> bool:
    """Whether some call of the tool waits for a person or for the page."""
    approval = document.value("tools", tool, "approval")
    return document.text("tools", tool, "runs_on") == "client" or approval not in (None, "never")


def _clause(noun: str, names: list[str], verb: str) -> str:
    """`its tool locate waits`, `its tools locate and pay wait`."""
    if len(names) == 1:
        return f"its {noun} {names[0]} {verb}s"
    return f"its {noun}s {listed(names, 'and')} {verb}"
