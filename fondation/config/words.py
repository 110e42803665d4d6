"""How problems say things: shown values, lists of names, and the near name for a mistyped one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from fondation.config.secrets import masked

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_SHOWN_AT_MOST = 60
_LISTED_AT_MOST = 12
_LONGER_AT_MOST = 3


def printable(text: str) -> str:
    """`text` for a terminal: one line, nothing that moves the cursor or turns the text around, keys masked."""
    return masked(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def shown(text: str) -> str:
    """`text` in quotes, on one line, cut where it is long."""
    short = text if len(text) <= _SHOWN_AT_MOST else text[: _SHOWN_AT_MOST - 3] + "..."
    return f'"{printable(short)}"'


def listed(names: Iterable[str], word: str = "or") -> str:
    """`a, b or c`."""
    *most, last = list(names) or ["nothing"]
    return f"{', '.join(most)} {word} {last}" if most else last


def counted(number: int, noun: str) -> str:
    """`1 agent`, `3 agents`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def near(name: str, known: Iterable[str], likeness: float = 0.65) -> str | None:
    """The known name that `name` was probably meant to be; `likeness` is 1 for the same letters."""
    letters = _letters(name)
    alike = {_letters(other): other for other in known}
    if letters in alike:
        return alike[letters]
    of_its_length = [other for other in alike if abs(len(other) - len(letters)) <= _LONGER_AT_MOST]
    matches = get_close_matches(letters, of_its_length, n=1, cutoff=likeness)
    return alike[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str], noun: str) -> str:
    """The help for an unknown name: the near one, else the legal set, where it is short; `noun` is plural."""
    names = list(known)
    if guess := near(name, names):
        return f'did you mean "{guess}"?'
    if not names:
        return f"there are no {noun}"
    if len(names) > _LISTED_AT_MOST:
        return f"the {noun} are {', '.join(names[:_LISTED_AT_MOST])} and {len(names) - _LISTED_AT_MOST} more"
    return f"the {noun} are {listed(names, 'and')}" if len(names) > 1 else f"there is only {names[0]}"


def kind_of(value: object) -> str:
    """What a YAML value is, with its article, in the words of the messages."""
    match value:
        case None:
            return "empty"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "a value"


def bare_kind(value: object) -> str:
    """`kind_of` without its article."""
    return kind_of(value).removeprefix("an ").removeprefix("a ")


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
