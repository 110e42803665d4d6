"""Jinja2's complaints about a template in the reader's words, each at the character that it is about."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError

_HELP = "write {{ name }} for a value; braces that are text go into {% raw %}...{% endraw %}"
_TAGS_HELP = "the tags are if, for, set, macro, call, filter, with and raw"
_SENTENCES = (
    (
        r"Unexpected end of template\..*innermost block that needs to be closed is '(\w+)'",
        "the {0} that begins here is never closed",
        "close it with {{% end{0} %}}",
    ),
    (r"Encountered unknown tag '(end\w+|else|elif)'", "{0} closes nothing", "remove it, or write what it closes"),
    (r"Encountered unknown tag '(\w+)'", 'there is no tag "{0}"', _TAGS_HELP),
    (r"unexpected char '?(.+?)'? at \d+", "{0} cannot stand here", ""),
    (r"unexpected end of template|unexpected 'end of template'", "it ends in the middle of an expression", ""),
    (r"[Ee]xpected token '?(.+?)'?, got '?(.+?)'?$", "{1} stands here instead of {0}", ""),
    (r"Missing end of comment tag", "the comment that begins here is never closed", "close it with #}}"),
    (r"Expected an expression, got '(.+)'", "a name or a value is missing before {0}", ""),
    (r"unexpected '(.+)'", "{0} cannot stand here", ""),
)
"""What Jinja2 says, what we say, the help where it is not the usual one."""

_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
    "end of template": "the end of the text",
}
_NAMED = re.compile(r"got '(.+)'|unknown tag '(\w+)'|unexpected '(.+)'$")
_LINE_END = re.compile(r"\r\n|\r|\n")


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


def syntax_fault(text: str, error: TemplateSyntaxError) -> Fault:
    """The fault that Jinja2 met first; it reads no further. The error's `lineno` is an index of `text`."""
    said = error.message or "it cannot be read"
    index, length = _place(text, error.lineno, said)
    message, help = said.rstrip("."), _HELP
    for pattern, sentence, own_help in _SENTENCES:
        if match := re.match(pattern, said):
            words = [_TOKENS.get(word, word) for word in match.groups()]
            message, help = sentence.format(*words), own_help.format(*words) or _HELP
            break
    return Fault(index, length, "invalid-template", f"the template is broken: {message}", help=help)


def _place(text: str, near: int, said: str) -> tuple[int, int]:
    """The index and length of the offending word, else of the last mark that opens before the end of its line."""
    if match := re.search(r"unexpected char '.+' at (\d+)", said):
        return min(int(match[1]), max(len(text) - 1, 0)), 1
    if match := re.search(r"innermost block that needs to be closed is '(\w+)'", said):
        openings = [*re.finditer(rf"\{{%[-+]?\s*({match[1]})\b", text)]
        if openings:
            return openings[-1].start(1), len(match[1])
    start, end = line_around(text, near)
    opening = max(text.rfind(mark, 0, end) for mark in ("{{", "{%", "{#"))
    if match := _NAMED.search(said):
        word = next(group for group in match.groups() if group)
        word = _TOKENS.get(word, word)
        found = text.find(word, max(start, opening), end)
        if found >= 0:
            return found, len(word)
    return (opening, 2) if opening >= 0 else (start, max(end - start, 1))


def line_around(text: str, index: int) -> tuple[int, int]:
    """The indexes of the first character of the line that holds `index`, and of the line's end."""
    start = max(text.rfind(end, 0, index) for end in "\r\n") + 1
    line_end = _LINE_END.search(text, index)
    return start, line_end.start() if line_end else len(text)


def start_of_line(text: str, line: int) -> int:
    """The index of the first character of a line; lines count from 1."""
    start = 0
    for _ in range(line - 1):
        match = _LINE_END.search(text, start)
        if match is None:
            break
        start = match.end()
    return start
