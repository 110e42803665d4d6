from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fondation.budgets import Budget
from fondation.budgets.formats import COLUMNS, as_csv, as_json
from fondation.budgets.reports import Amounts, Bucket, Others, Spending, spendings
from fondation.budgets.table import table
from fondation.stores import open_budgets, open_store
from fondation.stores.budgets import Claim
from fondation.usage.reading import open_to_read
from tests.usage.conftest import MONDAY, insert

from .desk import ALL_MONTH, BUDGETS, CENT, DOLLAR, EACH_RUN, EACH_USER, NOW, OF_SUPPORT, PARIS, fill_desk, set_aside

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fondation.db"


@pytest.fixture
def desk(path: Path) -> Path:
    fill_desk(path)
    return path


def read(path: Path, *budgets: Budget, top: int = 20, now: float = NOW) -> Sequence[Spending]:
    with closing(open_to_read(path)) as connection:
        return spendings(connection, budgets, now, top)


def spent(spending: Spending) -> dict[str | None, int]:
    return {bucket.name: bucket.amounts.spent for bucket in spending.buckets}


def text(found: Sequence[Spending]) -> str:
    return "".join(f"{line}\n" for line in table(found, NOW, PARIS))


GOLDENS: dict[str, Callable[[Path], str]] = {
    "budgets.txt": lambda path: text(read(path, *BUDGETS)),
    "budgets.json": lambda path: as_json(read(path, *BUDGETS), NOW, PARIS),
    "budgets.csv": lambda path: as_csv(read(path, *BUDGETS)),
    "budgets-top.txt": lambda path: text(read(path, *BUDGETS, top=1)),
    "budgets-top.json": lambda path: as_json(read(path, *BUDGETS, top=1), NOW, PARIS),
    "budgets-top.csv": lambda path: as_csv(read(path, *BUDGETS, top=1)),
    "nothing-spent.txt": lambda _: text(spendings(None, BUDGETS, NOW, 20)),
    "nothing-spent.json": lambda _: as_json(spendings(None, BUDGETS, NOW, 20), NOW, PARIS),
    "nothing-spent.csv": lambda _: as_csv(spendings(None, BUDGETS, NOW, 20)),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_budgets_look_as_agreed(desk: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "37")  # a table that goes into a file does not care
    assert GOLDENS[name](desk) == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_buckets_of_the_present_period_come_from_the_rows(desk: Path) -> None:
    (users,) = read(desk, EACH_USER)
    assert spent(users) == {"ada": 4_250_012_500_000, "=1+1": 2 * CENT, "anonymous": 2 * CENT, "bob": 0}
    assert users.period is not None
    assert (users.period.starts, users.period.ends) == (MONDAY - 3_600, MONDAY + 82_800)


def test_another_moment_is_of_another_period(desk: Path) -> None:
    (yesterday,) = read(desk, EACH_USER, now=MONDAY - 3_601)
    assert spent(yesterday) == {"ada": 35 * DOLLAR // 10}


def test_a_budget_that_never_begins_anew_counts_all(desk: Path) -> None:
    (runs,) = read(desk, EACH_RUN)
    assert (runs.period, spent(runs)["run_0"]) == (None, 35 * DOLLAR // 10)


def test_only_the_rows_that_a_budget_counts_are_in_it(desk: Path) -> None:
    insert(desk, {"agent_name": "Support", "cost": 0.5, "timestamp": NOW}, {"agent_name": "Support", "cost": 0.25})
    (support,) = read(desk, OF_SUPPORT)
    assert spent(support) == {"Support": 75 * CENT}


def test_calls_of_unknown_and_pending_cost_are_told_apart_and_simulated_ones_not_at_all(desk: Path) -> None:
    (everyone,) = read(desk, replace(ALL_MONTH, every="day"))
    assert everyone.total == Amounts(spent=4_290_012_500_000, calls=7, unknown_cost_calls=1, pending_cost_calls=1)
    assert [bucket.name for bucket in everyone.buckets] == [None]


def test_a_row_of_another_program_that_costs_nothing_may_cost_anything(desk: Path) -> None:
    insert(desk, {"user_id": "dan", "cost_source": None, "timestamp": NOW}, {"user_id": "dan", "timestamp": NOW})
    insert(desk, {"user_id": "dan", "cost_source": None, "timestamp": NOW, "cost": 0.5})
    (users,) = read(desk, EACH_USER)
    assert next(bucket.amounts for bucket in users.buckets if bucket.name == "dan") == Amounts(50 * CENT, 0, 3, 1)


def test_the_others_and_those_that_are_shown_are_the_total(desk: Path) -> None:
    (users,) = read(desk, EACH_USER, top=2)
    assert list(spent(users)) == ["ada", "bob"]  # what is set aside counts too
    assert users.others == Others(2, Amounts(spent=4 * CENT, calls=4, pending_cost_calls=1))
    shown = users.buckets[0].amounts.plus(users.buckets[1].amounts)
    assert users.total == shown.plus(users.others.amounts)


def test_all_buckets_that_fit_are_shown_without_others(desk: Path) -> None:
    (users,) = read(desk, EACH_USER, top=4)
    assert (len(users.buckets), users.others) == (4, None)


def test_the_newest_of_equals_come_first(path: Path) -> None:
    open_store(path).close()
    insert(path, *({"run_id": f"run_{age}", "cost": 0.01, "timestamp": NOW - age} for age in (50, 10, 30)))
    (runs,) = read(path, EACH_RUN, top=2)
    assert list(spent(runs)) == ["run_10", "run_30"]


def test_what_is_left_is_never_below_zero(path: Path) -> None:
    open_store(path).close()
    insert(path, {"run_id": "run_1", "cost": 0.3, "timestamp": NOW})
    (runs,) = read(path, EACH_RUN)
    assert runs.left(runs.buckets[0].amounts) == 0
    assert runs.left(Amounts(spent=10 * CENT, reserved=5 * CENT)) == 10 * CENT


def test_money_that_is_set_aside_is_reserved_until_its_lease_ends(desk: Path) -> None:
    set_aside(desk, EACH_USER, "ada", 20 * CENT, until=NOW + 1)
    set_aside(desk, EACH_USER, "ada", DOLLAR, until=NOW)
    set_aside(desk, replace(EACH_USER, name="each-user2"), "ada", DOLLAR)
    (users,) = read(desk, EACH_USER)
    assert {bucket.name: bucket.amounts.reserved for bucket in users.buckets if bucket.amounts.reserved} == {
        "ada": 50 * CENT,
        "bob": 10 * CENT,
    }


async def test_money_that_a_store_sets_aside_is_found_in_its_bucket(path: Path) -> None:
    open_store(path).close()
    everyone = replace(ALL_MONTH, every=None)
    counters = [everyone.counter(NOW, ""), EACH_USER.counter(NOW, "ada b")]
    with closing(open_budgets(path)) as store:
        await store.reserve("call", [Claim(counter, CENT, CENT, DOLLAR) for counter in counters], 1e12, 0)
        for spending, name in zip(read(path, everyone, EACH_USER), (None, "ada b"), strict=True):
            assert spending.buckets == [Bucket(name, Amounts(reserved=CENT))]


def test_a_ledger_of_an_older_program_has_nothing_set_aside(desk: Path) -> None:
    with closing(sqlite3.connect(desk)) as connection, connection:
        connection.execute("DROP TABLE usage_reservations")
    (users,) = read(desk, EACH_USER)
    assert users.total.reserved == 0


def test_without_a_ledger_every_budget_is_shown_with_nothing_spent() -> None:
    users, everyone, *_ = spendings(None, BUDGETS, NOW, 20)
    assert (users.buckets, users.total, users.others) == ([], Amounts(), None)
    assert everyone.buckets == [Bucket(None, Amounts())]


def test_rows_without_a_name_are_a_bucket_of_their_own(path: Path) -> None:
    open_store(path).close()
    insert(path, {"cost": 0.5, "timestamp": NOW}, {"cost": 0.25, "timestamp": NOW, "run_id": "run_1"})
    found = read(path, EACH_RUN)
    assert spent(found[0]) == {None: 50 * CENT, "run_1": 25 * CENT}
    assert "run (none)" in text(found)


@pytest.mark.parametrize(
    ("unknown", "pending", "sentence"),
    [
        (1, 0, "each-run: 1 call of unknown cost is not in what is spent."),
        (0, 2, "each-run: 2 calls of pending cost are not in what is spent."),
        (3, 1, "each-run: 3 calls of unknown cost and 1 call of pending cost are not in what is spent."),
    ],
)
def test_what_is_not_in_the_figures_is_said(unknown: int, pending: int, sentence: str) -> None:
    amounts = Amounts(calls=9, unknown_cost_calls=unknown, pending_cost_calls=pending)
    lines = text([Spending(EACH_RUN, None, [Bucket("run_1", amounts)], None, amounts)]).splitlines()
    assert lines[-2:] == ["", sentence]
    assert ("Unknown" in lines[2], "Pending" in lines[2]) == (unknown > 0, pending > 0)


def test_a_name_cannot_paint_on_the_terminal_nor_run_in_a_spreadsheet() -> None:
    found = [Spending(EACH_RUN, None, [Bucket("=1\x1b[2J", Amounts())], None, Amounts())]
    assert "\x1b" not in text(found)
    assert "'=1" in as_csv(found)


def test_a_row_of_csv_has_every_column(desk: Path) -> None:
    head, *lines = as_csv(read(desk, *BUDGETS, top=1)).splitlines()
    assert head == ",".join(COLUMNS)
    assert {line.count(",") for line in lines} == {len(COLUMNS) - 1}


def test_json_is_of_exact_money(desk: Path) -> None:
    report: dict[str, Any] = json.loads(as_json(read(desk, EACH_USER), NOW, PARIS))
    ada = report["budgets"][0]["buckets"][0]
    assert (ada["spent"], ada["reserved"], ada["left"]) == (4.2500125, 0.3, 0.4499875)


def test_a_row_that_another_program_got_wrong_is_of_unknown_cost_or_left_out(desk: Path) -> None:
    before = read(desk, ALL_MONTH)[0].total
    odd = {"cost": 1e7, "timestamp": int(NOW)}
    insert(desk, odd, odd, {**odd, "cost_source": None}, {"cost": 0.5, "timestamp": "2026-11-22T10:00:00Z"})
    after = read(desk, ALL_MONTH)[0].total.minus(before)
    assert after == Amounts(calls=3, unknown_cost_calls=3)
    assert len(read(desk, ALL_MONTH, EACH_USER)) == 2
