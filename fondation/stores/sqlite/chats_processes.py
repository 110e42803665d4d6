"""Whose answers are being written: every message names the process that wrote it last, and every run its own, which
has a lease while a message is `streaming` or a run is under way."""

from __future__ import annotations

import sqlite3
import time

from fondation.stores.sqlite.owners import LEASE_SECONDS, is_alive

RENEW_SECONDS = LEASE_SECONDS / 3

_SIGN = (
    "INSERT INTO fondation_chat_processes (process, lease_until) VALUES (:me, :until) "
    "ON CONFLICT (process) DO UPDATE SET lease_until = excluded.lease_until WHERE lease_until < :soon"
)
_WRITES = (
    "SELECT EXISTS (SELECT 1 FROM fondation_chat_messages WHERE status = 'streaming' AND process = :me) "
    "OR EXISTS (SELECT 1 FROM fondation_chat_runs WHERE ended_at IS NULL AND process = :me)"
)
_OTHERS = (
    "SELECT process, lease_until FROM fondation_chat_processes WHERE process <> :me UNION ALL "
    "SELECT DISTINCT process, 0 FROM fondation_chat_messages WHERE status = 'streaming' "
    "AND process <> :me AND process NOT IN (SELECT process FROM fondation_chat_processes) UNION ALL "
    "SELECT DISTINCT process, 0 FROM fondation_chat_runs WHERE ended_at IS NULL "
    "AND process <> :me AND process NOT IN (SELECT process FROM fondation_chat_processes)"
)
_UNCHANGED = "COALESCE((SELECT lease_until FROM fondation_chat_processes WHERE process = :process), 0) = :lease_until"
_CUT = (
    "UPDATE fondation_chat_messages SET status = 'cut' WHERE status = 'streaming' "
    f"AND process = :process AND {_UNCHANGED}"
)
_ABANDON = (
    f"UPDATE fondation_chat_runs SET ended_at = :now WHERE ended_at IS NULL AND process = :process AND {_UNCHANGED}"
)
_BURY = "DELETE FROM fondation_chat_processes WHERE process = :process AND lease_until = :lease_until"


def has_left(process: str, lease_until: float) -> bool:
    """Whether a process has no lease, or is dead; where that cannot be known, whether it was not heard of for the
    length of a lease. One that is there has not left, however long its machine slept.
    """
    if not lease_until:
        return True
    alive = is_alive(process)
    return lease_until < time.time() if alive is None else not alive


class Processes:
    """This process, `me`, among those that share the file. What it does belongs in a transaction."""

    def __init__(self, connection: sqlite3.Connection, me: str) -> None:
        self._execute = connection.execute
        self.me = me

    def sign(self) -> None:
        """Say that this process lives."""
        now = time.time()
        self._execute(_SIGN, {"me": self.me, "until": now + LEASE_SECONDS, "soon": now + LEASE_SECONDS - RENEW_SECONDS})

    def renew(self) -> None:
        """Keep the lease while answers are being written."""
        if self._execute(_WRITES, {"me": self.me}).fetchone()[0]:
            self.sign()

    def cut_dead(self) -> int:
        """Mark what dead processes were writing, and return how many messages that were."""
        cut = 0
        for process, lease_until in self._execute(_OTHERS, {"me": self.me}).fetchall():
            if has_left(process, lease_until):
                seen = {"process": process, "lease_until": lease_until, "now": time.time()}
                cut += self._execute(_CUT, seen).rowcount
                self._execute(_ABANDON, seen)
                self._execute(_BURY, seen)
        return cut

    def leave(self) -> None:
        """Say that it ends: what it still writes, nobody will finish."""
        self._execute("DELETE FROM fondation_chat_processes WHERE process = ?", (self.me,))
