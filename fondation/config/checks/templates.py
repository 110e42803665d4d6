"""Instructions must be templates that can be read, and use only names that a run has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fondation.config.checks.reach import agents_of_routes
from fondation.config.document import Document, Prompt
from fondation.config.places import Lines, Span
from fondation.config.problems import Problem
from fondation.config.words import did_you_mean
from fondation.instructions import is_template

if TYPE_CHECKING:
    from fondation.config.checks.template_syntax import Fault


def check_templates(document: Document) -> None:
    """The instructions of every agent."""
    declared = _declared_contexts(document)
    for agent, prompt in document.prompts.items():
        if is_template(prompt.text):
            _check_template(document, agent, prompt, declared.get(agent))


def _declared_contexts(document: Document) -> dict[str, list[dict[str, str]]]:
    """For each agent that a route reaches, the types of the context values of each of these routes."""
    declared: dict[str, list[dict[str, str]]] = {}
    for route, agents in agents_of_routes(document).items():
        types = {name: _type(document, route, name) for name in document.mapping("routes", route, "context")}
        for agent in agents:
            declared.setdefault(agent, []).append(types)
    return declared


def _type(document: Document, route: str, name: str) -> str:
    """The type of a context value; "" where it is not known."""
    path = ("routes", route, "context", name, "type")
    return "" if path in document.dropped | document.unknown else document.text(*path) or "string"


def _check_template(
    document: Document, agent: str, prompt: Prompt, contexts: Sequence[Mapping[str, str]] | None
) -> None:
    from fondation.config.checks.template_faults import find_faults

    faults = find_faults(prompt.text, agent, contexts)
    if not faults:
        return
    lines, written = Lines(prompt.text), document.written(prompt.path, prompt.text)
    for fault in faults:
        message = f"agents.{agent}.instructions: {fault.message}"
        if prompt.file is None:
            start = written.offset(fault.index)
            document.error_at(Span(start, start + fault.length), fault.code, message, _help(fault))
        else:
            line, column = lines.position(fault.index)
            end = column + fault.length
            document.problems.append(
                Problem(prompt.file, line, column, fault.code, message, _help(fault), end_column=end)
            )


def _help(fault: Fault) -> str:
    if not fault.name:
        return fault.help
    if fault.code == "undeclared-context":
        if not fault.known:
            return f"declare it under the route: context: {{{fault.name}: {{type: string}}}}"
        return did_you_mean(fault.name, fault.known, "declared values")
    return did_you_mean(fault.name, fault.known, "names")
