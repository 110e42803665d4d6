"""Which tools a run's answer shows, for whoever explains the run."""

from __future__ import annotations

import sqlite3
from typing import Any

from fondation.stores.sqlite.chats_json import read

_PARTS = (
    "SELECT parts FROM fondation_chat_messages AS message JOIN fondation_chats AS chat ON chat.number = message.chat "
    "WHERE chat.id = ? AND message.run_id = ? AND message.role = 'assistant'"
)
_IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'fondation_chat_messages'"


def tools_of_run(connection: sqlite3.Connection, chat_id: str | None, run_id: str) -> list[list[str]]:
    """The names of the tools in each step of the answer; no step where the chat is not kept.

    An answer that several runs wrote belongs to the last of them, and its steps are those of all.
    """
    if chat_id is None or connection.execute(_IS_THERE).fetchone() is None:
        return []
    row = connection.execute(_PARTS, (chat_id, run_id)).fetchone()
    steps: list[list[str]] = []
    for part in read(row[0]) if row else ():
        if part["type"] == "step-start":
            steps.append([])
        elif steps and "toolCallId" in part:
            steps[-1].append(_name(part))
    return steps


def _name(part: dict[str, Any]) -> str:
    name: str = part["toolName"] if part["type"] == "dynamic-tool" else part["type"].removeprefix("tool-")
    return name
