"""Whatever is done to rows, by whichever program: counters are the sums of their rows, and only calls whose cost is not
known yet hold what was set aside for them."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores.sqlite.migrations import migrate

KEYS = ("day", "user ada", "user “bob”")
SOURCES = ("pending", "billed", "unknown", None)

costs = st.floats(0, 100).map(lambda cost: round(cost, 12))
budgets = st.none() | st.lists(st.sampled_from(KEYS), unique=True)
sources = st.sampled_from(SOURCES)
numbers = st.integers(0, 9)
changes = st.one_of(
    st.tuples(st.just("insert"), numbers, costs, sources, budgets),
    st.tuples(st.just("update"), numbers, costs, sources),
    st.tuples(st.just("delete"), numbers),
)


def reserve(database: sqlite3.Connection, token: str, held: int = 0) -> None:
    database.execute(
        "INSERT OR IGNORE INTO usage_reservations (token, counter, amount_pico, held_pico, lease_until) "
        "VALUES (?, 'day', 5, ?, 1000)",
        (token, held),
    )


def apply(database: sqlite3.Connection, change: tuple[object, ...]) -> None:
    match change:
        case ("insert", number, cost, source, keys):
            if database.execute("SELECT 1 FROM usage_tracking WHERE id = ?", (number,)).fetchone():
                return
            reserve(database, f"t{number}")
            database.execute(
                "INSERT INTO usage_tracking "
                "(id, agent_name, total_tokens, cost, timestamp, cost_source, reservation, budgets) "
                "VALUES (?, 'Ann', 0, ?, 0, ?, ?, ?)",
                (number, cost, source, f"t{number}", None if keys is None else json.dumps(keys, ensure_ascii=False)),
            )
        case ("update", number, cost, source):
            database.execute("UPDATE usage_tracking SET cost = ?, cost_source = ? WHERE id = ?", (cost, source, number))
        case ("delete", number):
            database.execute("DELETE FROM usage_tracking WHERE id = ?", (number,))


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        migrate(database)
        for key in KEYS:
            database.execute(
                "INSERT INTO usage_budgets (key, budget, bucket, spent_pico, warned, kept_until) "
                "VALUES (?, 'b', '', 0, 0, 0)",
                (key,),
            )
        yield database


@contextmanager
def undone(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("ROLLBACK")


@given(made=st.lists(changes, max_size=30))
@settings(max_examples=60, deadline=None)
def test_counters_and_reservations_follow_the_rows(
    database: sqlite3.Connection, made: list[tuple[object, ...]]
) -> None:
    with undone(database):
        for change in made:
            apply(database, change)
        counted = dict(database.execute("SELECT key, spent_pico FROM usage_budgets"))
        summed = dict.fromkeys(KEYS, 0)
        settled = set()
        query = "SELECT cost_pico, cost_source, reservation, budgets FROM usage_tracking"
        for pico, source, token, keys in database.execute(query):
            for key in json.loads(keys or "[]"):
                summed[key] += pico
            if keys is not None and source != "pending":
                settled.add(token)
        assert counted == summed
        assert not settled & {token for (token,) in database.execute("SELECT token FROM usage_reservations")}


def test_a_column_that_another_program_filled_with_something_else_holds_up_no_row(database: sqlite3.Connection) -> None:
    with undone(database):
        database.execute(
            "INSERT INTO usage_tracking (agent_name, total_tokens, cost, timestamp, budgets) "
            "VALUES ('Ann', 0, 0.5, 0, 'no JSON')"
        )
        assert database.execute("SELECT cost_pico FROM usage_tracking").fetchone() == (5 * 10**11,)


@pytest.mark.parametrize(
    ("status", "source", "left"),
    [
        ("aborted", "pending", (3, 1, 5000.0)),
        ("aborted", "unknown", (3, 1, 5000.0)),
        ("done", "unknown", (3, 1, 5000.0)),
        ("error", "pending", (3, 1, 5000.0)),
        ("error", "unknown", None),
        ("lost", "pending", (5, 0, 1000.0)),
        ("lost", "unknown", None),
        ("aborted", "billed", None),
        ("refused", "none", None),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_a_call_has_set_aside_is_held_while_it_has_ended_and_its_cost_is_not_known(
    database: sqlite3.Connection, status: str, source: str, left: tuple[int, int, float] | None, is_new: bool
) -> None:
    with undone(database):
        database.execute("UPDATE usage_budgets SET kept_until = 5000")
        reserve(database, "t1", held=3)
        made = ("aborted", "pending") if (status, source) == ("lost", "unknown") else ("running", "pending")
        first = (status, source) if is_new else made
        write_call(database, *first)
        if not is_new:
            database.execute("UPDATE usage_tracking SET status = ?, cost_source = ?", (status, source))
        query = "SELECT amount_pico, is_held, lease_until FROM usage_reservations"
        assert database.execute(query).fetchone() == left


def test_what_is_held_is_free_once_the_cost_is_known(database: sqlite3.Connection) -> None:
    with undone(database):
        reserve(database, "t1", held=3)
        write_call(database, "aborted", "pending")
        database.execute("UPDATE usage_tracking SET cost = 0.5, cost_source = 'billed'")
        assert database.execute("SELECT * FROM usage_reservations").fetchall() == []
        assert database.execute("SELECT spent_pico FROM usage_budgets WHERE key = 'day'").fetchone() == (5 * 10**11,)


def test_a_call_whose_price_nobody_knew_holds_nothing(database: sqlite3.Connection) -> None:
    with undone(database):
        reserve(database, "t1", held=0)
        write_call(database, "aborted", "unknown")
        assert database.execute("SELECT * FROM usage_reservations").fetchall() == []


def write_call(database: sqlite3.Connection, status: str, source: str) -> None:
    database.execute(
        "INSERT INTO usage_tracking "
        "(agent_name, total_tokens, cost, timestamp, status, cost_source, reservation, budgets) "
        "VALUES ('Ann', 0, 0, 0, ?, ?, 't1', '[\"day\"]')",
        (status, source),
    )


def test_a_cost_that_is_no_amount_of_money_is_not_counted(database: sqlite3.Connection) -> None:
    with undone(database):
        apply(database, ("insert", 1, 0.5, "billed", ["day"]))
        apply(database, ("insert", 2, 1e7, "billed", ["day"]))
        for odd in (math.inf, "a lot", 1e7):
            apply(database, ("update", 2, odd, "billed"))
            assert spent(database) == 5 * 10**11
        apply(database, ("update", 2, 0.25, "billed"))
        assert spent(database) == 75 * 10**10
        apply(database, ("update", 2, 1e7, "billed"))
        apply(database, ("delete", 2))
        assert spent(database) == 5 * 10**11


def spent(database: sqlite3.Connection) -> object:
    return database.execute("SELECT spent_pico FROM usage_budgets WHERE key = 'day'").fetchone()[0]
