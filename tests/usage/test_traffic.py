from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores import open_store
from fondation.usage import together
from fondation.usage import traffic as by_handoff
from fondation.usage.filters import Filters
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.traffic import Traffic, count_handoffs, traffic

from .conftest import MONDAY, Fill, insert

Row = dict[str, Any]


def of(run: str | None, *chain: str, **others: Any) -> Row:
    """A call of the last agent of the chain."""
    return {"run_id": run, "agent_name": chain[-1], "handoff_chain": json.dumps(chain), "round": len(chain), **others}


def counted(path: Path, **filters: Any) -> dict[tuple[str, str], int]:
    with closing(open_to_read(path)) as connection:
        return dict(count_handoffs(connection, Filters(**filters)))


def test_a_conversation_that_is_passed_on_is_one_handoff_for_each_pass(fill: Fill, path: Path) -> None:
    fill(of("r1", "A"), of("r1", "A", "B"), of("r1", "A", "B", "C"), of("r2", "A"), of("r2", "A", "B"))
    assert counted(path) == {("A", "B"): 2, ("B", "C"): 1}


def test_steps_retries_and_fallbacks_of_a_round_are_no_more_handoffs(fill: Fill, path: Path) -> None:
    fill(
        of("r1", "A", "B", step=2, attempt=1, status="error"),
        of("r1", "A", "B", step=2, attempt=2, model="another"),
        of("r1", "A", "B", step=3, attempt=1),
    )
    assert counted(path) == {("A", "B"): 1}


def test_there_and_back_and_there_again_is_three_handoffs(fill: Fill, path: Path) -> None:
    fill(of("r1", "A"), of("r1", "A", "B"), of("r1", "A", "B", "A"), of("r1", "A", "B", "A", "B"))
    assert counted(path) == {("A", "B"): 2, ("B", "A"): 1}


def test_a_run_that_goes_on_after_an_approval_is_not_passed_on_again(fill: Fill, path: Path) -> None:
    fill(of("r1", "A"), of("r1", "A", "B"), of("r2", "B"), of("r2", "B", "C"))
    assert counted(path) == {("A", "B"): 1, ("B", "C"): 1}


def test_calls_beside_the_answer_are_no_handoffs(fill: Fill, path: Path) -> None:
    fill(
        of("r1", "A", "B", purpose="answer"),
        of("r1", "A", "B", "C", purpose="suggestions"),
        of("r1", "A", "D", purpose="summary"),
    )
    assert counted(path) == {("A", "B"): 1}


def test_simulated_refused_and_running_calls_tell_of_a_handoff_too(fill: Fill, path: Path) -> None:
    fill(
        of("r1", "A", "B", cost_source="simulated"),
        of("r2", "A", "B", status="refused", cost_source="none"),
        of("r3", "A", "B", status="running", cost_source="pending"),
    )
    assert counted(path) == {("A", "B"): 3}


def test_where_a_row_tells_no_run_it_is_one_of_its_own(fill: Fill, path: Path) -> None:
    fill(of(None, "A"), of(None, "A", "B"), of(None, "A", "B"))
    assert counted(path) == {("A", "B"): 2}


@pytest.mark.parametrize(
    "chain", ["no json, at all", '["A", 1]', '{"A": 1, "B": 2}', "[" * 9_999 + ",", None, 7.5, '","']
)
def test_what_another_program_wrote_instead_of_a_chain_is_none(fill: Fill, path: Path, chain: Any) -> None:
    fill({"run_id": "r1", "handoff_chain": chain}, of("r1", "A", "B"))
    assert counted(path) == {("A", "B"): 1}


def test_the_same_chain_written_differently_is_the_same(fill: Fill, path: Path) -> None:
    fill({"run_id": "r1", "handoff_chain": '["A","B"]'}, {"run_id": "r1", "handoff_chain": '[ "A", "\\u0042" ]'})
    assert counted(path) == {("A", "B"): 1}


