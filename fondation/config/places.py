"""Where things are: character offsets of a file, its lines and columns, and offsets inside a written scalar."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The keys and list indexes that lead to a value."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN_UNIT = re.compile(r"[\s\S]")
_SINGLE_QUOTED_UNIT = re.compile(r"''|[\s\S]")
_DOUBLE_QUOTED_UNIT = re.compile(r"\\x..|\\u.{4}|\\U.{8}|\\[\s\S]|[\s\S]")
_WHITE_ESCAPES = frozenset("\\" + char for char in "ntrvf N_LP\t\r\n")
_BLOCK_HEADER = re.compile(r"[|>][^\r\n]*")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (not included) of a file."""

    start: int
    end: int


class Lines:
    """The lines of a text, as an editor counts them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def end(self, offset: int) -> int:
        """The offset of the end of the line that holds `offset`."""
        match = _LINE_END.search(self._text, offset)
        return match.start() if match else len(self._text)

    def start(self, offset: int) -> int:
        """The offset of the start of the line that holds `offset`."""
        return self._starts[bisect_right(self._starts, offset) - 1]


def dotted(path: Path) -> str:
    """`agents.Triage.handoffs[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


class Written:
    """A scalar's value and the way it is written in the file.

    Works for every style, folded and quoted ones too: YAML changes only white space, so the n-th character that is none
    is the same on both sides.
    """

    def __init__(self, text: str, written: Span, value: str) -> None:
        self._offsets = [*_visible_offsets(text, written)] or [written.start]
        self._visible = [index for index, char in enumerate(value) if not char.isspace()]

    def offset(self, index: int) -> int:
        """Where the character `value[index]` stands in the file."""
        return self._offsets[min(bisect_left(self._visible, index), len(self._offsets) - 1)]


def _visible_offsets(text: str, written: Span) -> Iterator[int]:
    """The offsets of a scalar's characters, without white space, quotes and the header of a block."""
    raw = text[written.start : written.end]
    unit, skipped = _PLAIN_UNIT, 0
    if header := _BLOCK_HEADER.match(raw):
        skipped = header.end()
    elif raw.startswith("'"):
        unit, skipped = _SINGLE_QUOTED_UNIT, 1
    elif raw.startswith('"'):
        unit, skipped = _DOUBLE_QUOTED_UNIT, 1
    for match in unit.finditer(raw, skipped):
        if not match[0].isspace() and match[0] not in _WHITE_ESCAPES:
            yield written.start + match.start()
