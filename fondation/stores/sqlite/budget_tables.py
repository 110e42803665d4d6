"""Counters and reservations in the open database. Belongs to one thread; all of it raises `sqlite3.Error`."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Literal

from fondation.calls import Purpose
from fondation.stores.budgets import Counter, Crossing, Scope, Standing
from fondation.stores.rows import COST_PICO, IS_MONEY, IS_TIMED
from fondation.stores.sqlite.ledger import BUSY_MS
from fondation.stores.sqlite.transactions import transaction

NEWEST_CALLS = 5_000
"""Among so many calls those of one agent are looked for."""
KEEP_STEP = 3_600.0
"""How exactly it is known until when a counter is kept. One that is forgotten is added up anew when it is asked for."""

_SUM = f"SELECT COALESCE(SUM({COST_PICO}), 0) FROM usage_tracking WHERE {IS_TIMED} AND "
_STANDING = (
    "SELECT spent_pico, warned, kept_until, COALESCE(SUM(amount_pico) FILTER (WHERE NOT is_held), 0), "
    "COALESCE(SUM(amount_pico) FILTER (WHERE is_held), 0) FROM usage_budgets "
    "LEFT JOIN usage_reservations ON counter = key AND lease_until > :now "
    "WHERE key = :key AND checked_at IS NOT NULL GROUP BY key"
)
_NEW = (
    "INSERT OR IGNORE INTO usage_budgets (key, budget, bucket, starts, ends, spent_pico, warned, kept_until) "
    "VALUES (?, ?, ?, ?, ?, 0, 0, ?)"
)
_CORRECT = "UPDATE usage_budgets SET spent_pico = spent_pico + ?, checked_at = ? WHERE key = ? AND checked_at IS ?"
_UNWRITTEN = (
    "(SELECT COALESCE(SUM(ended.value), 0) FROM json_each(:costs) AS ended WHERE EXISTS "
    "(SELECT 1 FROM usage_reservations WHERE token = ended.key AND counter = usage_budgets.key))"
)
_CROSS = (
    f"UPDATE usage_budgets SET warned = 1 WHERE key = :key AND warned = 0 AND spent_pico + {_UNWRITTEN} >= :warn_at "
    f"RETURNING spent_pico + {_UNWRITTEN}"
)
_COSTS = (
    f"SELECT {COST_PICO} FROM (SELECT * FROM usage_tracking ORDER BY timestamp DESC LIMIT {NEWEST_CALLS}) "
    "WHERE agent_name = ? AND requested_model = ? AND COALESCE(purpose, 'answer') = ? "
    f"AND cost_source IN ('billed', 'priced', 'estimated') AND {IS_MONEY} LIMIT ?"
)
_FORGET = "DELETE FROM usage_budgets WHERE kept_until < ? AND key NOT IN (SELECT counter FROM usage_reservations)"


def condition_of(scope: Scope) -> tuple[str, list[str | float]]:
    """What `WHERE` says of the rows in a scope, and its values."""
    tests: list[str] = []
    values: list[str | float] = []
    for column, allowed in scope.matches.items():
        named = [value for value in allowed if value is not None]
        test = f"{column} IN ({', '.join('?' * len(named))})"
        tests.append(test if len(named) == len(allowed) else f"({test} OR {column} IS NULL)")
        values += named
    for test, moment in (("timestamp >= ?", scope.starts), ("timestamp < ?", scope.ends)):
        if moment is not None:
            tests.append(test)
            values.append(moment)
    return " AND ".join(tests) or "TRUE", values


class BudgetTables:
    """A file that is gone is not made anew: the ledger's writer does that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        uri = f"{path.as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._file = os.stat(path)
        except BaseException:
            self._connection.close()
            raise

    def is_moved(self) -> bool:
        """Whether the file was removed or replaced: what is counted here is counted by nobody else."""
        try:
            return not os.path.samestat(self._file, os.stat(self._path))
        except OSError:
            return True

    def set_patience(self, milliseconds: int) -> None:
        """How long a transaction waits for those of others."""
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    @contextlib.contextmanager
    def transaction(self, kind: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE") -> Generator[None, None, None]:
        with transaction(self._connection, kind):
            yield

    def standing(self, counter: Counter, now: float) -> Standing | None:
        """A counter as it is now; None where it was never added up."""
        found = self._connection.execute(_STANDING, {"key": counter.key, "now": now}).fetchone()
        if found is None:
            return None
        spent, warned, kept_until, reserved, held = found
        if kept_until < (until := counter.kept_until(now)) - KEEP_STEP:
            self._connection.execute("UPDATE usage_budgets SET kept_until = ? WHERE key = ?", (until, counter.key))
        return Standing(spent, reserved, bool(warned), held)

    def reserve(self, token: str, amounts: Iterable[tuple[str, int, int]], lease_until: float) -> None:
        """Amounts are a counter's key, what is set aside, and what stays so where the call's cost is not known."""
        self._connection.executemany(
            "INSERT INTO usage_reservations (token, counter, amount_pico, held_pico, lease_until) "
            "VALUES (?, ?, ?, ?, ?)",
            [(token, key, amount, held, lease_until) for key, amount, held in amounts],
        )

    def amend(self, token: str, amount: int) -> None:
        self._connection.execute("UPDATE usage_reservations SET amount_pico = ? WHERE token = ?", (amount, token))

    def release(self, token: str) -> None:
        self._connection.execute("DELETE FROM usage_reservations WHERE token = ?", (token,))

    def warn(self, key: str) -> bool:
        """Whether nobody was warned before; somebody is from now on."""
        mark = "UPDATE usage_budgets SET warned = 1 WHERE key = ? AND warned = 0"
        return self._connection.execute(mark, (key,)).rowcount == 1

    def cross(self, crossing: Crossing) -> int | None:
        """What is spent beyond a `warn_at` that nobody was warned of before; somebody is from now on."""
        values = {"key": crossing.key, "warn_at": crossing.warn_at, "costs": json.dumps(crossing.costs)}
        found = self._connection.execute(_CROSS, values).fetchall()
        return found[0][0] if found else None

    def fill(self, counter: Counter) -> None:
        """Add a counter up for the first time, in this process or another."""
        scope = counter.scope
        values = (
            counter.key,
            counter.budget,
            counter.bucket,
            scope.starts,
            scope.ends,
            counter.kept_until(time.time()),
        )
        self._connection.execute(_NEW, values)
        self.check(counter)

    def check(self, counter: Counter) -> None:
        """Make a counter the sum of its rows: triggers keep it so, but rows of programs that know nothing of it.

        Rows may be written meanwhile: they change counter and sum alike, so what is between the two at one moment is
        still between them later. Of two that look at once only one corrects.
        """
        condition, values = condition_of(counter.scope)
        with self.transaction("DEFERRED"):
            found = self._connection.execute(
                "SELECT spent_pico, checked_at FROM usage_budgets WHERE key = ?", (counter.key,)
            ).fetchone()
            if found is None:
                return
            total = self._connection.execute(_SUM + condition, values).fetchone()[0]
        spent, checked_at = found
        self._connection.execute(_CORRECT, (total - spent, time.time(), counter.key, checked_at))

    def costs(self, agent: str, model: str, purpose: Purpose, most: int) -> Sequence[int]:
        """Of the newest calls whose cost is known, the newest last."""
        found = self._connection.execute(_COSTS, (agent, model, purpose, most)).fetchall()
        return [cost for (cost,) in reversed(found)]

    def forget(self) -> None:
        """Drop what has lapsed, and counters that are over."""
        now = time.time()
        with self.transaction():
            self._connection.execute("DELETE FROM usage_reservations WHERE lease_until < ?", (now,))
            self._connection.execute(_FORGET, (now,))

    def close(self) -> None:
        self._connection.close()
