"""What is wrong with a template, and at which character: syntax, names nobody gives, filters that do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import TemplateAssertionError

from fondation.instructions import NAMES, template_environment

_LINES = re.compile(r"\r\n|\r|\n")
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_LOADS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_SENTENCES = (
    (
        re.compile(r"Unexpected end of template\. .*innermost block that needs to be closed is '(\w+)'"),
        "the {0} that begins here is never closed",
    ),
    (re.compile(r"Encountered unknown tag '(\w+)'.*"), 'there is no tag "{0}"'),
    (re.compile(r"unexpected char (.+) at \d+"), "{0} cannot stand here"),
    (
        re.compile(r"unexpected end of template.*|unexpected '?end of template'?.*"),
        "the template ends in the middle of an expression",
    ),
    (re.compile(r"expected token '?(.+?)'?, got '?(.+?)'?"), "{1} stands here instead of {0}"),
    (re.compile(r"Missing end of comment tag"), "the comment is never closed"),
    (re.compile(r"unexpected '(.+)'"), "{0} cannot stand here"),
)
_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
    "end of template": "the end of the text",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a template."""

    index: int
    """Of the template's text."""
    length: int
    code: str
    message: str
    known: Collection[str] = ()
    """The names that would do; empty where the fault is another."""
    name: str = ""
    """The name that will not do."""
    help: str = ""


def find_faults(text: str, context: Collection[str] | None) -> list[Fault]:
    """Everything wrong with a template; `context` has the declared context values, None where that is not known."""
    environment = template_environment()
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        return [_syntax_fault(text, error)]
    finder = _Finder(text, environment)
    faults = [*_loads(finder, tree), *_unknown_names(finder, tree), *_unknown_filters(finder, tree, environment)]
    if context is not None:
        faults += _undeclared_values(finder, tree, context)
    if not faults:
        try:
            environment.compile(tree)
        except TemplateAssertionError as error:
            faults.append(_syntax_fault(text, error))
    return faults


class _Finder:
    """Finds the characters of names: Jinja2's tree has lines only, its tokens have the text."""

    def __init__(self, text: str, environment: Environment) -> None:
        self._names: dict[tuple[int, str], list[int]] = {}
        index = 0
        for line, kind, value in environment.lex(text):
            found = text.find(value, index)
            if found < 0:
                continue  # white space that the lexer wrote differently
            index = found + len(value)
            if kind == "name":
                self._names.setdefault((line, value), []).append(found)
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
        return places[0] if places else _start_of_line(self._text, line)


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


def _unknown_names(finder: _Finder, tree: nodes.Template) -> Iterator[Fault]:
    unknown = meta.find_undeclared_variables(tree) - {*NAMES, *tree.environment.globals} if tree.environment else set()
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
    kinds = ((nodes.Filter, environment.filters, "filter", "|"), (nodes.Test, environment.tests, "test", "st"))
    for kind, known, noun, before in kinds:
        for node in tree.find_all(kind):
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


def _undeclared_values(finder: _Finder, tree: nodes.Template, context: Collection[str]) -> Iterator[Fault]:
    for name, line in _context_values(tree):
        if name not in context and name not in _MAPPING_METHODS:
            index = finder.find(name, line, ".") if name.isidentifier() else _start_of_line(finder._text, line)
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


def _syntax_fault(text: str, error: TemplateSyntaxError) -> Fault:
    said = error.message or "it cannot be read"
    index, length = _syntax_place(text, error.lineno, said)
    message = next(
        (
            form.format(*(_TOKENS.get(group, group) for group in match.groups()))
            for pattern, form in _SENTENCES
            if (match := pattern.match(said))
        ),
        said.rstrip("."),
    )
    return Fault(
        index,
        length,
        "invalid-template",
        f"the template is broken: {message}",
        help="write {{ name }} for a value; braces that are text go into {% raw %}...{% endraw %}",
    )


def _syntax_place(text: str, line: int, said: str) -> tuple[int, int]:
    """The best guess of where a syntax error is: the offending word, else the last mark that opens on its line."""
    if match := re.search(r"unexpected char '.+' at (\d+)", said):
        return min(int(match[1]), max(len(text) - 1, 0)), 1
    start = _start_of_line(text, line)
    end = start + len(_LINES.split(text[start:], maxsplit=1)[0])
    if match := re.search(r"innermost block that needs to be closed is '(\w+)'", said):
        openings = list(re.finditer(rf"\{{%[-+]?\s*({match[1]})\b", text))
        if openings:
            return openings[-1].start(1), len(match[1])
    opening = max(text.rfind(mark, 0, end) for mark in ("{{", "{%", "{#"))
    if match := re.search(r"got '(.+)'|unknown tag '(\w+)'|unexpected '(.+)'$", said):
        word = next(group for group in match.groups() if group)
        word = _TOKENS.get(word, word)
        found = text.find(word, max(start, opening), end)
        if found >= 0:
            return found, len(word)
    return (opening, 2) if opening >= 0 else (start, max(end - start, 1))


def _start_of_line(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        match = _LINES.search(text, start)
        if match is None:
            return start
        start = match.end()
    return start
