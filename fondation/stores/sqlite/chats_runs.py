"""Whose turn it is in each chat: the newest run of a chat names its process, which has the turn until the run ends.

Processes that share the file find each other's runs here. A dead process has no turn; that of a run which is ended is
free, and the run is remembered for a while, so that none older is taken for the chat's newest.
"""

from __future__ import annotations

import sqlite3
import time

from fondation.stores.chats import ChatKey, ChatRun, RunState
from fondation.stores.sqlite.chats_processes import Processes, has_left

REMEMBER_SECONDS = 120.0
"""How long an ended run is told of: longer than any process remembers its stream."""

_FIND = (
    "SELECT run_id, process, address, began_at, ended_at, COALESCE(lease_until, 0) FROM fondation_chat_runs "
    "LEFT JOIN fondation_chat_processes USING (process) WHERE owner = :owner AND id = :id"
)
_PUT = (
    "INSERT OR REPLACE INTO fondation_chat_runs (owner, id, run_id, process, address, began_at) "
    "VALUES (:owner, :id, :run_id, :process, :address, :began_at)"
)
_END = (
    "UPDATE fondation_chat_runs SET ended_at = :now "
    "WHERE owner = :owner AND id = :id AND run_id = :run_id AND ended_at IS NULL"
)
_FORGET = "DELETE FROM fondation_chat_runs WHERE ended_at < :before"
_IS_THERE = "SELECT EXISTS (SELECT 1 FROM fondation_chats WHERE owner = :owner AND id = :id)"


class Runs:
    """What it does belongs in a transaction; `address` is where this process listens to the others."""

    def __init__(self, connection: sqlite3.Connection, processes: Processes, address: str | None) -> None:
        self._execute = connection.execute
        self._processes = processes
        self._address = address

    def find(self, key: ChatKey) -> ChatRun | None:
        row = self._execute(_FIND, key._asdict()).fetchone()
        if row is None:
            return None
        run_id, process, address, began_at, ended_at, lease_until = row
        is_ours = process == self._processes.me
        state: RunState = "under way"
        if ended_at is not None:
            state = "ended"
        elif not is_ours and has_left(process, lease_until):
            state = "abandoned"
        return ChatRun(run_id, state, is_ours, address, began_at)

    def take_turn(self, key: ChatKey, run_id: str, seen: str | None) -> ChatRun | None:
        """None where the chat is this run's now, else the run that is in the way: one under way, or one that is not
        the one that was `seen`. What a run left of a chat that was deleted since is in nobody's way.
        """
        other = self.find(key)
        is_news = other is not None and not other.is_ours and other.id != seen
        if other is not None and (other.is_elsewhere or (is_news and self._is_there(key))):
            return other
        self._put(key, run_id, time.time())
        return None

    def announce(self, key: ChatKey, run_id: str, began_at: float) -> None:
        """As `_put`, unless a newer run is known, for nobody waits for what is told so and it may come late; or unless
        another process has the turn of a chat that is kept.
        """
        newest = self.find(key)
        if newest is not None and (newest.began_at > began_at or (newest.is_elsewhere and self._is_there(key))):
            return
        self._put(key, run_id, began_at)

    def _is_there(self, key: ChatKey) -> bool:
        return bool(self._execute(_IS_THERE, key._asdict()).fetchone()[0])

    def _put(self, key: ChatKey, run_id: str, began_at: float) -> None:
        """The chat's newest run is this one, of this process."""
        self._processes.sign()
        own = {"run_id": run_id, "process": self._processes.me, "address": self._address, "began_at": began_at}
        self._execute(_PUT, {**key._asdict(), **own})

    def end(self, key: ChatKey, run_id: str) -> None:
        self._execute(_END, {**key._asdict(), "run_id": run_id, "now": time.time()})

    def forget_old(self) -> None:
        self._execute(_FORGET, {"before": time.time() - REMEMBER_SECONDS})
