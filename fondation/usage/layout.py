"""Text in columns: names to the left, where they may be folded, and numbers to the right, which never are."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

LEAST_NAME_WIDTH = 28
"""A longer name is folded where there is no room for it."""


def lay_out(
    titles: Sequence[str], rows: Sequence[Sequence[str]], footer: Sequence[str] | None, *, names: int, room: int | None
) -> Iterator[str]:
    """The lines of a table whose first `names` columns are names. Without a footer it ends with the last row.

    `room` is the width to keep to if possible; None is as wide as it gets.
    """
    widths = [max(map(_width, column)) for column in zip(titles, *rows, footer or titles, strict=True)]
    if room is not None:
        for_names = room - sum(widths[names:]) - (len(widths) - 1)
        widths[:names] = _narrowed(widths[:names], for_names)
    rule = "─" * (sum(widths) + len(widths) - 1)
    yield from _lines(titles, widths, names)
    yield rule
    for row in rows:
        yield from _lines(row, widths, names)
    if footer is not None:
        yield rule
        yield from _lines(footer, widths, names)


def _narrowed(widths: Sequence[int], room: int) -> list[int]:
    if sum(widths) <= room:
        return list(widths)
    widest = max(LEAST_NAME_WIDTH, room // len(widths))
    return [min(width, widest) for width in widths]


def _lines(cells: Sequence[str], widths: Sequence[int], names: int) -> Iterator[str]:
    columns = [_folded(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for line in zip_longest(*columns, fillvalue=""):
        padded = [
            f"{text}{' ' * (width - _width(text))}" if position < names else text.rjust(width)
            for position, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield " ".join(padded).rstrip()


def _folded(text: str, width: int) -> list[str]:
    if _width(text) <= width:
        return [text]
    lines = [""]
    for character in text:
        if _width(lines[-1] + character) > width:
            lines.append("")
        lines[-1] += character
    return lines


def _width(text: str) -> int:
    """Columns of a terminal: Chinese, Japanese and Korean characters take two, accents that follow a letter none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
