"""The YAML parser's complaints in the reader's words: what is wrong, where it begins, what to type."""

from __future__ import annotations

import re

from fondation.config.places import Lines, Span
from fondation.config.words import printable

Explanation = tuple[Span, str, str, str]
"""Span, code, message, help."""

_INVALID = "invalid-yaml"
_PAIR = re.compile(r"^(?P<lead>[\s-]*(?P<key>[^\s:#'\"\[{][^:#]*):\s+)(?P<value>.*?)\s*$")


def explained(text: str, lines: Lines, problem: str, context: str, at: int, context_at: int | None) -> Explanation:
    """Explain the parser's `problem` at offset `at`, found while doing `context` that began at `context_at`."""
    here = Span(at, at + 1)
    if (tab := _tab(text, lines, at)) is not None:
        return Span(tab, tab + 1), "tab", "a tab stands where YAML wants spaces", "indent with spaces only"
    if "mapping values are not allowed" in problem:
        return _second_colon(text, lines, at)
    if "unexpected end of stream" in problem and context_at is not None:
        return _open_quote(text, context_at)
    if "flow" in context and "node" not in context:
        return _open_bracket(text, lines, context, at, at if context_at is None else context_at)
    if "scanning an alias" in context or "scanning an anchor" in context:
        start = context_at if context_at is not None else at
        help = f"quote the text: {_quoted_value(text, lines, start)}"
        return Span(start, start + 1), _INVALID, f"{text[start]} begins an alias or anchor in YAML", help
    if "cannot start any token" in problem:
        help = f"quote the text: {_quoted_value(text, lines, at)}"
        return here, _INVALID, f"unquoted text cannot begin with {text[at : at + 1]}", help
    if "unknown escape" in problem:
        help = r"write \\ for a backslash, or use single quotes: '\d+'"
        return Span(at, at + 2), _INVALID, f"{text[at : at + 2]} is no escape of double quotes", help
    if "could not find expected ':'" in problem and context_at is not None:
        return _no_colon(lines, context_at)
    if "did not find expected key" in problem:
        return _no_key(text, lines, at)
    if "'-' indicator" in problem:
        return Span(at, lines.end(at)), _INVALID, "this line stands in a list but does not begin with -", _INDENT_HELP
    if "block sequence entries" in problem:
        return (
            here,
            _INVALID,
            "a list cannot begin on the line of its key",
            "begin the list on the next line, or use [ ]",
        )
    if "block scalar" in context:
        return (
            here,
            _INVALID,
            "only a comment may follow | or > on its line",
            "begin the text on the next line, indented",
        )
    if "incompatible" in problem:
        return here, _INVALID, "the file asks for another version of YAML", "remove the %YAML line"
    if "node content" in problem:
        return (
            here,
            _INVALID,
            f"{printable(text[at : at + 1])} stands where a value belongs",
            "remove it, or quote the text",
        )
    return here, _INVALID, f"this is not YAML: {problem}", "look at the quotes, brackets and indentation here and above"


_INDENT_HELP = "align it with the lines that belong with it"


def _tab(text: str, lines: Lines, at: int) -> int | None:
    """The offset of the tab that the parser stumbled over."""
    if text[at : at + 1] == "\t":
        return at
    start = lines.start(at)
    indent = re.match(r"[ \t]*", text[start : lines.end(at)])
    tab = indent[0].find("\t") if indent else -1
    return start + tab if tab >= 0 else None


def _second_colon(text: str, lines: Lines, at: int) -> Explanation:
    start = lines.start(at)
    before = text[start:at]
    pair = _PAIR.match(text[start : lines.end(at)])
    if pair and pair.end("lead") <= len(before):
        value = pair["value"]
        return (
            Span(at, at + 1),
            _INVALID,
            "a second colon: YAML takes the text before it for another key",
            f"quote the text: {_quoted(pair['key'], value)}",
        )
    key = Span(start + len(before) - len(before.lstrip()), at)
    return (
        key,
        _INVALID,
        "a key stands where YAML still reads the text above it",
        "align it with the keys it belongs with; a value goes on its key's line, or quoted",
    )


def _quoted_value(text: str, lines: Lines, at: int) -> str:
    """The value that begins at `at`, in the quotes it needs; inside brackets only up to their end."""
    line = text[at : lines.end(at)]
    before = text[lines.start(at) : at]
    if before.count("[") > before.count("]") or before.count("{") > before.count("}"):
        line = re.split(r"[,\]}]", line)[0]
    return _in_quotes(line.split(" #")[0].strip())


def _quoted(key: str, value: str) -> str:
    return f"{printable(key.strip())}: {_in_quotes(value)}"


def _in_quotes(value: str) -> str:
    short = value if len(value) <= 60 else f"{value[:57]}..."
    quoted = short.replace("'", "''")
    return printable(f'"{short}"' if '"' not in short and "\\" not in short else f"'{quoted}'")


def _open_quote(text: str, start: int) -> Explanation:
    quote = text[start]
    help = (
        f"write the closing {quote}; inside single quotes an apostrophe is written ''"
        if quote == "'"
        else f"write the closing {quote}"
    )
    return Span(start, start + 1), _INVALID, "the quote that begins here is never closed", help


def _open_bracket(text: str, lines: Lines, context: str, at: int, opened: int) -> Explanation:
    if text[max(at - 1, 0) : at + 1] == "${":
        variable = re.match(r"\$\{[^}]*\}?", text[at - 1 :])
        name = variable[0] if variable else "${NAME}"
        span = Span(at - 1, at - 1 + len(name))
        return span, _INVALID, "inside [ ] and { } a variable needs quotes", f'quote it: "{name}"'
    start = lines.start(opened)
    line = text[opened : lines.end(opened)]
    if comment := re.search(r"\s#", line):
        offset = opened + comment.end() - 1
        return (
            Span(offset, lines.end(offset)),
            _INVALID,
            f"YAML takes this for a comment, so the {text[opened]} on this line is never closed",
            "quote text that has a # in it: '/order #\\d+/i'",
        )
    closing = "]" if "sequence" in context else "}"
    found = text[at : at + 1].strip()
    if found and lines.start(at) == start:
        return (
            Span(at, at + 1),
            _INVALID,
            f"expected a comma or {closing} here",
            "put a comma between the items, or quote the text",
        )
    return (
        Span(opened, opened + 1),
        _INVALID,
        f"the {text[opened]} that begins here is never closed",
        f"write the closing {closing}",
    )


def _no_colon(lines: Lines, start: int) -> Explanation:
    span = Span(start, lines.end(start))
    return span, _INVALID, "this line is no key: it has no colon", 'write "key: value"; a colon needs a space after it'


def _no_key(text: str, lines: Lines, at: int) -> Explanation:
    """Text after a closed quote, or a line whose indentation fits no line above."""
    before = text[lines.start(at) : at]
    if before.strip():
        help = "put the whole value in quotes; inside single quotes an apostrophe is written ''"
        return Span(at, lines.end(at)), _INVALID, "text follows a value that has already ended", help
    return Span(at, lines.end(at)), _INVALID, "the indentation of this line fits no line above it", _INDENT_HELP
