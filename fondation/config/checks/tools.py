"""The entry points of tools: they must have a signature that a model can be told, and their approval's one that fits
the tool's.
"""

from __future__ import annotations

from fondation.config.checks.functions import load_function, report
from fondation.config.document import Document
from fondation.config.places import Path
from fondation.config.words import listed
from fondation.entry_points import Signature, describe
from fondation.errors import EntryPointError


def check_tools(document: Document, *, importing: bool) -> None:
    """The entry points of every tool; without `importing` only their names."""
    for tool in document.mapping("tools"):
        name = f"tools.{tool}"
        signature = None
        for path in (("tools", tool), ("tools", tool, "python")):
            if (found := _signature(document, path, name, importing=importing)) is not None:
                _check_description(document, path, name, found)
                signature = found
        when = ("tools", tool, "approval", "when")
        rule = _signature(document, when, f"{name}.approval", importing=importing)
        if rule is not None and signature is not None:
            _check_fit(document, when, f"{name}.approval", rule, signature)


def _signature(document: Document, path: Path, name: str, *, importing: bool) -> Signature | None:
    """What the function at `path` takes; None where there is none, or it is broken, or nothing is imported."""
    function = load_function(document, path, name, importing=importing)
    try:
        return None if function is None else describe(function)
    except EntryPointError as error:
        report(document, path, name, error)
        return None


def _check_description(document: Document, path: Path, name: str, signature: Signature) -> None:
    if not signature.description and document.text(*path[:2], "description") is None:
        message = f"{name}: {document.text(*path)} has no docstring, so a model does not learn what it does"
        document.warning(path, "undocumented-tool", message, "write a docstring, or a description here")


def _check_fit(document: Document, path: Path, name: str, rule: Signature, tool: Signature) -> None:
    """Each parameter of `when` is one of the tool's: it is given the call's arguments by their names."""
    known = list(tool.parameters["properties"])
    unknown = [parameter for parameter in rule.parameters["properties"] if parameter not in known]
    if unknown:
        noun = "the parameter" if len(unknown) == 1 else "the parameters"
        message = f"{document.text(*path)} has {noun} {listed(unknown, 'and')}, which the tool has not"
        has = f"the tool's parameters are {listed(known, 'and')}" if known else "the tool has no parameters"
        help = f"when is given the call's arguments by name: {has}; one of type RunContext may stand beside them"
        report(document, path, name, EntryPointError(message, help))
