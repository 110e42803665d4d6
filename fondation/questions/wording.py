"""Text on its way to a model that shall not obey it, and text of a model on its way to a page."""

from __future__ import annotations

import re
import unicodedata

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_OPENING = re.compile(r"^(?:[#>*•\s]|-\s)+")
"""Marks before a heading, a quotation or an item of a list."""
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "\u2018": "\u2019", "«": "»", "»": "«", "「": "」", "《": "》"}
_BREAKS = ("Cc", "Cs", "Zl", "Zp")
"""The Unicode categories of what breaks a line, or is no character at all."""


def quoted(name: str, text: str, most: int) -> str:
    """Text between `<name>` and `</name>`, which it cannot leave; at most `most` characters of it."""
    kept = re.sub(rf"<(?=\s*/?\s*{name})", "< ", shortened(text.strip(), most), flags=re.IGNORECASE)
    return f"<{name}>\n{kept}\n</{name}>"


def shortened(text: str, most: int) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def without_thoughts(text: str) -> str:
    """What a model says, without what it thinks aloud before."""
    return _THOUGHTS.sub("", text)


def plain_line(text: str) -> str:
    """The same words in one line, without markdown or quotation marks around them."""
    visible = "".join(" " if unicodedata.category(character) in _BREAKS else character for character in text)
    line = _OPENING.sub("", " ".join(visible.split())).replace("**", "").replace("`", "")
    return _unquoted(line.strip("*_ "))


def _unquoted(line: str) -> str:
    closing = _QUOTES.get(line[:1])
    inner = line[1:-1]
    if closing is None or len(line) < 2 or line[-1] != closing or line[0] in inner or closing in inner:
        return line
    return _unquoted(inner.strip("*_ "))
