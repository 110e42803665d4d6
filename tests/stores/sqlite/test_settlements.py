from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fondation.calls import RunInfo, TokenUsage
from fondation.stores.base import Outcome, UnsettledCall
from fondation.stores.rows import row_of
from fondation.stores.sqlite import ledger as ledger_module
from fondation.stores.sqlite import settlements as settlements_module
from fondation.stores.sqlite.ledger import Entry, Ledger
from fondation.stores.sqlite.settlements import CLAIM_SECONDS, Settlements
from fondation.stores.sqlite.transactions import transaction

from ..conftest import NewCall, Rows

Put: TypeAlias = Callable[..., None]

TAKE_OVER = (ledger_module._STRANGERS, ledger_module._TAKE_OVER)


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path, "me")) as ledger:
        yield ledger


@pytest.fixture
def settlements(path: Path) -> Settlements:
    return Settlements(path, "me")


@pytest.fixture
def put(ledger: Ledger, new_call: NewCall, run: RunInfo) -> Put:
    """Puts the row of a call that has ended, and whose cost is pending."""

    def put(owner: str = "me", **fields: Any) -> None:
        call = new_call(**{"status": "aborted", "generation_id": "gen-1", **fields})
        ledger.save({Entry(1): row_of(call, run, owner)})

    return put


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, as a number to set."""
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def ids(calls: tuple[UnsettledCall, ...]) -> list[str | None]:
    return [unsettled.call.generation_id for unsettled in calls]


def bill(unsettled: UnsettledCall, **usage: Any) -> Outcome:
    call = unsettled.call
    call.usage = TokenUsage(**usage)
    call.cost, call.cost_source, call.model = 0.25, "billed", "acme/one-2026"
    return Outcome(unsettled)


def test_without_pending_calls_there_is_nothing_to_do(settlements: Settlements, put: Put) -> None:
    put(cost_source="billed")
    put(status="running")
    assert settlements.claim(10) == ((), None)


def test_a_pending_call_is_claimed_with_all_that_its_row_tells(settlements: Settlements, put: Put) -> None:
    put()
    (unsettled,), _ = settlements.claim(10)
    assert (unsettled.row_id, unsettled.call.generation_id, unsettled.tries) == (1, "gen-1", 1)
    assert unsettled.since == pytest.approx(time.time(), abs=2)
    calls, next_in = settlements.claim(10)
    assert calls == ()
    assert next_in == pytest.approx(CLAIM_SECONDS, abs=2)


def test_what_is_claimed_is_nobody_elses_for_a_while(
    settlements: Settlements, put: Put, path: Path, clock: list[float]
) -> None:
    put("gone")
    assert len(settlements.claim(10).calls) == 1
    other = Settlements(path, "other")
    calls, next_in = other.claim(10)
    assert not calls
    assert next_in == pytest.approx(CLAIM_SECONDS, abs=0.1)
    clock[0] += CLAIM_SECONDS
    (again,), _ = other.claim(10)
    assert again.tries == 2
    assert again.since == pytest.approx(clock[0] - CLAIM_SECONDS, abs=0.1)


def test_the_calls_of_a_living_neighbour_are_left_alone(settlements: Settlements, put: Put, path: Path) -> None:
    with closing(Ledger(path, "neighbour")) as neighbour:
        neighbour.renew_lease()
        put("neighbour")
        assert settlements.claim(10) == ((), None)
        assert len(Settlements(path, "neighbour").claim(10).calls) == 1


def test_the_calls_of_a_neighbour_that_ended_are_taken_over(
    settlements: Settlements, put: Put, path: Path, clock: list[float]
) -> None:
    neighbour = Ledger(path, "neighbour")
    neighbour.renew_lease()
    put("neighbour", generation_id="gen-1")
    neighbour.close()
    assert ids(settlements.claim(10).calls) == ["gen-1"]
    with closing(Ledger(path, "silent")) as silent:
        silent.renew_lease()
        put("silent", generation_id="gen-2")
        clock[0] += CLAIM_SECONDS + 1
        assert ids(settlements.claim(10).calls) == ["gen-1", "gen-2"]


def test_the_calls_that_another_program_wrote_are_left_alone(
    settlements: Settlements, put: Put, path: Path, rows: Rows
) -> None:
    put()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE usage_tracking SET owner = NULL")
    assert settlements.claim(10) == ((), None)


def test_no_more_is_claimed_than_was_asked_for(settlements: Settlements, put: Put) -> None:
    for number in range(3):
        put(generation_id=f"gen-{number}")
    assert ids(settlements.claim(2).calls) == ["gen-0", "gen-1"]
    assert ids(settlements.claim(2).calls) == ["gen-2"]
    assert settlements.claim(2).calls == ()


def test_a_call_that_has_just_ended_waits_for_no_old_ones(
    settlements: Settlements, put: Put, clock: list[float]
) -> None:
    put(generation_id="gen-old", started_at=clock[0] - 1000)
    put(generation_id="gen-asked", started_at=clock[0] - 500)
    (asked,) = settlements.claim(1).calls
    settlements.conclude([Outcome(asked, 60.0)])
    clock[0] += 90
    put(generation_id="gen-new", started_at=clock[0] - 1)
    assert [ids(settlements.claim(1).calls) for _ in range(3)] == [["gen-new"], ["gen-asked"], ["gen-old"]]


def test_a_call_that_another_process_claims_in_the_same_moment_is_one_of_theirs(
    settlements: Settlements, put: Put, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def late(connection: sqlite3.Connection) -> Iterator[None]:
        monkeypatch.undo()
        assert ids(Settlements(path, "other").claim(10).calls) == ["gen-1"]
        with transaction(connection):
            yield

    put("gone")
    monkeypatch.setattr(settlements_module, "transaction", late)
    assert settlements.claim(10).calls == ()


def test_a_billed_call_is_settled_once(settlements: Settlements, put: Put, rows: Rows, path: Path) -> None:
    put(ended=None)
    before = rows()[0]
    (unsettled,), _ = settlements.claim(10)
    outcome = bill(unsettled, prompt_tokens=7, completion_tokens=5, upstream_cost=0.2, is_byok=False)
    (settled,) = settlements.conclude([outcome])
    assert settlements.conclude([outcome]) == []
    changed = {
        "cost": 0.25,
        "cost_pico": 250_000_000_000,
        "cost_source": "billed",
        "model": "acme/one-2026",
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "upstream_cost": 0.2,
        "is_byok": 0,
    }
    assert rows() == [before | changed]
    assert settled == {name: value for name, value in rows()[0].items() if name not in ("id", "cost_pico")}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM usage_settlements").fetchone() == (0,)


def test_a_call_that_is_unknown_for_good_says_why(settlements: Settlements, put: Put, rows: Rows) -> None:
    put()
    (unsettled,), _ = settlements.claim(10)
    unsettled.call.cost_source, unsettled.call.cost_note = "unknown", "not_found"
    settlements.conclude([Outcome(unsettled)])
    assert [(row["cost_source"], row["cost_note"], row["status"]) for row in rows()] == [
        ("unknown", "not_found", "aborted")
    ]
    assert settlements.claim(10) == ((), None)


def test_a_call_that_is_put_off_is_due_then_also_for_another_process(
    settlements: Settlements, put: Put, path: Path, clock: list[float]
) -> None:
    put("gone")
    (unsettled,), _ = settlements.claim(10)
    assert settlements.conclude([Outcome(unsettled, 120.0)]) == []
    calls, next_in = settlements.claim(10)
    assert not calls
    assert next_in == pytest.approx(120)
    clock[0] += 121
    (again,), _ = Settlements(path, "other").claim(10)
    assert again.tries == 2


def test_a_row_of_another_call_under_the_same_number_is_not_touched(
    settlements: Settlements, put: Put, path: Path, rows: Rows
) -> None:
    put()
    (unsettled,), _ = settlements.claim(10)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE usage_tracking SET generation_id = 'gen-of-another-file'")
    assert settlements.conclude([bill(unsettled)]) == []
    assert rows()[0]["cost_source"] == "pending"


def test_a_file_that_is_gone_is_not_made_anew(settlements: Settlements, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        settlements.claim(10)
    assert not path.exists()


@pytest.mark.parametrize("query", [settlements_module._NEXT, settlements_module._DUE, *TAKE_OVER])
def test_pending_calls_are_found_without_reading_the_others(query: str, put: Put, path: Path) -> None:
    put()
    with closing(sqlite3.connect(path)) as connection:
        values = {"me": "me", "now": 0, "most": 1, "owner": "me", "lease_until": 0}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert any("INDEX usage_tracking_pending" in step for step in plan), plan
