"""The list of an owner's chats, newest first, page by page. Every statement names the owner."""

from __future__ import annotations

import base64
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from fondation.stores.chats import ChatSummary
from fondation.stores.sqlite.chats_json import read, write
from fondation.stores.sqlite.chats_search import excerpt, readable_text

PORTION = 50
"""Chats in which a search looks at a time: what else waits for the file goes between."""
PORTION_CHARACTERS = 200_000
"""Of texts that were found; where they are long it looks at fewer chats at a time."""


class Place(NamedTuple):
    """The chat behind which a page begins. It stays where it is while chats come, change and go."""

    updated_at: float
    id: str


START = Place(math.inf, "")


class Portion(NamedTuple):
    """What a search found among the next chats."""

    found: tuple[ChatSummary, ...]
    place: Place | None
    """The last chat that was looked at; None at the end."""


_SUMMARY = "id, title, agent, created_at, updated_at, messages, excerpt"
_PAGE = (
    "FROM fondation_chats WHERE owner = :owner AND (updated_at, id) < (:updated_at, :id) "
    "ORDER BY updated_at DESC, id DESC LIMIT :limit"
)
_HAS_WORDS = (
    "(instr({text}, :rarest) > 0 AND NOT EXISTS (SELECT 1 FROM json_each(:others) WHERE instr({text}, value) = 0))"
)
_NEWEST = f"SELECT {_SUMMARY} {_PAGE}"
_SEARCH = (
    f"SELECT {_SUMMARY}, {_HAS_WORDS.format(text='folded_title')}, (SELECT m.number FROM fondation_chat_messages AS m "
    f"WHERE m.chat = fondation_chats.number AND {_HAS_WORDS.format(text='m.folded_text')} "
    f"ORDER BY m.position LIMIT 1) {_PAGE}"
)
_PARTS = (
    "SELECT m.parts FROM fondation_chat_messages AS m JOIN fondation_chats AS c ON c.number = m.chat "
    "WHERE m.number = :number AND c.owner = :owner"
)


def read_cursor(cursor: str | None) -> Place:
    """Raises ValueError for what `write_cursor` does not write."""
    if cursor is None:
        return START
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"==")
        return Place(*msgspec.json.decode(text, type=tuple[float, str]))
    except (ValueError, msgspec.DecodeError):
        raise ValueError(f"{cursor!r} is not a cursor of this list; take `next` of the page before") from None


def write_cursor(chat: ChatSummary) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_place(chat))).decode().rstrip("=")


class ChatPages:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def newest(self, owner: str, after: Place, limit: int) -> tuple[ChatSummary, ...]:
        rows = self._execute(_NEWEST, {"owner": owner, "limit": limit, **after._asdict()})
        return tuple(ChatSummary(*row) for row in rows)

    def search(self, owner: str, words: Sequence[str], after: Place) -> Portion:
        """The next chats that have all the words, in their title or in one of their messages."""
        looked = {"rarest": words[0], "others": write(words[1:]), "limit": PORTION}
        found, number, characters = list[ChatSummary](), 0, 0
        for *summary, in_title, message in self._execute(_SEARCH, {"owner": owner, **looked, **after._asdict()}):
            chat, number = ChatSummary(*summary), number + 1
            if message is not None:
                text = self._text(owner, message)
                characters += len(text)
                found.append(replace(chat, excerpt=excerpt(text, words)))
            elif in_title:
                found.append(chat)
            if number == PORTION or characters > PORTION_CHARACTERS:
                return Portion(tuple(found), _place(chat))
        return Portion(tuple(found), None)

    def _text(self, owner: str, message: int) -> str:
        (parts,) = self._execute(_PARTS, {"owner": owner, "number": message}).fetchone()
        return readable_text(read(parts))


def _place(chat: ChatSummary) -> Place:
    return Place(chat.updated_at, chat.id)
