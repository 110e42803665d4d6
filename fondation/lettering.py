"""How wide a text is in a picture, where nobody can measure it: generously, for common fonts."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_NARROW = frozenset("fijlrtI.,:;'|!()[]{}`/ -\"")
_BROAD = frozenset("mwMW@%—")
_NARROW_SHARE, _SHARE, _CAPITAL_SHARE, _BROAD_SHARE, _FULL_SHARE = 0.4, 0.62, 0.76, 0.98, 1.05
"""Widths of characters, as parts of the font's size."""
_MONOSPACED_SHARE = 0.61


def width_of(text: str, size: float, *, is_monospaced: bool = False) -> float:
    """The width of a line of text in a font of this size, in the same unit; seldom less than it really takes."""
    return size * sum(_share(character, is_monospaced) for character in text)


def cut(text: str, room: float, size: float, *, is_monospaced: bool = False) -> str:
    """As much of the text as there is room for, with an ellipsis where that is not all of it."""
    if width_of(text, size, is_monospaced=is_monospaced) <= room:
        return text
    left = room - width_of(ELLIPSIS, size, is_monospaced=is_monospaced)
    kept = 0
    for character in text:
        left -= width_of(character, size, is_monospaced=is_monospaced)
        if left < 0:
            break
        kept += 1
    return f"{text[:kept].rstrip()}{ELLIPSIS}"


def _share(character: str, is_monospaced: bool) -> float:
    if is_monospaced and character.isascii():
        return _MONOSPACED_SHARE
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return _FULL_SHARE
    if character in _NARROW:
        return _NARROW_SHARE
    if character in _BROAD or ord(character) >= 0x2000:
        return _BROAD_SHARE
    return _CAPITAL_SHARE if character.isupper() else _SHARE
