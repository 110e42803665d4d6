"""The values in a user's message that an argument can be: ids, names, numbers, quoted words and the like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fondation.messages import Json
from fondation.providers.simulated.names import find_names
from fondation.providers.simulated.words import stem, words_of

Kind: TypeAlias = Literal["email", "uri", "uuid", "date-time", "date", "time", "ipv4", "quoted", "id", "number", "name"]

_PATTERNS: dict[Kind, re.Pattern[str]] = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "uri": re.compile(r"https?://[^\s<>\"'»”]*[^\s<>\"'»”.,;:!?)]"),
    "uuid": re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    "date-time": re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"),
    "date": re.compile(r"\b\d{4}-\d\d-\d\d\b"),
    "time": re.compile(r"\b[0-2]?\d:[0-5]\d(?::[0-5]\d)?\b"),
    "ipv4": re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    "quoted": re.compile(r"\"([^\"]+)\"|“([^”]+)”|«\s*([^»]+?)\s*»|(?<!\w)'([^']+)'(?!\w)|`([^`]+)`"),
    "id": re.compile(r"(?<![\w-])[A-Za-z]+(?:[-_]?\d[A-Za-z0-9]*)+(?:[-_][A-Za-z0-9]+)*|(?<=#)[\w-]*\w"),
    "number": re.compile(r"(?<![\w.,-])-?\d+(?:\.\d+)?(?![\w-])"),
}
"""From the most special to the most general: what one kind has taken is no value of a later one."""

_TAKEN = "\0"


@dataclass(frozen=True, slots=True)
class Mention:
    """A value that stands in the message."""

    kind: Kind
    text: str
    start: int
    near: frozenset[str] = frozenset()
    """Stems of the words beside it: "3 days" is a number near "day"."""
    introduced: bool = True
    """False for a name that merely begins with a capital; "in Lyon" is introduced."""
    group: str = ""
    """What values have in common that the message lists together: cities after one "in", ids of one series."""

    @property
    def is_sure(self) -> bool:
        """Whether this is a value beyond doubt: every shape is, of names the introduced and capitalised ones."""
        return self.kind != "name" or (self.introduced and self.text[0].isupper())


@dataclass(slots=True)
class Mentions:
    """All values of one message. Each is given away once, so that two parameters take two values."""

    text: str
    found: tuple[Mention, ...]
    used: set[Mention] = field(default_factory=set)

    def of(self, *kinds: Kind) -> list[Mention]:
        """Unused mentions: by kind as asked, introduced names before others, then as they stand."""
        unused = [mention for mention in self.found if mention not in self.used]
        return [
            mention
            for kind in kinds
            for mention in sorted(unused, key=lambda one: not one.introduced)
            if mention.kind == kind
        ]


def find_mentions(text: str) -> Mentions:
    """Everything in `text` that may be a value. Nothing is understood: these are shapes."""
    text = " ".join(text.split())
    found: list[Mention] = []
    rest = text
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(rest):
            value = next((group for group in match.groups() if group), match.group())
            series = re.sub(r"\d+", "", value) if kind == "id" else ""
            found.append(Mention(kind, value, match.start(), _near(text, match), group=series))
        rest = pattern.sub(lambda match: _TAKEN * len(match.group()), rest)
    for name in find_names(rest):
        group = str(name.group) if name.group >= 0 else ""
        found.append(Mention("name", name.text, name.start, introduced=name.introduced, group=group))
    return Mentions(text, tuple(found))


def number_of(text: str) -> Json:
    """The number that `text` writes: an int where it is whole, None where it is none."""
    if not _PATTERNS["number"].fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _near(text: str, match: re.Match[str]) -> frozenset[str]:
    before, after = words_of(text[: match.start()])[-2:], words_of(text[match.end() :])[:2]
    return frozenset(stem(word) for word in (*before, *after))
