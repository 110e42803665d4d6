"""How chats are found by their words: texts are folded when they are written, and a search is a plain look for each
word in them, whatever the language.

There is no index over the texts: only the owner's are looked at, newest chat first, and an index over all owners
would find those of others too, and no word that is shorter than its terms.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from fondation.messages import Json, mend_text

EXCERPT_CHARACTERS = 120
LEAD_CHARACTERS = 40
"""How much of an excerpt comes before what was found."""
MAX_WORDS = 16
"""That a search heeds."""

_SLACK = LEAD_CHARACTERS // 2
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_MARKS = re.compile("[\u0300-\u036f]+")
_PIECE = re.compile(r".{1,1000}(?= |\Z)|.{1,1000}", re.DOTALL)
"""Of a line: it ends before a space where there is one, so that no character is folded apart from its marks."""


def readable_text(parts: Sequence[Json]) -> str:
    """What a person reads in a UI message."""
    return "\n".join(
        part["text"]
        for part in parts
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
    )


def fold(text: str) -> str:
    """The same for texts that differ in case, accents, or form of their characters alone."""
    if text.isascii():
        return text.lower()
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", plain.casefold()).replace(_DOTLESS_I, "i")  # both are I in capitals


def words_of(search: str) -> tuple[str, ...]:
    """The folded words of a search, the rarest, taken to be the longest, first."""
    words = dict.fromkeys(fold(mend_text(search)).split())
    return tuple(sorted(list(words)[:MAX_WORDS], key=len, reverse=True))


def first_words(text: str) -> str:
    """The beginning of a text, on one line."""
    return _cut(_one_line(text), 0)


def excerpt(text: str, words: Sequence[str]) -> str:
    """The part of a text, on one line, around the first of these words."""
    line = _one_line(text)
    return _cut(line, max(0, _place_of(line, words) - LEAD_CHARACTERS))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _place_of(line: str, words: Sequence[str]) -> int:
    """Where in the line the first of these folded words is; 0 where none is.

    It is folded piece by piece: a long line at once would hold up other threads, and to find where a character of the
    folded line comes from only its piece is searched.
    """
    pieces = _PIECE.findall(line)
    folded = [fold(piece) for piece in pieces]
    whole = "".join(folded)
    found = min((at for word in words if (at := whole.find(word)) >= 0), default=0)
    ends = list(accumulate(map(len, folded)))
    number = bisect_right(ends, found)
    if number == len(pieces):
        return 0
    before = sum(map(len, pieces[:number]))
    return before + _unfolded(pieces[number], found - (ends[number] - len(folded[number])))


def _unfolded(piece: str, at: int) -> int:
    """Where in the piece the folded piece's character `at` comes from."""
    if piece.isascii():
        return at
    return max(0, bisect_right(range(len(piece) + 1), at, key=lambda end: len(fold(piece[:end]))) - 1)


def _cut(line: str, start: int) -> str:
    """So much of the line from `start` on; where it has spaces nearby it is cut at those."""
    if start:
        start = max(start, line.find(" ", start, start + _SLACK) + 1)
    end = start + EXCERPT_CHARACTERS
    if end < len(line):
        end = max(line.rfind(" ", end - _SLACK, end + 1), end - _SLACK)
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
