"""What is wrong with a template, and at which character: names that nobody gives, filters that do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from jinja2 import Environment, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import TemplateAssertionError

from fondation.config.checks.template_failures import failures
from fondation.config.checks.template_syntax import Fault, line_around, syntax_fault
from fondation.config.checks.template_tree import MOST_TOKENS, TooManyTokens, parse
from fondation.instructions import NAMES, TOO_DEEP, template_environment

_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_LOADS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def find_faults(text: str, agent: str, contexts: Sequence[Mapping[str, str]] | None) -> list[Fault]:
    """Everything wrong with the instructions of `agent`.

    `contexts` has for each route that reaches it the types of the declared values; None where no route does.
    """
    environment = template_environment()
    refusal = None
    try:
        tree = parse(text, environment)
        environment.compile(tree)
    except TemplateAssertionError as error:
        refusal = error  # mostly a filter or a test that does not exist: found below, all of them
    except TemplateSyntaxError as error:
        return [syntax_fault(text, error)]
    except TooManyTokens as error:
        message = f"the template has more than {MOST_TOKENS} names, values and marks"
        return [
            Fault(
                error.index,
                1,
                "too-large",
                message,
                help="write fewer of them: long data belongs into the answer of a tool",
            )
        ]
    except TOO_DEEP:
        return [Fault(0, 1, "invalid-template", "the template is nested too deeply", help="write it flatter")]
    faults = [*_loads(tree), *_unknown_filters(text, tree, environment), *_unknown_names(text, tree, environment)]
    declared = None if contexts is None else list(dict.fromkeys(name for context in contexts for name in context))
    if declared is not None:
        faults += _undeclared_values(text, tree, declared)
    if not faults and refusal:
        return [syntax_fault(text, refusal)]
    return faults + failures(text, tree, environment, agent, contexts)


def _loads(tree: nodes.Template) -> Iterator[Fault]:
    for kind in _LOADS:
        for node in tree.find_all(kind):
            word = {"FromImport": "from"}.get(kind.__name__, kind.__name__.lower())
            message, help = f"{word} needs another template; there is none", "write the text out here"
            yield Fault(node.lineno, len(word), "invalid-template", message, help=help)


def _unknown_names(text: str, tree: nodes.Template, environment: Environment) -> Iterator[Fault]:
    unknown = meta.find_undeclared_variables(tree) - {*NAMES, *environment.globals}
    reported: set[tuple[str, int]] = set()
    for node in tree.find_all(nodes.Name):
        if node.name not in unknown or node.ctx != "load":
            continue
        name_and_line = (node.name, line_around(text, node.lineno)[0])
        if name_and_line not in reported:
            reported.add(name_and_line)
            message = f'there is no "{node.name}" for a template'
            yield Fault(node.lineno, len(node.name), "unknown-template-name", message, NAMES, node.name)


def _unknown_filters(text: str, tree: nodes.Template, environment: Environment) -> Iterator[Fault]:
    """Filters and tests that do not exist; the tree gets others in their place, so that it can be looked at further."""
    filters = ("filter", environment.filters, "string", tree.find_all(nodes.Filter))
    tests = ("test", environment.tests, "defined", tree.find_all(nodes.Test))
    for noun, known, other, found in (filters, tests):
        for node in found:
            if node.name not in known:
                index, message = _word(text, node.name, node.lineno), f'there is no {noun} "{node.name}"'
                yield Fault(index, len(node.name), "unknown-template-name", message, list(known), node.name)
                node.name = other


def _undeclared_values(text: str, tree: nodes.Template, declared: Collection[str]) -> Iterator[Fault]:
    for name, start in _context_values(tree):
        if name not in declared and name not in _MAPPING_METHODS:
            message = f"no route of this agent declares context.{name}"
            yield Fault(_word(text, name, start), len(name), "undeclared-context", message, declared, name)


def _context_values(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    for attribute in tree.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name == "context":
            yield attribute.attr, attribute.lineno
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "context" and isinstance(item.arg, nodes.Const):
            yield str(item.arg.value), item.lineno


def _word(text: str, word: str, start: int) -> int:
    """The index of a word at or after `start`, where a node begins."""
    match = re.compile(rf"(?<!\w){re.escape(word)}").search(text, start)
    return match.start() if match else start
