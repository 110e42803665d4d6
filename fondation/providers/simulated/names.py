"""Names in a message: runs of capitalised words, or what follows a preposition where nobody uses capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from fondation.providers.simulated import lexicon
from fondation.providers.simulated.words import concept_of, fold, stem

_WORD = re.compile(r"[^\W\d_](?:[\w-]*\w)?(?:[\u2019'](?!s\b)[\w-]*\w)*")
_GAP_INSIDE = re.compile(r" ")
_GAP_OF_LIST = re.compile(r"\s*,\s*|\s*,?\s*\b(?:" + "|".join(lexicon.CONJUNCTIONS) + r")\s+|\s*&\s*")
_SENTENCE_END = ".!?:;\n"
_LONGEST_PHRASE = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A name and where it stands."""

    text: str
    start: int
    introduced: bool
    """After a preposition ("in Lyon"), or joined to such a one ("in Lyon and Paris")."""
    group: int = -1
    """The same number for names that are listed together; -1 for a name that stands alone."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def find_names(text: str) -> list[Name]:
    """Names in the text's order. A capital at the head of a sentence says nothing, so it counts only where there
    is no other name."""
    words = list(_WORD.finditer(text))
    if text.isupper():
        return list(_phrases(text, words))
    names = [name for group in _lists(text, list(_runs(text, words))) for name in _introduce(text, group)]
    return names or list(_phrases(text, words)) or list(_opening_names(text, words))


def _runs(text: str, words: list[re.Match[str]]) -> Iterator[Name]:
    """Neighbouring capitalised words are one name: "New York"."""
    run: Name | None = None
    for index, word in enumerate(words):
        is_name = _may_be_name(word.group()) and not _opens_sentence(text, word.start())
        if run and is_name and _GAP_INSIDE.fullmatch(text, run.end, word.start()):
            run = Name(text[run.start : word.end()], run.start, run.introduced)
            continue
        if run:
            yield run
        before = fold(words[index - 1].group()) if index else ""
        run = Name(word.group(), word.start(), before in lexicon.PREPOSITIONS) if is_name else None
    if run:
        yield run


def _lists(text: str, names: list[Name]) -> Iterator[list[Name]]:
    """Names that only commas and conjunctions part belong together."""
    group: list[Name] = []
    for name in names:
        if group and (name.introduced or not _GAP_OF_LIST.fullmatch(text, group[-1].end, name.start)):
            yield group
            group = []
        group.append(name)
    if group:
        yield group


def _introduce(text: str, group: list[Name]) -> list[Name]:
    """ "in Lyon, Paris and Nice" introduces three names, "in Paris, France" one."""
    gaps = [text[one.end : other.start].strip() for one, other in pairwise(group)]
    if group[0].introduced and any(gap != "," for gap in gaps):
        return [Name(name.text, name.start, introduced=True, group=group[0].start) for name in group]
    return group


def _phrases(text: str, words: list[re.Match[str]]) -> Iterator[Name]:
    """The telling words after each preposition: "weather in new york please"."""
    for index, word in enumerate(words):
        if fold(word.group()) not in lexicon.PREPOSITIONS:
            continue
        last = index
        while last + 1 < len(words) and last - index < _LONGEST_PHRASE and _goes_on(text, words, last):
            last += 1
        if last > index:
            start = words[index + 1].start()
            yield Name(text[start : words[last].end()], start, introduced=True)


def _goes_on(text: str, words: list[re.Match[str]], last: int) -> bool:
    word = fold(words[last + 1].group())
    return (
        bool(_GAP_INSIDE.fullmatch(text, words[last].end(), words[last + 1].start()))
        and word not in lexicon.STOPWORDS
        and word not in lexicon.CALENDAR
        and word not in lexicon.PREPOSITIONS
    )


def _opening_names(text: str, words: list[re.Match[str]]) -> Iterator[Name]:
    for word in words:
        if _may_be_name(word.group()) and concept_of(stem(word.group())) is None:
            yield Name(word.group(), word.start(), introduced=False)


def _may_be_name(word: str) -> bool:
    folded = fold(word)
    return word[0].isupper() and folded not in lexicon.STOPWORDS and folded not in lexicon.CALENDAR


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“«(¿¡")
    return not before or before[-1] in _SENTENCE_END
