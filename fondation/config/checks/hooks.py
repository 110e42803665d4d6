"""The entry points of hooks: they must be callable with what they are given."""

from __future__ import annotations

from fondation.config.checks.functions import load_function
from fondation.config.document import Document
from fondation.entry_points import Function, load_hook

HOOKS = {("usage", "on_usage"): ("event",), ("usage", "on_error"): ("error", "event")}
"""Where hooks are named -> what they are given."""


def check_hooks(document: Document, *, importing: bool) -> None:
    """Every hook; without `importing` only their names."""
    for path, given in HOOKS.items():

        def load(text: str, given: tuple[str, ...] = given) -> Function:
            return load_hook(text, *given)

        load_function(document, path, ".".join(path), importing=importing, load=load)
