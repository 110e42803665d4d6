"""Which tools a run's answer shows, for whoever explains the run."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from fondation.stores.sqlite.chats_json import read

_ANSWER = (
    "SELECT parts, metadata FROM fondation_chat_messages AS message "
    "JOIN fondation_chats AS chat ON chat.number = message.chat "
    "WHERE chat.id = :chat AND message.role = 'assistant' AND (message.run_id = :run OR EXISTS "
    "(SELECT 1 FROM json_each(message.metadata, '$.runIds') WHERE value = :run))"
)
_IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'fondation_chat_messages'"


class KeptAnswer(NamedTuple):
    tools: Sequence[Sequence[str]] = ()
    """Their names, in each of its steps; no step where the chat is not kept."""
    before: Sequence[str] = ()
    """The runs that wrote its first steps, before the one that is explained."""


def answer_of_run(connection: sqlite3.Connection, chat_id: str | None, run_id: str) -> KeptAnswer:
    """The answer that a run wrote, alone or after others."""
    if chat_id is None or connection.execute(_IS_THERE).fetchone() is None:
        return KeptAnswer()
    row = connection.execute(_ANSWER, {"chat": chat_id, "run": run_id}).fetchone()
    if row is None:
        return KeptAnswer()
    run_ids: list[str] = read(row[1]).get("runIds", [])
    return KeptAnswer(_tools(read(row[0])), run_ids[: run_ids.index(run_id)] if run_id in run_ids else ())


def _tools(parts: Sequence[dict[str, Any]]) -> list[list[str]]:
    steps: list[list[str]] = []
    for part in parts:
        if part["type"] == "step-start":
            steps.append([])
        elif steps and "toolCallId" in part:
            steps[-1].append(_name(part))
    return steps


def _name(part: dict[str, Any]) -> str:
    name: str = part["toolName"] if part["type"] == "dynamic-tool" else part["type"].removeprefix("tool-")
    return name