def test_bytes_that_are_no_text_are_no_chain(fill: Fill, path: Path) -> None:
    fill(of("r1", "A", "B"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO usage_tracking (agent_name, total_tokens, cost, timestamp, handoff_chain) "
            "VALUES ('B', 0, 0, ?, CAST(X'5B22C3222C2242225D' AS TEXT))",
            [MONDAY],
        )
    assert counted(path) == {("A", "B"): 1}


def test_the_table_of_another_program_may_have_the_base_columns_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE usage_tracking (id INTEGER PRIMARY KEY, agent_name TEXT, handoff_chain TEXT, "
            "total_tokens INTEGER, cost REAL, timestamp INTEGER)"
        )
        connection.execute("INSERT INTO usage_tracking VALUES (1, 'B', '[\"A\", \"B\"]', 10, 0.5, ?)", [MONDAY])
    with closing(open_to_read(path)) as connection:
        found = traffic(connection, Filters())
    assert found.handoffs == {("A", "B"): 1}
    assert found.agents["B"].total_tokens == 10


def test_of_an_agent_those_to_it_and_from_it_are_counted(fill: Fill, path: Path) -> None:
    fill(of("r1", "A"), of("r1", "A", "B"), of("r1", "A", "B", "C"), of("r1", "A", "B", "C", "A"))
    assert counted(path, agent="B") == {("A", "B"): 1, ("B", "C"): 1}


def test_each_agent_has_its_figures(path: Path, support_desk: None) -> None:
    with closing(open_to_read(path)) as connection:
        found = traffic(connection, Filters())
    assert isinstance(found, Traffic)
    assert {name: (each.calls, each.refused, each.simulated) for name, each in found.agents.items()} == {
        "Billing": (3, 1, 1),
        "Triage": (2, 0, 0),
    }


agents = st.sampled_from("ABC")
chains = (
    st.lists(agents, min_size=1, max_size=5).map(json.dumps)
    | st.lists(agents | st.none() | st.integers(), max_size=3).map(json.dumps)
    | st.sampled_from([None, "", "no, json", '{"A": "B,"}'])
)
calls = st.fixed_dictionaries(
    {
        "agent_name": agents,
        "handoff_chain": chains,
        "run_id": st.sampled_from(["r1", "r2", "r3", None]),
        "round": st.none() | st.integers(1, 5),
        "step": st.integers(1, 3),
        "attempt": st.integers(1, 3),
        "purpose": st.sampled_from(["answer", "answer", None, "title", "suggestions", "summary"]),
        "model": st.sampled_from(["m", "n", None]),
        "requested_model": st.sampled_from(["m", "o", None]),
        "user_id": st.sampled_from(["ada", "bob", None]),
        "cost_source": st.sampled_from(["billed", "simulated", "unknown", None]),
        "status": st.sampled_from(["done", "running", "refused", "error", None]),
        "timestamp": st.integers(MONDAY, MONDAY + 9),
    }
)
filters = st.fixed_dictionaries(
    {},
    optional={"agent": st.sampled_from("ABCD"), "model": st.sampled_from("mno"), "user": st.just("ada")},
)


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traffic") / "fondation.db"
    open_store(path).close()
    return path


@pytest.fixture(params=["at once", "in pieces", "in three threads"])
def _in_each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "at once":
            patch.setattr(by_handoff, "_AT_ONCE", 3)
        if request.param == "in three threads":
            patch.setattr(together, "MANY", 1)
            patch.setattr(together, "_processors", lambda: 3)
        yield


@pytest.mark.usefixtures("_in_each_way")
@given(
    made=st.lists(calls, max_size=25),
    given=filters,
    ends=st.lists(st.integers(MONDAY, MONDAY + 9), max_size=2, unique=True).map(sorted),
)
@settings(max_examples=60, deadline=None)
def test_handoffs_are_what_counting_row_by_row_gives(shared_path: Path, made: list[Row], given: Row, ends: Any) -> None:
    with closing(sqlite3.connect(shared_path)) as connection, connection:
        connection.execute("DELETE FROM usage_tracking")
    insert(shared_path, *made)
    since, until = (*(datetime.fromtimestamp(end, UTC) for end in ends), None, None)[:2]
    expected = naive([row for row in made if passes(row, given, since, until)], given.get("agent"))
    assert counted(shared_path, period=Period(since, until), **given) == expected


def passes(row: Row, given: Row, since: datetime | None, until: datetime | None) -> bool:
    asked = "model" not in given or given["model"] in (row["model"], row["requested_model"])
    begun = since is None or row["timestamp"] >= since.timestamp()
    is_users = given.get("user") in (None, row["user_id"])
    return is_users and asked and begun and (until is None or row["timestamp"] < until.timestamp())


def naive(rows: list[Row], agent: str | None) -> dict[tuple[str, str], int]:
    seen = []
    counts: Counter[tuple[str, str]] = Counter()
    for number, row in enumerate(rows):
        chain = chain_of(row)
        place = (row["run_id"] or number, chain)
        if row["purpose"] not in (None, "answer") or len(chain) < 2 or place in seen:
            continue
        seen.append(place)
        if agent is None or agent in chain[-2:]:
            counts[chain[-2], chain[-1]] += 1
    return dict(counts)


def chain_of(row: Row) -> list[str]:
    try:
        chain = json.loads(row["handoff_chain"] or "")
    except ValueError:
        return []
    return chain if isinstance(chain, list) and all(isinstance(name, str) for name in chain) else []
