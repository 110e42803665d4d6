"""Instructions must be templates that can be read, and use only names that a run has."""

from __future__ import annotations

from collections.abc import Collection
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
    declared = _declared_context(document)
    for agent, prompt in document.prompts.items():
        if is_template(prompt.text):
            _check_template(document, agent, prompt, declared.get(agent))


def _declared_context(document: Document) -> dict[str, list[str]]:
    """For each agent that a route reaches, the context values of these routes."""
    declared: dict[str, dict[str, None]] = {}
    for route, agents in agents_of_routes(document).items():
        for agent in agents:
            declared.setdefault(agent, {}).update(dict.fromkeys(document.mapping("routes", route, "context")))
    return {agent: list(names) for agent, names in declared.items()}


def _check_template(document: Document, agent: str, prompt: Prompt, context: Collection[str] | None) -> None:
    from fondation.config.checks.template_faults import find_faults

    for fault in find_faults(prompt.text, context):
        message = f"agents.{agent}.instructions: {fault.message}"
        if prompt.file is None:
            start = document.offset(prompt.path, prompt.text, fault.index)
            document.error_at(Span(start, start + fault.length), fault.code, message, _help(fault))
        else:
            line, column = Lines(prompt.text).position(fault.index)
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
