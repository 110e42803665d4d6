"""Entry points: they must import and be callable."""

from __future__ import annotations

from collections.abc import Callable

from fondation.config.document import Document
from fondation.config.places import Path
from fondation.entry_points import Function, load_entry_point, split_entry_point
from fondation.errors import EntryPointError


def load_function(
    document: Document,
    path: Path,
    name: str,
    *,
    importing: bool,
    load: Callable[[str], Function] = load_entry_point,
) -> Function | None:
    """The function of the entry point at `path`; None where there is none, or it is broken, or nothing is imported.

    `load` imports it. A broken one is reported under `name`.
    """
    text = document.text(*path)
    if text is None:
        return None
    try:
        split_entry_point(text)
        return load(text) if importing else None
    except EntryPointError as error:
        report(document, path, name, error)
        return None


def report(document: Document, path: Path, name: str, error: EntryPointError) -> None:
    """A problem of the entry point at `path`."""
    document.error(path, "broken-entry-point", f"{name}: {error.text}", error.help)
