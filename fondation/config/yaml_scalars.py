"""What YAML makes of an unquoted word, and which words are refused because readers of YAML disagree about them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

Kind = Literal["text", "empty", "null", "boolean", "integer", "number", "odd integer", "not a number", "time", "date"]

NOUNS: dict[Kind, str] = {
    "text": "text",
    "empty": "empty",
    "null": "empty",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "odd integer": "an integer",
    "not a number": "a number without end",
    "time": "an integer (minutes and seconds)",
    "date": "a date",
}

_BOOLEANS = {
    word: truth
    for names, truth in ((("true", "yes", "on"), True), (("false", "no", "off"), False))
    for name in names
    for word in (name, name.capitalize(), name.upper())
}
_NULLS = frozenset({"~", "null", "Null", "NULL"})
_MOST_DIGITS = 30
_FORMS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("integer", re.compile(r"[-+]?(0|[1-9][0-9]*)")),
    ("odd integer", re.compile(r"[-+]?(0[0-7_]+|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*_[0-9_]*|0[0-9]+)")),
    ("number", re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")),
    ("not a number", re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")),
    ("time", re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")),
    ("date", re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")),
)


def read(text: str) -> tuple[Kind, str | int | float | bool | None]:
    """What an unquoted word is, and its value; the text itself where it is refused anyway."""
    if not text:
        return "empty", None
    if text in _NULLS:
        return "null", None
    if text in _BOOLEANS:
        return "boolean", _BOOLEANS[text]
    if text[0] not in "+-.0123456789":
        return "text", text
    for kind, form in _FORMS:
        if form.fullmatch(text):
            return _number(kind, text)
    return "text", text


def _number(kind: Kind, text: str) -> tuple[Kind, str | int | float]:
    if kind == "integer" and len(text) <= _MOST_DIGITS:
        return kind, int(text)
    if kind == "number" and abs(number := float(text)) != float("inf"):
        return kind, number
    return ("not a number" if kind in ("integer", "number") else kind), text


def refusal(kind: Kind, text: str, wanted: Collection[str]) -> str | None:
    """The help for a word that is refused wherever it stands unquoted; None for all others.

    `wanted` are the JSON Schema types of what belongs there; empty where that is not known.
    """
    as_text = f'quote the text: "{text}"'
    as_number = "write a plain number" if wanted and "string" not in wanted else None
    match kind:
        case "odd integer":
            number = text.replace("_", "").lstrip("+").lstrip("0") or "0"
            if not number.isdigit() or wanted == ("string",):
                return as_number or as_text
            return f"write the integer {number}" if as_number else f"{as_text}, or write the integer {number}"
        case "time" | "date":
            return as_number or as_text
        case "not a number":
            return "write a finite number, or quote the text"
        case _:
            return None
