"""The entry points of hooks: they must be callable with what they are given, and something must call them."""

from __future__ import annotations

from fondation.config.checks.functions import load_function
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.entry_points import Function, load_hook

HOOKS: dict[Path, tuple[str, ...]] = {("usage", "on_usage"): ("event",), ("usage", "on_error"): ("error", "event")}
"""Where the ledger's hooks are named -> what they are given."""
ON_WARN = ("event",)
"""What the hook of a budget is given."""


def check_hooks(document: Document, *, importing: bool) -> None:
    """Every hook; without `importing` only their names, and whether they are called."""
    warnings: dict[Path, tuple[str, ...]] = {
        ("budgets", index, "on_warn"): ON_WARN for index, _ in document.mappings_at("budgets")
    }
    for path, given in {**HOOKS, **warnings}.items():

        def load(text: str, given: tuple[str, ...] = given) -> Function:
            return load_hook(text, *given)

        load_function(document, path, dotted(path), importing=importing, load=load)
    _check_use(document)


def _check_use(document: Document) -> None:
    on_usage, on_error = HOOKS
    named = [path for path in HOOKS if document.text(*path) is not None]
    if document.value("usage", "enabled") is False:
        for path in named:
            message = f"usage.{path[-1]} is never called: usage.enabled is false"
            document.warning(path, "unused-hook", message, "remove it, or record usage")
    elif named == [on_error] and on_usage not in document.dropped:
        message = "usage.on_error is never called: there is no usage.on_usage that could fail"
        document.warning(on_error, "unused-hook", message, "name a function under on_usage, or remove it")
