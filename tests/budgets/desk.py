"""A ledger with a bit of everything, and the budgets that are looked at in tests of their reports."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from fondation.budgets import Budget
from fondation.stores import open_store
from tests.usage.conftest import MONDAY, insert

PARIS = ZoneInfo("Europe/Paris")
NOW = MONDAY + 12 * 3_600
"""Monday noon in UTC, one o'clock in Paris."""
DOLLAR = 10**12
CENT = DOLLAR // 100

EACH_USER = Budget("each-user", 5 * DOLLAR, PARIS, per="user", every="day", warn_at=4 * DOLLAR, use="cheap")
ALL_MONTH = Budget("all-month", 500 * DOLLAR, PARIS, every="month")
EACH_RUN = Budget("each-run", 25 * CENT, PARIS, per="run")
OF_SUPPORT = Budget("of-support", DOLLAR, PARIS, per="agent", where={"agent_name": ("Support",)})
BUDGETS = (EACH_USER, ALL_MONTH, EACH_RUN, OF_SUPPORT)


def fill_desk(path: Path) -> None:
    """Calls of three users and of nobody, since the day before; money is set aside for two of them."""
    open_store(path).close()
    ada = {"user_id": "ada", "run_id": "run_1", "timestamp": NOW - 60}
    eve = {"user_id": "=1+1", "run_id": "run_2", "timestamp": NOW - 3_600}
    nobody = {"run_id": "run_3", "timestamp": NOW - 7_200}
    insert(
        path,
        {**ada, "cost": 0.25},
        {**ada, "cost": 4.0000125},
        {**ada, "cost_source": "unknown"},
        {**ada, "cost_source": "none", "status": "refused"},
        {**eve, "cost": 0.02},
        {**eve, "cost_source": "pending", "status": "running"},
        {**nobody, "cost": 0.01, "agent_name": "Triage"},
        {**nobody, "user_id": "anonymous", "cost": 0.01},
        {**nobody, "cost_source": "simulated", "user_id": "sim"},
        {**ada, "run_id": "run_0", "cost": 3.5, "timestamp": MONDAY - 3_601},  # a second before midnight in Paris
    )
    set_aside(path, EACH_USER, "ada", 30 * CENT)
    set_aside(path, EACH_USER, "bob", 10 * CENT)


def set_aside(path: Path, budget: Budget, bucket: str, amount: int, until: float = NOW + 300) -> None:
    key = budget.counter(NOW, bucket).key
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO usage_reservations (token, counter, amount_pico, lease_until) VALUES (?, ?, ?, ?)",
            (f"{key} {until}", key, amount, until),
        )
