"""Counters and reservations in the ledger's file, for several threads and processes at once."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from fondation.calls import ModelCall, Reservation, RunInfo
from fondation.stores import BudgetStore, UsageStore, open_budgets, open_store
from fondation.stores.base import Outcome
from fondation.stores.budgets import BudgetStoreError, Claim, Column, Counter, Crossing, Decision, Scope
from fondation.stores.sqlite.budget_tables import BudgetTables

from ..conftest import NewCall
from .test_store import eventually

DOLLAR = 10**12
CENT = DOLLAR // 100


@pytest.fixture
def budgets(store: UsageStore, path: Path) -> Iterator[BudgetStore]:
    with closing(open_budgets(path)) as budgets:
        yield budgets


@pytest.fixture
def read(path: Path) -> Callable[..., list[Any]]:
    def read(query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query, values).fetchall()

    return read


def counter(key: str = "day", starts: float | None = None, **matches: str) -> Counter:
    columns: dict[Column, tuple[str | None, ...]] = {name: (value,) for name, value in matches.items()}  # type: ignore[misc]
    return Counter(key, key, "", Scope(columns, starts), kept_for=86_400)


def claim(amount: int, limit: int | None = 10 * CENT, key: str = "day", **more: Any) -> Claim:
    return Claim(counter(key), amount, more.pop("least", amount), limit, **more)


async def reserve(budgets: BudgetStore, token: str, *claims: Claim, lease: float = 60, patience: float = 0) -> Decision:
    async with asyncio.timeout(5):
        return await budgets.reserve(token, claims, lease, patience)


def ended(call: ModelCall, cost: float | None = 0.01, source: Any = "billed") -> ModelCall:
    call.status, call.cost, call.cost_source, call.ended = "done", cost, source, call.started + 1
    return call


@pytest.fixture
def send(store: UsageStore, new_call: NewCall, run: RunInfo) -> Callable[..., ModelCall]:
    """Begins a call, with what is set aside for it."""

    def send(token: str, *keys: str, **fields: Any) -> ModelCall:
        call = new_call(reservation=Reservation(token, keys or ("day",)), **fields)
        store.begin(call, run)
        return call

    return send


async def standing(budgets: BudgetStore, key: str = "day") -> tuple[int, int]:
    """What is spent and reserved, as the next who asks is told."""
    told = await reserve(budgets, "probe", claim(10**18, limit=10**9 * DOLLAR, key=key, least=10**18))
    budgets.release("probe")
    return told.standings[key].spent, told.standings[key].reserved


async def until(budgets: BudgetStore, expected: tuple[int, int], key: str = "day") -> None:
    async with asyncio.timeout(5):
        while (found := await standing(budgets, key)) != expected:
            assert sum(found) <= 10**18
            await asyncio.sleep(0.01)


async def test_money_is_set_aside_until_there_is_none(budgets: BudgetStore) -> None:
    told = [await reserve(budgets, f"t{number}", claim(4 * CENT)) for number in range(3)]
    assert [decision.granted for decision in told] == [{"day": 4 * CENT}, {"day": 4 * CENT}, {}]
    assert told[2].refused == ("day",)
    assert told[2].standings["day"][:2] == (0, 8 * CENT)


async def test_many_at_once_get_no_more_than_there_is(budgets: BudgetStore) -> None:
    told = await asyncio.gather(*(reserve(budgets, f"t{number}", claim(CENT)) for number in range(50)))
    assert sum(bool(decision.granted) for decision in told) == 10


async def test_what_is_freed_goes_to_whoever_waits(budgets: BudgetStore) -> None:
    await reserve(budgets, "first", claim(8 * CENT))
    waiting = asyncio.create_task(reserve(budgets, "second", claim(8 * CENT), patience=30))
    await reserve(budgets, "third", claim(CENT))  # the second was looked at before
    assert not waiting.done()
    budgets.release("third")
    budgets.release("first")
    assert (await waiting).granted == {"day": 8 * CENT}


async def test_waiting_ends(budgets: BudgetStore) -> None:
    await reserve(budgets, "first", claim(8 * CENT))
    began = time.monotonic()
    assert (await reserve(budgets, "second", claim(8 * CENT), patience=0.1)).refused == ("day",)
    assert time.monotonic() - began >= 0.1


async def test_what_nobody_can_free_is_not_waited_for(
    budgets: BudgetStore, store: UsageStore, send: Callable[..., ModelCall]
) -> None:
    await reserve(budgets, "first", claim(CENT))
    store.settle(ended(send("first"), 0.01))
    await until(budgets, (CENT, 0))
    told = await reserve(budgets, "t", claim(10 * CENT), patience=1_000)
    assert told.refused == ("day",)


async def test_all_claims_are_granted_or_none(budgets: BudgetStore) -> None:
    await reserve(budgets, "first", claim(8 * CENT, key="a"))
    told = await reserve(budgets, "t", claim(8 * CENT, key="a"), claim(8 * CENT, key="b"))
    assert (told.granted, told.refused) == ({}, ("a",))
    assert await standing(budgets, "b") == (0, 0)


async def test_whoever_is_cancelled_holds_nothing(budgets: BudgetStore) -> None:
    await reserve(budgets, "first", claim(8 * CENT))
    waiting = asyncio.create_task(budgets.reserve("second", [claim(8 * CENT)], 60, 1_000))
    await reserve(budgets, "third", claim(CENT))
    waiting.cancel()
    await asyncio.wait({waiting})
    budgets.release("first")
    budgets.release("third")
    assert await standing(budgets) == (0, 0)


async def test_a_lapsed_lease_holds_nothing(budgets: BudgetStore, read: Callable[..., Any]) -> None:
    await reserve(budgets, "first", claim(8 * CENT), lease=-1)
    assert (await reserve(budgets, "second", claim(8 * CENT))).granted
    await budgets.tidy()
    assert read("SELECT token FROM usage_reservations") == [("second",)]


async def test_a_settled_row_is_spent_and_frees_its_reservation(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall]
) -> None:
    await reserve(budgets, "t", claim(8 * CENT, key="day"), claim(8 * CENT, key="user"))
    call = send("t", "day", "user")
    store.settle(ended(call, 0.03))
    await until(budgets, (3 * CENT, 0))
    assert await standing(budgets, "user") == (3 * CENT, 0)


async def test_a_running_row_keeps_its_reservation(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall], read: Callable[..., Any]
) -> None:
    await reserve(budgets, "t", claim(8 * CENT))
    call = send("t")
    call.generation_id = "gen-1"
    store.note(call)
    await eventually(lambda: read("SELECT * FROM usage_tracking WHERE generation_id = 'gen-1'"))
    assert await standing(budgets) == (0, 8 * CENT)


async def test_a_cost_that_is_asked_for_later_keeps_its_reservation_until_then(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall], read: Callable[..., Any]
) -> None:
    await reserve(budgets, "t", claim(8 * CENT))
    store.settle(ended(send("t", generation_id="gen-1"), None, "pending"))
    await eventually(lambda: read("SELECT 1 FROM usage_tracking WHERE status = 'done'"))
    found = (await store.unsettled(1)).calls
    assert await standing(budgets) == (0, 8 * CENT)
    found[0].call.cost, found[0].call.cost_source = 0.05, "billed"
    await store.conclude([Outcome(found[0])])
    assert await standing(budgets) == (5 * CENT, 0)


async def test_an_unknown_cost_frees_its_reservation(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall]
) -> None:
    await reserve(budgets, "t", claim(8 * CENT))
    store.settle(ended(send("t"), None, "unknown"))
    await until(budgets, (0, 0))


async def test_a_withdrawn_row_takes_back_what_it_held(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall], read: Callable[..., Any]
) -> None:
    await reserve(budgets, "t", claim(8 * CENT))
    call = send("t")
    await eventually(lambda: read("SELECT 1 FROM usage_tracking"))
    store.withdraw(call)
    await until(budgets, (0, 0))


async def test_rows_that_waited_for_the_database_are_counted(
    store: UsageStore, budgets: BudgetStore, send: Callable[..., ModelCall], path: Path
) -> None:
    await reserve(budgets, "t", claim(8 * CENT))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        call = send("t")
        store.settle(ended(call, 0.03))
        await eventually(lambda: list(path.parent.glob("*-spool-*.jsonl")))
        other.execute("ROLLBACK")
    await until(budgets, (3 * CENT, 0))


async def test_rows_without_budgets_change_nothing(
    store: UsageStore, budgets: BudgetStore, new_call: NewCall, run: RunInfo, read: Callable[..., Any]
) -> None:
    assert await standing(budgets) == (0, 0)
    call = new_call()
    store.begin(call, run)
    store.settle(ended(call))
    await eventually(lambda: read("SELECT 1 FROM usage_tracking WHERE status = 'done'"))
    assert await standing(budgets) == (0, 0)


async def test_a_counter_begins_with_what_its_rows_cost_already(path: Path, new_call: NewCall, run: RunInfo) -> None:
    store = open_store(path)
    for agent, begun, cost in (("A", 100, 0.01), ("A", 200, 0.02), ("B", 200, 0.04), ("A", 300, 0.08)):
        call = new_call(agent=agent, started_at=begun)
        store.begin(call, run)
        store.settle(ended(call, cost))
    store.close()
    with closing(open_budgets(path)) as budgets:
        scopes = {
            "all": Scope(),
            "of A": Scope({"agent_name": ("A",)}),
            "since 200": Scope(starts=200),
            "until 200": Scope(ends=200),
            "of nobody": Scope({"user_id": (None,)}),
            "of all users": Scope({"user_id": ("ada", None)}),
        }
        counters = [Counter(key, "b", "", scope, 60) for key, scope in scopes.items()]
        told = await reserve(budgets, "t", *(Claim(each, 0, 0, DOLLAR) for each in counters))
    spent = {key: standing.spent // CENT for key, standing in told.standings.items()}
    assert spent == {"all": 15, "of A": 11, "since 200": 14, "until 200": 1, "of nobody": 0, "of all users": 15}


async def test_rows_of_programs_that_know_no_budgets_are_found_later(
    budgets: BudgetStore, path: Path, read: Callable[..., Any]
) -> None:
    assert await standing(budgets) == (0, 0)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "INSERT INTO usage_tracking (agent_name, total_tokens, cost, timestamp) VALUES ('Ann', 5, 0.02, 1795000000)"
        )
    await budgets.tidy()
    assert await standing(budgets) == (2 * CENT, 0)
    await budgets.tidy()
    assert await standing(budgets) == (2 * CENT, 0)


async def test_two_that_compare_at_once_correct_once(path: Path, budgets: BudgetStore) -> None:
    class Interrupted(BudgetTables):
        """Between its look and its correction another one looks and corrects."""

        @contextmanager
        def transaction(self, kind: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE") -> Iterator[None]:
            with super().transaction(kind):
                yield
            with closing(BudgetTables(path)) as other:
                other.check(counter())

    assert await standing(budgets) == (0, 0)
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("UPDATE usage_budgets SET spent_pico = -7")
    with closing(Interrupted(path)) as tables:
        tables.check(counter())
    assert await standing(budgets) == (0, 0)


async def test_one_warning_a_counter(budgets: BudgetStore, store: UsageStore, send: Callable[..., ModelCall]) -> None:
    await reserve(budgets, "t", claim(CENT))
    store.settle(ended(send("t"), 0.05))
    await until(budgets, (5 * CENT, 0))
    warned = [await reserve(budgets, f"t{number}", claim(CENT, warn_at=5 * CENT)) for number in range(2)]
    assert [decision.crossed for decision in warned] == [("day",), ()]
    assert warned[1].standings["day"].warned
    assert await budgets.warn([Crossing("day", CENT, {})]) == {}


async def test_who_warns_first_is_the_only_one(budgets: BudgetStore, path: Path) -> None:
    await reserve(budgets, "t", claim(CENT))
    day = Crossing("day", CENT, {"t": CENT})
    with closing(open_budgets(path)) as other:
        won = await asyncio.gather(budgets.warn([day, day._replace(key="no such")]), other.warn([day]))
    assert sorted(map(list, won)) == [[], ["day"]]


async def test_calls_that_ended_count_for_a_warning_before_their_rows_are_written_and_once_after(
    budgets: BudgetStore, store: UsageStore, send: Callable[..., ModelCall]
) -> None:
    await reserve(budgets, "a", claim(3 * CENT))
    await reserve(budgets, "b", claim(3 * CENT))
    costs = {"a": 2 * CENT, "b": 2 * CENT, "gone": 5 * CENT}
    assert await budgets.warn([Crossing("day", 4 * CENT + 1, costs)]) == {}
    store.settle(ended(send("a"), 0.02))
    await until(budgets, (2 * CENT, 3 * CENT))
    assert await budgets.warn([Crossing("day", 4 * CENT + 1, costs)]) == {}
    assert await budgets.warn([Crossing("day", 4 * CENT, costs)]) == {"day": 4 * CENT}


async def test_the_newest_costs_of_an_agent_and_model_are_told(
    budgets: BudgetStore, store: UsageStore, new_call: NewCall, run: RunInfo, read: Callable[..., Any]
) -> None:
    kinds: list[dict[str, Any]] = [{}] * 4 + [{"agent": "Other"}, {"requested_model": "acme/two"}, {"purpose": "title"}]
    for number, kind in enumerate(kinds):
        call = new_call(started_at=1_000 + number, **kind)
        store.begin(call, run)
        store.settle(ended(call, (number + 1) / 100))
    for source in ("none", "unknown", "simulated"):
        call = new_call(started_at=2_000)
        store.begin(call, run)
        store.settle(ended(call, 0.0, source))
    await eventually(lambda: len(read("SELECT 1 FROM usage_tracking WHERE status = 'done'")) == 10)
    assert await budgets.costs("Billing", "acme/one", "answer", 3) == [2 * CENT, 3 * CENT, 4 * CENT]
    assert await budgets.costs("Billing", "acme/one", "title", 3) == [7 * CENT]


async def test_counters_that_are_over_are_forgotten(budgets: BudgetStore, read: Callable[..., Any]) -> None:
    for key, ends in (("over", 1_000.0), ("on", time.time() + 60)):
        each = Counter(key, "b", "", Scope(ends=ends), kept_for=60)
        await reserve(budgets, key, Claim(each, 1, 1, CENT))
    budgets.release("over")
    await standing(budgets)
    await budgets.tidy()
    assert sorted(read("SELECT key FROM usage_budgets")) == [("day",), ("on",)]


async def test_a_database_that_is_locked_or_gone_is_told_at_once(
    budgets: BudgetStore, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await standing(budgets) == (0, 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(BudgetStoreError, match="locked"):
                await reserve(budgets, "t", claim(CENT), patience=1_000)
        other.execute("ROLLBACK")
    async with asyncio.timeout(5):
        while True:
            try:
                assert await standing(budgets) == (0, 0)
                break
            except BudgetStoreError:
                await asyncio.sleep(0.01)
    told = "budgets cannot be counted", "budgets are counted"
    await eventually(lambda: told[1] in caplog.text)
    assert [caplog.text.count(each) for each in told] == [1, 1]


async def test_a_removed_file_is_opened_anew_once_it_is_there(
    budgets: BudgetStore, store: UsageStore, path: Path, new_call: NewCall, run: RunInfo
) -> None:
    await reserve(budgets, "t", claim(CENT))
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    with pytest.raises(BudgetStoreError):
        await reserve(budgets, "u", claim(CENT))
    await store.begin(new_call(), run)  # the ledger makes it anew
    async with asyncio.timeout(5):
        while True:
            try:
                assert await standing(budgets) == (0, 0)
                return
            except BudgetStoreError:
                await asyncio.sleep(0.01)


async def test_processes_share_what_there_is(store: UsageStore, budgets: BudgetStore, path: Path) -> None:
    """Two others and this one ask for a cent, 30 times each, of 40."""
    code = """
