"""Entry points: they must import, be callable, and have a signature that a model can be told."""

from __future__ import annotations

from collections.abc import Iterator

from fondation.config.document import Document
from fondation.config.places import Path
from fondation.entry_points import describe, load_entry_point, split_entry_point
from fondation.errors import EntryPointError


def check_tools(document: Document, *, importing: bool) -> None:
    """Every tool's entry point; without `importing` only its name."""
    for path, name, text in _entry_points(document):
        try:
            if importing:
                _check_function(document, path, name, text)
            else:
                split_entry_point(text)
        except EntryPointError as error:
            document.error(path, "broken-entry-point", f"tools.{name}: {error.text}", error.help)


def _entry_points(document: Document) -> Iterator[tuple[Path, str, str]]:
    for name in document.mapping("tools"):
        for path in (("tools", name), ("tools", name, "python")):
            if (text := document.text(*path)) is not None:
                yield path, name, text


def _check_function(document: Document, path: Path, name: str, text: str) -> None:
    signature = describe(load_entry_point(text))
    if not signature.description and document.text("tools", name, "description") is None:
        message = f"tools.{name}: {text} has no docstring, so a model does not learn what it does"
        document.warning(path, "undocumented-tool", message, "write a docstring, or a description here")
