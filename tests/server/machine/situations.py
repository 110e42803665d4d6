"""Which chats a rule is for: a rule names one of those that fit by a number, so that it always has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import precondition

from tests.server.machine.model import Chat

Rule = TypeVar("Rule", bound=Callable[..., None])
Key = tuple[str, str]
"""A chat's user, and its id."""

USERS = ("ann", "bob")
CHATS = ("c1", "c2")
KEYS = st.sampled_from([(user, id) for user in USERS for id in CHATS])
WHICH = st.integers(0, 3)
"""Which of the chats that a rule is for."""
AS_JSON = st.integers(0, 3).map(lambda number: number == 3)
"""Whether whoever posts waits for the whole answer."""


def is_read(chat: Chat) -> bool:
    return chat.live is not None and bool(chat.live.audience)


def asks_model(chat: Chat) -> bool:
    """Whether a model may say more."""
    return chat.live is not None and chat.live.upstream is not None


def calls_tools(chat: Chat) -> bool:
    return asks_model(chat) and chat.live is not None and bool(chat.live.begun)


def runs_tools(chat: Chat) -> bool:
    return chat.live is not None and bool(chat.live.pondering)


def is_kept(chat: Chat) -> bool:
    return bool(chat.messages)


def waits(chat: Chat) -> bool:
    return chat.live is None and is_kept(chat) and chat.messages[-1].status == "waiting"


def has_answer(chat: Chat) -> bool:
    """Whether its last message is an answer that a page has."""
    return (
        chat.live is None
        and is_kept(chat)
        and chat.messages[-1].role == "assistant"
        and chat.messages[-1].parts is not None
    )


def was_answered(chat: Chat) -> bool:
    return chat.live is None and chat.replayed is not None


def is_remembered(chat: Chat) -> bool:
    """Whether pages show it, be it that it was deleted."""
    return bool(chat.messages or chat.remembered)


def for_chats(fits: Callable[[Chat], bool]) -> Callable[[Rule], Rule]:
    """A rule for chats that fit."""
    return precondition(lambda self: self.keys(fits))
