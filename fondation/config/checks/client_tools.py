"""Who runs a tool decides which keys it has: what a function says itself, and what the page has to be told."""

from __future__ import annotations

from fondation.config.document import Document

_NOT_OF_THE_PAGE = {
    "python": ("python", "the page runs it", "remove python, or remove runs_on"),
    "timeout": ("a timeout", "the page runs it in its own time", "remove timeout"),
    "approval": ("an approval", "the page runs it and can ask its user itself", "remove approval"),
}
"""Key of a tool with runs_on: client -> what it is called, why it cannot be there, what to type."""


def check_client_tools(document: Document) -> None:
    """Keys of a tool that exclude each other."""
    for tool, keys in document.mapping("tools").items():
        if not isinstance(keys, dict):
            continue
        path = ("tools", tool)
        if keys.get("runs_on") == "client":
            for key, (noun, reason, help) in _NOT_OF_THE_PAGE.items():
                if key in keys and keys[key] != "never":
                    message = f"tools.{tool} has {noun}, but runs_on: client says that {reason}"
                    document.error_at_key((*path, key), "conflicting-keys", message, help)
        elif "python" in keys and "parameters" in keys:
            message = f"tools.{tool} has parameters, but its function says them itself"
            help = "remove parameters, or write runs_on: client in place of python"
            document.error_at_key((*path, "parameters"), "conflicting-keys", message, help)