import asyncio, sys
from pathlib import Path
from fondation.stores import open_budgets
from fondation.stores.budgets import Claim, Counter, Scope

async def ask(budgets, number):
    told = await budgets.reserve(f"{sys.argv[2]}-{number}", [claim], 60, 0)
    return bool(told.granted)

async def main():
    budgets = open_budgets(Path(sys.argv[1]))
    print(sum(await asyncio.gather(*(ask(budgets, number) for number in range(30)))))
    budgets.close()

claim = Claim(Counter("day", "day", "", Scope(), 86_400), 10**10, 10**10, 40 * 10**10)
asyncio.run(main())
"""
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(path), name, stdout=PIPE) for name in "ab"
    ]
    mine = [await reserve(budgets, f"c-{number}", claim(CENT, limit=40 * CENT)) for number in range(30)]
    granted = sum(bool(decision.granted) for decision in mine)
    async with asyncio.timeout(30):
        granted += sum([int((await other.communicate())[0]) for other in others])
    assert granted == 40


async def test_what_was_spent_without_the_budget_counts_from_the_next_start(
    path: Path, store: UsageStore, send: Callable[..., ModelCall], new_call: NewCall, run: RunInfo
) -> None:
    """By a process whose file lacked it, or by another program: their rows name no counter."""
    with closing(open_budgets(path)) as first:
        await reserve(first, "one", claim(CENT))
        store.settle(ended(send("one"), 0.01))
        await eventually(lambda: read_pico(path) == CENT)
        assert await standing(first) == (CENT, 0)
    call = new_call()
    store.begin(call, run)
    store.settle(ended(call, 0.05))
    await eventually(lambda: read_pico(path) == 6 * CENT)
    with closing(open_budgets(path)) as second:
        assert await standing(second) == (6 * CENT, 0)


def read_pico(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        total: int = connection.execute("SELECT COALESCE(SUM(cost_pico), 0) FROM usage_tracking").fetchone()[0]
    return total


async def test_what_is_held_leaves_no_room_and_is_not_waited_for(
    budgets: BudgetStore, store: UsageStore, send: Callable[..., ModelCall], read: Callable[..., list[Any]]
) -> None:
    await reserve(budgets, "broken off", claim(6 * CENT, held=4 * CENT))
    call = ended(send("broken off"), None, "unknown")
    call.status = "aborted"
    store.settle(call)
    await eventually(lambda: read("SELECT is_held FROM usage_reservations") == [(1,)])
    decision = await reserve(budgets, "next", claim(7 * CENT), patience=60)
    assert decision.refused == ("day",)
    told = decision.standings["day"]
    assert (told.spent, told.reserved, told.held) == (0, 0, 4 * CENT)
    assert (await reserve(budgets, "less", claim(6 * CENT))).granted == {"day": 6 * CENT}


async def test_a_row_that_another_program_got_wrong_breaks_no_counter(
    budgets: BudgetStore, store: UsageStore, path: Path
) -> None:
    odd = [(1e7, 0), (1e7, 0), ("a lot", 0), (0.5, "2026-11-22"), (0.25, 0)]
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.executemany(
            "INSERT INTO usage_tracking (agent_name, requested_model, total_tokens, cost, timestamp, cost_source) "
            "VALUES ('Ann', 'm', 0, ?, ?, 'billed')",
            odd,
        )
    assert await standing(budgets) == (25 * CENT, 0)
    with closing(BudgetTables(path)) as tables:
        assert tables.costs("Ann", "m", "answer", 20) == [25 * CENT, 50 * CENT]


async def test_what_a_call_has_cost_leaves_no_room_before_its_row_is_written(budgets: BudgetStore) -> None:
    await reserve(budgets, "first", claim(CENT))
    budgets.amend("first", 10 * CENT)
    decision = await reserve(budgets, "second", claim(CENT))
    assert decision.refused == ("day",)
    assert decision.standings["day"].reserved == 10 * CENT
