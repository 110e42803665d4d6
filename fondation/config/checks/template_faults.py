"""What is wrong with a template, and at which character: names that nobody gives, filters that do not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from jinja2 import Environment, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import TemplateAssertionError

from fondation.config.checks.template_syntax import Fault, start_of_line, syntax_fault
from fondation.instructions import NAMES, TOO_DEEP, template_environment

_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_LOADS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def find_faults(text: str, context: Collection[str] | None) -> list[Fault]:
    """Everything wrong with a template; `context` has the declared context values, None where that is not known."""
    environment = template_environment()
    refusal = None
    try:
        tree = environment.parse(text)
        environment.compile(tree)
    except TemplateAssertionError as error:
        refusal = error  # mostly a filter or a test that does not exist: found below, all of them
    except TemplateSyntaxError as error:
        return [syntax_fault(text, error)]
    except TOO_DEEP:
        return [Fault(0, 1, "invalid-template", "the template is nested too deeply", help="write it flatter")]
    finder = _Finder(text, environment)
    faults = [*_loads(finder, tree), *_unknown_filters(finder, tree, environment)]
    faults += _unknown_names(finder, tree, environment)
    if context is not None:
        faults += _undeclared_values(finder, tree, context)
    return faults or ([syntax_fault(text, refusal)] if refusal else [])


class _Finder:
    """Finds the characters of names: Jinja2's tree has lines only, its tokens have the text."""

    def __init__(self, text: str, environment: Environment) -> None:
        self._names: dict[tuple[int, str], list[int]] = {}
        self._strings: dict[tuple[int, str], int] = {}
        index = 0
        for line, kind, value in environment.lex(text):
            found = text.find(value, index)
            if found < 0:
                continue  # white space that the lexer wrote differently
            index = found + len(value)
            if kind == "name":
                self._names.setdefault((line, value), []).append(found)
            elif kind == "string":
                self._strings.setdefault((line, value[1:-1]), found + 1)
        self._text = text

    def find(self, name: str, line: int, before: str = "") -> int:
        """The index of `name` in a line, where the text before it ends with one of the characters `before`.

        Without `before`: where it is no attribute and no filter.
        """
        places = self._names.get((line, name), [])
        for place in places:
            lead = self._text[:place].rstrip()[-1:]
            if (lead in before) if before else lead not in ".|":
                return place
        if places:
            return places[0]
        return self._strings.get((line, name), start_of_line(self._text, line))


def _loads(finder: _Finder, tree: nodes.Template) -> Iterator[Fault]:
    for kind in _LOADS:
        for node in tree.find_all(kind):
            word = {"FromImport": "from"}.get(kind.__name__, kind.__name__.lower())
            index = finder.find(word, node.lineno)
            yield Fault(
                index,
                len(word),
                "invalid-template",
                f"{word} needs another template; there is none",
                help="write the text out here",
            )


def _unknown_names(finder: _Finder, tree: nodes.Template, environment: Environment) -> Iterator[Fault]:
    unknown = meta.find_undeclared_variables(tree) - {*NAMES, *environment.globals}
    reported: set[tuple[str, int]] = set()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown and node.ctx == "load" and (node.name, node.lineno) not in reported:
            reported.add((node.name, node.lineno))
            index = finder.find(node.name, node.lineno)
            yield Fault(
                index,
                len(node.name),
                "unknown-template-name",
                f'there is no "{node.name}" for a template',
                NAMES,
                node.name,
            )


def _unknown_filters(finder: _Finder, tree: nodes.Template, environment: Environment) -> Iterator[Fault]:
    """Filters and tests that do not exist; the tree gets others in their place, so that it can be looked at further."""
    filters = ("filter", "|", environment.filters, "string", tree.find_all(nodes.Filter))
    tests = ("test", "st", environment.tests, "defined", tree.find_all(nodes.Test))
    for noun, before, known, other, found in (filters, tests):
        for node in found:
            if node.name not in known:
                index = finder.find(node.name, node.lineno, before)
                yield Fault(
                    index,
                    len(node.name),
                    "unknown-template-name",
                    f'there is no {noun} "{node.name}"',
                    list(known),
                    node.name,
                )
                node.name = other


def _undeclared_values(finder: _Finder, tree: nodes.Template, context: Collection[str]) -> Iterator[Fault]:
    for name, line in _context_values(tree):
        if name not in context and name not in _MAPPING_METHODS:
            index = finder.find(name, line, ".")
            yield Fault(
                index,
                len(name),
                "undeclared-context",
                f"no route of this agent declares context.{name}",
                list(context),
                name,
            )


def _context_values(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    for attribute in tree.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name == "context":
            yield attribute.attr, attribute.lineno
    for item in tree.find_all(nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "context" and isinstance(item.arg, nodes.Const):
            yield str(item.arg.value), item.lineno
