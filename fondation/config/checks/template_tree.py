"""The tree of a template whose nodes know their character: Jinja2's own has lines only."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from fondation.config.checks.template_syntax import start_of_line

MOST_TOKENS = 20_000
"""Of one template, about 4000 marks: a fifth of a second, and again when the server starts."""

_TEXT = frozenset({"data", "comment", "whitespace"})


class TooManyTokens(Exception):
    """The template has more than MOST_TOKENS; `index` is the character of the first one too many."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def parse(text: str, environment: Environment) -> nodes.Template:
    """The tree of a template. The `lineno` of a node, and of the TemplateSyntaxError, is an index of `text`.

    Raises TooManyTokens.
    """
    parser = Parser(environment, "")
    parser.stream = TokenStream(environment.lexer.wrap(_tokens(text, environment)), None, None)
    return parser.parse()


def _tokens(text: str, environment: Environment) -> Iterator[tuple[int, str, str]]:
    """The lexer's tokens, each with its index in place of its line."""
    index = 0
    try:
        for count, (_, kind, value) in enumerate(environment.lex(text)):
            if count >= MOST_TOKENS:
                raise TooManyTokens(index)
            # the lexer may change white space: text between the marks is not looked for
            found = -1 if kind in _TEXT else text.find(value.strip(), index)
            yield (max(found, index), kind, value)
            index = found + len(value.strip()) if found >= 0 else index
    except TemplateSyntaxError as error:
        error.lineno = start_of_line(text, error.lineno)
        raise
