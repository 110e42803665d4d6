"""A search over a few notes kept here: put your own index behind the same signature."""

from __future__ import annotations

import re
from typing import TypedDict


class Found(TypedDict):
    title: str
    text: str


class SearchResults(TypedDict):
    query: str
    results: list[Found]


NOTES: tuple[Found, ...] = (
    {
        "title": "UI message stream",
        "text": "The AI SDK reads an answer as server-sent events, one JSON object each.",
    },
    {
        "title": "Handoff",
        "text": "An agent passes the conversation on to a colleague who knows the subject better.",
    },
    {"title": "Ledger", "text": "Every model call leaves a row with its tokens and what it cost."},
    {
        "title": "Lyon",
        "text": "Lyon lies where the Rhône and the Saône meet; about 520,000 people live there.",
    },
    {"title": "Python", "text": "Python is a programming language that Guido van Rossum began in 1989."},
)


def search_web(query: str) -> SearchResults:
    """Search the web for information.

    Args:
        query: What to look for, in a few words.
    """
    words = set(re.findall(r"\w{3,}", query.lower()))
    ranked = sorted(NOTES, key=lambda note: -len(words & _words_of(note)))
    return {"query": query, "results": [note for note in ranked if words & _words_of(note)] or [*ranked[:2]]}


def _words_of(note: Found) -> set[str]:
    return set(re.findall(r"\w{3,}", f"{note['title']} {note['text']}".lower()))
