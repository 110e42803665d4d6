"""The YAML parser's complaints in the reader's words: what is wrong, where it begins, what to type."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fondation.config.places import Lines, Span
from fondation.config.words import printable


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the parser says: the problem at an offset, found while doing something that began at another."""

    text: str
    lines: Lines
    problem: str
    context: str
    at: int
    begun: int

    @property
    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    @property
    def before(self) -> str:
        """The line up to the problem."""
        return self.text[self.lines.start(self.at) : self.at]

    def here(self, length: int = 1) -> Span:
        return Span(self.at, self.at + length)

    def rest_of_line(self, start: int) -> Span:
        return Span(start, self.lines.end(start))


@dataclass(frozen=True, slots=True)
class Explanation:
    span: Span
    message: str
    help: str
    code: str = "invalid-yaml"


_PAIR = re.compile(r"^(?P<lead>[\s-]*(?P<key>[^\s:#'\"\[{][^:#]*):\s+)(?P<value>.*?)\s*$")
_ALIGN = "align it with the lines that belong with it"
_APOSTROPHE = "inside single quotes an apostrophe is written ''"


def explained(complaint: Complaint) -> Explanation:
    """Explain a complaint: by the tab that it stumbled over, else by the first of the table that knows it."""
    if tab := _tab(complaint):
        return tab
    said = f"{complaint.context}: {complaint.problem}"
    return next(explain(complaint) for words, explain in _EXPLANATIONS if re.search(words, said))


def _tab(complaint: Complaint) -> Explanation | None:
    indent = re.match(r"[ \t]*", complaint.text[complaint.lines.start(complaint.at) :])
    tab = indent[0].find("\t") if indent else -1
    if tab < 0 and complaint.char != "\t":
        return None
    offset = complaint.at if tab < 0 else complaint.lines.start(complaint.at) + tab
    span = Span(offset, offset + 1)
    return Explanation(span, "a tab stands where YAML wants spaces", "indent with spaces only", "tab")


def _second_colon(complaint: Complaint) -> Explanation:
    start = complaint.lines.start(complaint.at)
    pair = _PAIR.match(complaint.text[start : complaint.lines.end(complaint.at)])
    if pair and pair.end("lead") <= len(complaint.before):
        message = "a second colon: YAML takes the text before it for another key"
        help = f"quote the text: {printable(pair['key'].strip())}: {_in_quotes(pair['value'])}"
        return Explanation(complaint.here(), message, help)
    key = Span(start + len(complaint.before) - len(complaint.before.lstrip()), complaint.at)
    message = "a key stands where YAML still reads the text above it"
    help = "align it with the keys it belongs with; a value goes on its key's line, or quoted"
    return Explanation(key, message, help)


def _open_quote(complaint: Complaint) -> Explanation:
    quote = complaint.text[complaint.begun]
    help = f"write the closing {quote}" + (f"; {_APOSTROPHE}" if quote == "'" else "")
    return Explanation(Span(complaint.begun, complaint.begun + 1), "the quote that begins here is never closed", help)


def _brackets(complaint: Complaint) -> Explanation:
    """Inside [ ] or { }: a bare variable, a comment that hides the end, a missing comma, no end at all."""
    opened, lines = complaint.begun, complaint.lines
    if variable := re.match(r"\$\{[^}\n]*\}?", complaint.text[max(complaint.at - 1, 0) :]):
        span = Span(complaint.at - 1, complaint.at - 1 + len(variable[0]))
        return Explanation(span, "inside [ ] and { } a variable needs quotes", f'quote it: "{printable(variable[0])}"')
    bracket = complaint.text[opened : opened + 1]
    if comment := re.search(r"\s#", complaint.text[opened : lines.end(opened)]):
        message = f"YAML takes this for a comment, so the {bracket} on this line is never closed"
        span = complaint.rest_of_line(opened + comment.end() - 1)
        return Explanation(span, message, "quote text that has a # in it: '/order #\\d+/i'")
    closing = "]" if "sequence" in complaint.context else "}"
    if complaint.char.strip() and lines.start(complaint.at) == lines.start(opened):
        help = "put a comma between the items, or quote the text"
        return Explanation(complaint.here(), f"expected a comma or {closing} here", help)
    message = f"the {bracket} that begins here is never closed"
    return Explanation(Span(opened, opened + 1), message, f"write the closing {closing}")


