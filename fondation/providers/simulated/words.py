"""Words of messages and of tool descriptions, brought to a form in which they can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from fondation.providers.simulated import lexicon

_WORD = re.compile(r"[^\W\d_]+")
_INSIDE_NAMES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+")
_STEM_LETTERS = 6
_SHORTEST_STEM = 3
_SUFFIXES = ("ments", "ment", "ings", "ing", "ed")
_IRREGULAR = {"paid": "pay"}


def fold(text: str) -> str:
    """Lower case, without accents: "Météo" and "meteo" are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def spaced(name: str) -> str:
    """An identifier as words: "checkInvoice" and "check_invoice" are "check invoice"."""
    return " ".join(_INSIDE_NAMES.sub(" ", name).lower().split())


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """What the forms of a word share: "invoices" and "invoicing" meet in "invoic"."""
    plain = fold(word)
    if plain in _IRREGULAR:
        return _IRREGULAR[plain]
    singular = _singular(plain)
    for suffix in _SUFFIXES:
        rest = singular.removesuffix(suffix)
        if rest != singular and len(rest) >= _SHORTEST_STEM and re.search("[aeiouy]", rest):
            singular = rest
            break
    return singular[:_STEM_LETTERS]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for word in words)


def words_of(text: str) -> list[str]:
    """The words of a text in its order, identifiers taken apart."""
    return _WORD.findall(_INSIDE_NAMES.sub(" ", text))


def telling_words(text: str) -> dict[str, str]:
    """The words that say what a text is about: stem -> the word as written, in the text's order."""
    found: dict[str, str] = {}
    for word in words_of(text):
        if len(word) > 1 and fold(word) not in lexicon.STOPWORDS:
            found.setdefault(stem(word), word)
    return found


_CONCEPT_OF = {stem(word): concept for concept, words in lexicon.CONCEPTS.items() for word in sorted(words)}


def concept_of(word_stem: str) -> str | None:
    """The subject that a word points to, None for most words."""
    return _CONCEPT_OF.get(word_stem)
