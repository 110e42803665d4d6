"""What is asked of the chat tables, each time inside a transaction. Every statement names the owner: the chats of
others are not there."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from fondation.errors import ChatStoreError
from fondation.messages import Message, mend_text
from fondation.stores.chats import Answered, ChatKey, StoredChat, StoredMessage, StoredSummary, WaitingCall
from fondation.stores.sqlite.chats_json import read, read_messages, write, write_messages
from fondation.stores.sqlite.chats_processes import Processes
from fondation.stores.sqlite.chats_runs import Runs
from fondation.stores.sqlite.chats_search import first_words, fold, readable_text

log = logging.getLogger("fondation.chats")

CHAT = "(SELECT number FROM fondation_chats WHERE owner = :owner AND id = :id)"

_OPEN = (
    "INSERT INTO fondation_chats (owner, id, created_at, updated_at) VALUES (:owner, :id, :now, :now) "
    "ON CONFLICT (owner, id) DO NOTHING"
)
_DROPPED = (
    f"chat = {CHAT} AND position >= "
    f"(SELECT position FROM fondation_chat_messages WHERE chat = {CHAT} AND id = :drop_from)"
)
_DROP_CALLS = (
    f"DELETE FROM fondation_chat_calls WHERE chat = {CHAT} AND message_id IN "
    f"(SELECT id FROM fondation_chat_messages WHERE {_DROPPED})"
)
_DROP_SUMMARY = (
    f"DELETE FROM fondation_chat_summaries WHERE chat = {CHAT} AND through IN "
    f"(SELECT id FROM fondation_chat_messages WHERE {_DROPPED})"
)
_DROP = f"DELETE FROM fondation_chat_messages WHERE {_DROPPED}"
_PUT = (
    "INSERT INTO fondation_chat_messages (chat, position, id, role, status, process, run_id, created_at, excerpt, "
    f"folded_text, metadata, model_messages, parts) VALUES ({CHAT}, "
    f"(SELECT COALESCE(MAX(position), 0) + 1 FROM fondation_chat_messages WHERE chat = {CHAT}), "
    ":message, :role, :status, :process, :run_id, :created_at, :excerpt, :folded_text, :metadata, :model_messages, "
    ":parts) ON CONFLICT (chat, id) DO UPDATE SET role = excluded.role, status = excluded.status, "
    "process = excluded.process, run_id = excluded.run_id, created_at = excluded.created_at, "
    "excerpt = excluded.excerpt, folded_text = excluded.folded_text, metadata = excluded.metadata, "
    "model_messages = excluded.model_messages, parts = excluded.parts"
)
_SUM_UP = (
    "UPDATE fondation_chats SET updated_at = MAX(updated_at, :now), agent = COALESCE(:agent, agent), "
    "messages = (SELECT COUNT(*) FROM fondation_chat_messages WHERE chat = fondation_chats.number), "
    "excerpt = COALESCE((SELECT m.excerpt FROM fondation_chat_messages AS m WHERE m.chat = fondation_chats.number "
    "AND m.role = 'user' ORDER BY m.position LIMIT 1), '') WHERE owner = :owner AND id = :id"
)
_STOP = (
    f"UPDATE fondation_chat_messages SET status = 'stopped' WHERE chat = {CHAT} "
    "AND run_id = :run_id AND status = 'streaming'"
)
_TITLE = "UPDATE fondation_chats SET title = :title, folded_title = :folded WHERE owner = :owner AND id = :id"
_ENTITLE = f"{_TITLE} AND title IS NULL"
_SUMMARIZE = f"INSERT OR REPLACE INTO fondation_chat_summaries (chat, through, text) VALUES ({CHAT}, :through, :text)"
_SUMMARY = f"SELECT text, through FROM fondation_chat_summaries WHERE chat = {CHAT}"
_LOAD = "SELECT title, agent, created_at, updated_at FROM fondation_chats WHERE owner = :owner AND id = :id"
_LOAD_MESSAGES = (
    "SELECT id, role, status, run_id, created_at, metadata, model_messages, parts FROM fondation_chat_messages "
    f"WHERE chat = {CHAT} ORDER BY position"
)
_DELETE = (
    f"DELETE FROM fondation_chat_messages WHERE chat = {CHAT}",
    f"DELETE FROM fondation_chat_calls WHERE chat = {CHAT}",
    f"DELETE FROM fondation_chat_summaries WHERE chat = {CHAT}",
    "DELETE FROM fondation_chat_memory WHERE owner = :owner AND chat = :id",
    "DELETE FROM fondation_chats WHERE owner = :owner AND id = :id",
)
"""The chat itself last: the others are found by it."""
_WAIT = (
    "INSERT OR REPLACE INTO fondation_chat_calls (chat, id, message_id, call_id, tool, arguments, agent, kind, roles, "
    "expires_at, state) SELECT number, :call, :message_id, :call_id, :tool, :arguments, :agent, :kind, :roles, "
    ":expires_at, 'waiting' FROM fondation_chats WHERE owner = :owner AND id = :id"
)
_WAITING = (
    "SELECT id, message_id, call_id, tool, arguments, agent, kind, roles, expires_at FROM fondation_chat_calls "
    f"WHERE chat = {CHAT} AND state = 'waiting' ORDER BY number"
)
_ANSWER = f"UPDATE fondation_chat_calls SET state = :state WHERE chat = {CHAT} AND id = :call AND state = 'waiting'"
_MEMORY = "SELECT text FROM fondation_chat_memory WHERE owner = :owner AND chat IS :chat"
_FORGET = "DELETE FROM fondation_chat_memory WHERE owner = :owner AND chat IS :chat"
_REMEMBER = "INSERT INTO fondation_chat_memory (owner, chat, text) VALUES (:owner, :chat, :text)"


class Saving(NamedTuple):
    """What `ChatStore.save` was asked for, and when."""

    messages: Sequence[StoredMessage]
    drop_from: str | None
    agent: str | None
    title: str | None
    summary: StoredSummary | None
    now: float


class ChatTables:
    def __init__(self, connection: sqlite3.Connection, processes: Processes, runs: Runs) -> None:
        self._execute = connection.execute
        self._processes = processes
        self._runs = runs

    def load(self, key: ChatKey) -> StoredChat | None:
        chat = key._asdict()
        row = self._execute(_LOAD, chat).fetchone()
        if row is None:
            return None
        messages = tuple(_message_of(key, message) for message in self._execute(_LOAD_MESSAGES, chat))
        title, agent, created_at, updated_at = row
        run = self._runs.find(key)
        summary = self._execute(_SUMMARY, chat).fetchone()
        return StoredChat(
            key,
            title,
            agent,
            created_at,
            updated_at,
            messages,
            run=run,
            summary=None if summary is None else StoredSummary(*summary),
        )

    def save(self, key: ChatKey, saving: Saving) -> None:
        chat = key._asdict()
        self._execute(_OPEN, {**chat, "now": saving.now})
        if saving.drop_from is not None:
            dropped = {**chat, "drop_from": saving.drop_from}
            self._execute(_DROP_CALLS, dropped)
            self._execute(_DROP_SUMMARY, dropped)
            self._execute(_DROP, dropped)
        for message in saving.messages:
            self._put(key, message)
        self._execute(_SUM_UP, {**chat, "now": saving.now, "agent": saving.agent})
        if saving.title is not None:
            self.rename(key, saving.title)
        if saving.summary is not None:
            text = mend_text(saving.summary.text)
            self._execute(_SUMMARIZE, {**chat, "through": saving.summary.through, "text": text})

    def end(self, key: ChatKey, run_id: str) -> None:
        """A run that is over writes no more."""
        self._runs.end(key, run_id)
        self._execute(_STOP, {**key._asdict(), "run_id": run_id})

    def rename(self, key: ChatKey, title: str) -> bool:
        return self._title(_TITLE, key, title)

    def entitle(self, key: ChatKey, title: str) -> bool:
        return self._title(_ENTITLE, key, title)

    def delete(self, key: ChatKey) -> bool:
        return [self._execute(statement, key._asdict()).rowcount for statement in _DELETE][-1] == 1

    def wait(self, key: ChatKey, calls: Sequence[WaitingCall]) -> None:
        for call in calls:
            columns = {
                "call": call.id,
                "message_id": call.message_id,
                "call_id": call.call_id,
                "tool": call.tool,
                "arguments": mend_text(call.arguments),
                "agent": call.agent,
                "kind": call.kind,
                "roles": write(call.by),
                "expires_at": call.expires_at,
            }
            if not self._execute(_WAIT, {**key._asdict(), **columns}).rowcount:
                raise ChatStoreError(f"there is no chat {key.id!r} in which {call.tool} could wait; save it first")

    def waiting(self, key: ChatKey) -> tuple[WaitingCall, ...]:
        return tuple(_waiting_call_of(row) for row in self._execute(_WAITING, key._asdict()))

    def answer(self, key: ChatKey, id: str, state: Answered) -> None:
        self._execute(_ANSWER, {**key._asdict(), "call": id, "state": state})

    def memory(self, owner: str, chat: str | None) -> str | None:
        row = self._execute(_MEMORY, {"owner": owner, "chat": chat}).fetchone()
        return None if row is None else str(row[0])

    def remember(self, owner: str, chat: str | None, text: str) -> None:
        whose = {"owner": owner, "chat": chat}
        self._execute(_FORGET, whose)
        self._execute(_REMEMBER, {**whose, "text": mend_text(text)})

    def _title(self, statement: str, key: ChatKey, title: str) -> bool:
        title = mend_text(title)
        return self._execute(statement, {**key._asdict(), "title": title, "folded": fold(title)}).rowcount == 1

    def _put(self, key: ChatKey, message: StoredMessage) -> None:
        if message.status == "streaming":
            self._processes.sign()
        elif message.run_id is not None:
            self._runs.end(key, message.run_id)
        text = mend_text(readable_text(message.parts))
        columns = {
            "message": message.id,
            "role": message.role,
            "status": message.status,
            "process": self._processes.me,
            "run_id": message.run_id,
            "created_at": message.created_at,
            "excerpt": first_words(text) if message.role == "user" else "",
            "folded_text": fold(text),
            "metadata": write(message.metadata),
            "model_messages": None if message.model_messages is None else write_messages(message.model_messages),
            "parts": write(message.parts),
        }
        self._execute(_PUT, {**key._asdict(), **columns})


def _message_of(key: ChatKey, row: tuple[Any, ...]) -> StoredMessage:
    id, role, status, run_id, created_at, metadata, model_messages, parts = row
    return StoredMessage(
        id=id,
        role=role,
        parts=tuple(read(parts)),
        metadata=read(metadata),
        model_messages=None if model_messages is None else _model_messages_of(key, id, model_messages),
        run_id=run_id,
        status=status,
        created_at=created_at,
    )


def _model_messages_of(key: ChatKey, id: str, text: str) -> tuple[Message, ...] | None:
    """What a later version wrote is left aside: the parts tell nearly all of it."""
    try:
        return read_messages(text)
    except ValueError as error:
        log.warning("Message %s of chat %s is read from its parts alone: %s", id, key.id, error)
        return None


def _waiting_call_of(row: tuple[Any, ...]) -> WaitingCall:
    id, message_id, call_id, tool, arguments, agent, kind, roles, expires_at = row
    return WaitingCall(id, message_id, call_id, tool, arguments, agent, kind, tuple(read(roles)), expires_at)