def _alias(complaint: Complaint) -> Explanation:
    span = Span(complaint.begun, complaint.begun + 1)
    message = f"{complaint.text[complaint.begun]} begins an alias or anchor in YAML"
    return Explanation(span, message, f"quote the text: {_quoted_value(complaint, complaint.begun)}")


def _reserved_character(complaint: Complaint) -> Explanation:
    message = f"unquoted text cannot begin with {complaint.char}"
    return Explanation(complaint.here(), message, f"quote the text: {_quoted_value(complaint, complaint.at)}")


def _escape(complaint: Complaint) -> Explanation:
    written = printable(complaint.text[complaint.at : complaint.at + 2])
    help = r"write \\ for a backslash, or use single quotes: '\d+'"
    return Explanation(complaint.here(2), f"{written} is no escape of double quotes", help)


def _no_colon(complaint: Complaint) -> Explanation:
    help = 'write "key: value"; a colon needs a space after it'
    return Explanation(complaint.rest_of_line(complaint.begun), "this line is no key: it has no colon", help)


def _no_key(complaint: Complaint) -> Explanation:
    """Text after a closed quote, or a line whose indentation fits no line above."""
    span = complaint.rest_of_line(complaint.at)
    if complaint.before.strip():
        help = f"put the whole value in quotes; {_APOSTROPHE}"
        return Explanation(span, "text follows a value that has already ended", help)
    return Explanation(span, "the indentation of this line fits no line above it", _ALIGN)


def _no_dash(complaint: Complaint) -> Explanation:
    span = complaint.rest_of_line(complaint.at)
    return Explanation(span, "this line stands in a list but does not begin with -", _ALIGN)


def _list_on_line_of_key(complaint: Complaint) -> Explanation:
    help = "begin the list on the next line, or use [ ]"
    return Explanation(complaint.here(), "a list cannot begin on the line of its key", help)


def _block_header(complaint: Complaint) -> Explanation:
    help = "begin the text on the next line, indented"
    return Explanation(complaint.here(), "only a comment may follow | or > on its line", help)


def _yaml_version(complaint: Complaint) -> Explanation:
    return Explanation(complaint.here(), "the file asks for another version of YAML", "remove the %YAML line")


def _no_value(complaint: Complaint) -> Explanation:
    message = f"{printable(complaint.char)} stands where a value belongs"
    return Explanation(complaint.here(), message, "remove it, or quote the text")


def _anything(complaint: Complaint) -> Explanation:
    help = "look at the quotes, brackets and indentation here and above"
    return Explanation(complaint.here(), f"this is not YAML: {complaint.problem}", help)


_EXPLANATIONS: tuple[tuple[str, Callable[[Complaint], Explanation]], ...] = (
    ("mapping values are not allowed", _second_colon),
    ("unexpected end of stream", _open_quote),
    ("parsing a flow (sequence|mapping)", _brackets),
    ("scanning an (alias|anchor)", _alias),
    ("cannot start any token", _reserved_character),
    ("unknown escape", _escape),
    ("could not find expected ':'", _no_colon),
    ("did not find expected key", _no_key),
    ("expected '-' indicator", _no_dash),
    ("block sequence entries", _list_on_line_of_key),
    ("scanning a block scalar", _block_header),
    ("incompatible YAML", _yaml_version),
    ("expected node content", _no_value),
    ("", _anything),
)
"""What the parser says -> what we say; the first that fits."""


def _quoted_value(complaint: Complaint, start: int) -> str:
    """The value that begins at `start`, in the quotes it needs; inside brackets only up to their end."""
    value = complaint.text[start : complaint.lines.end(start)]
    before = complaint.text[complaint.lines.start(start) : start]
    if before.count("[") > before.count("]") or before.count("{") > before.count("}"):
        value = re.split(r"[,\]}]", value)[0]
    return _in_quotes(value.split(" #")[0].strip())


def _in_quotes(value: str) -> str:
    short = value if len(value) <= 60 else f"{value[:57]}..."
    quoted = short.replace("'", "''")
    return printable(f"'{quoted}'" if '"' in short or "\\" in short else f'"{short}"')
