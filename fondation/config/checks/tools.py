"""Entry points: they must import and be callable, and a tool's must have a signature that a model can be told."""

from __future__ import annotations

from fondation.config.document import Document
from fondation.config.places import Path
from fondation.entry_points import Function, describe, load_entry_point, split_entry_point
from fondation.errors import EntryPointError


def check_tools(document: Document, *, importing: bool) -> None:
    """The entry points of every tool; without `importing` only their names."""
    for tool in document.mapping("tools"):
        for path in (("tools", tool), ("tools", tool, "python")):
            function = _loaded(document, path, f"tools.{tool}", importing=importing)
            if function is not None:
                _check_signature(document, path, f"tools.{tool}", function)
        _loaded(document, ("tools", tool, "approval", "when"), f"tools.{tool}.approval", importing=importing)


def _loaded(document: Document, path: Path, name: str, *, importing: bool) -> Function | None:
    """The function of the entry point at `path`; None where there is none, or it is broken, or nothing is imported."""
    text = document.text(*path)
    if text is None:
        return None
    try:
        split_entry_point(text)
        return load_entry_point(text) if importing else None
    except EntryPointError as error:
        _report(document, path, name, error)
        return None


def _check_signature(document: Document, path: Path, name: str, function: Function) -> None:
    try:
        signature = describe(function)
    except EntryPointError as error:
        _report(document, path, name, error)
        return
    if not signature.description and document.text(*path[:2], "description") is None:
        message = f"{name}: {document.text(*path)} has no docstring, so a model does not learn what it does"
        document.warning(path, "undocumented-tool", message, "write a docstring, or a description here")


def _report(document: Document, path: Path, name: str, error: EntryPointError) -> None:
    document.error(path, "broken-entry-point", f"{name}: {error.text}", error.help)
