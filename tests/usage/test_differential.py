"""Reports against figures that are counted row by row: of calls that run, end, are settled late, edited, deleted."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores import open_store
from fondation.usage import figures, kinds, tallies, together
from fondation.usage.figures import Figures
from fondation.usage.filters import Filters
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.reports import report
from fondation.usage.tallies import GROUPINGS

from .conftest import insert

CLOCKS_CHANGE = int(datetime(2026, 3, 28, tzinfo=UTC).timestamp())
"""On the days after, they do in Beirut, Berlin and on Lord Howe (by half an hour, a week later)."""
ZONES = ["UTC", "Europe/Berlin", "Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"]
TOKENS = ["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"]
TOKENS += ["reasoning_tokens"]

Row = dict[str, Any]

moments = st.integers(CLOCKS_CHANGE, CLOCKS_CHANGE + 12 * 86_400)
few = st.none() | st.integers(0, 9)
calls = st.fixed_dictionaries(
    {
        "agent_name": st.sampled_from("AB"),
        "model": st.sampled_from(["m", "n", None]),
        "requested_model": st.sampled_from(["m", "o", None]),
        "provider": st.sampled_from(["p", "q", None]),
        "purpose": st.sampled_from(["answer", "title", None]),
        "user_id": st.sampled_from(["ada", "bob", None]),
        "session_id": st.sampled_from(["s", "t", None]),
        "run_id": st.sampled_from(["r1", "r2", "r3", None]),
        "labels": st.sampled_from([None, '{"team": "red"}', '{"team": "blue", "tier": 2}', "[]", "no json"]),
        "timestamp": moments,
        "cost": st.floats(0, 1000),
        "cost_source": st.sampled_from(["billed", "none", "simulated", "unknown", "pending", None]),
        "status": st.sampled_from(["done", "running", "refused", "aborted", None]),
        **{name: few for name in TOKENS if name != "total_tokens"},
        "total_tokens": st.integers(0, 20),
        "duration": few,
        "time_to_first_token": few,
    }
)
changes = st.lists(st.tuples(st.integers(1, 20), st.none() | calls), max_size=6)
"""Of the call with that number, or none: what it becomes, None where it is deleted."""
filters = st.fixed_dictionaries(
    {},
    optional={
        "agent": st.sampled_from("ABC"),
        "model": st.sampled_from("mno"),
        "provider": st.sampled_from("pq"),
        "user": st.just("ada"),
        "session": st.just("s"),
        "run": st.just("r1"),
    },
)
groupings = st.lists(st.sampled_from([*GROUPINGS, "team"]), min_size=1, max_size=3, unique=True)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("differential") / "fondation.db"
    open_store(path).close()
    return path


@pytest.fixture(params=["one thread", "three threads", "sorted"])
def _in_each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "three threads":
            patch.setattr(together, "MANY", 1)
            patch.setattr(together, "_processors", lambda: 3)
            patch.setattr(figures, "_SOME", 2)
            patch.setattr(figures, "_MANY", 3)
        if request.param == "sorted":
            patch.setattr(tallies, "_MOST_SUMS", -1)
        yield


@pytest.mark.usefixtures("_in_each_way")
@given(
    made=st.lists(calls, max_size=20),
    changes=changes,
    by=groupings,
    zone=st.sampled_from(ZONES),
    given=filters,
    ends=st.lists(moments, max_size=2, unique=True).map(sorted),
)
@settings(max_examples=60, deadline=None)
def test_every_figure_is_what_counting_row_by_row_gives(
    path: Path, made: list[Row], changes: list[tuple[int, Row | None]], by: list[str], zone: str, given: Row, ends: Any
) -> None:
    since, until = (*(datetime.fromtimestamp(end, ZoneInfo(zone)) for end in ends), None, None)[:2]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM usage_tracking")
        connection.execute("DELETE FROM sqlite_sequence")
    insert(path, *made)
    rows = change(path, dict(enumerate(made, start=1)), changes)
    with closing(open_to_read(path)) as reader:
        found = report(reader, Filters(Period(since, until), **given), by, ZoneInfo(zone))
    kept = {number: row for number, row in rows.items() if passes(row, given, since, until)}
    groups: dict[Any, dict[int, Row]] = defaultdict(dict)
    for number, row in kept.items():
        groups[tuple(key(row, name, zone) for name in by)][number] = row
    assert {name: figures_of(of) for name, of in found.groups} == {name: naive(of) for name, of in groups.items()}
    assert figures_of(found.total) == naive(kept)


def change(path: Path, rows: dict[int, Row], changes: list[tuple[int, Row | None]]) -> dict[int, Row]:
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, row in changes:
            if number not in rows:
                continue
            if row is None:
                connection.execute("DELETE FROM usage_tracking WHERE id = ?", [number])
                del rows[number]
                continue
            settled = ", ".join(f"{name} = :{name}" for name in row)
            connection.execute(f"UPDATE usage_tracking SET {settled} WHERE id = :id", {**row, "id": number})
            rows[number] = row
    return rows


def passes(row: Row, given: Row, since: datetime | None, until: datetime | None) -> bool:
    columns = {"agent": "agent_name", "provider": "provider", "user": "user_id", "session": "session_id"}
    columns |= {"run": "run_id"}
    alike = all(row[column] == given.get(name, row[column]) for name, column in columns.items())
    asked = "model" not in given or given["model"] in (row["model"], row["requested_model"])
    begun = since is None or row["timestamp"] >= since.timestamp()
    return alike and asked and begun and (until is None or row["timestamp"] < until.timestamp())


def key(row: Row, name: str, zone: str) -> Any:
    match name:
        case "day":
            return datetime.fromtimestamp(row["timestamp"], ZoneInfo(zone)).date().isoformat()
        case "model":
            return row["model"] or row["requested_model"]
        case "purpose":
            return row["purpose"] or "answer"
        case "team":
            labels: dict[str, str] = dict(json.loads(row["labels"])) if row["labels"] not in (None, "no json") else {}
            return labels.get("team")
        case _:
            columns = {"agent": "agent_name", "user": "user_id", "session": "session_id"}
            return row[columns.get(name, name)]


def naive(rows: dict[int, Row]) -> dict[str, Any]:
    simulated = {number: row for number, row in rows.items() if row["cost_source"] == "simulated"}
    real = {number: row for number, row in rows.items() if number not in simulated}
    answered = [row for row in real.values() if row["status"] in ("done", None)]
    pico = {number: math.floor(row["cost"] * 1e12 + 0.5) for number, row in real.items()}
    source = {number: row["cost_source"] or ("billed" if pico[number] else "unknown") for number, row in real.items()}
    return {
        "runs": len({row["run_id"] or number for number, row in real.items()}),
        "calls": sum(row["status"] != "refused" for row in real.values()),
        "refused": sum(row["status"] == "refused" for row in real.values()),
        **{name: sum(row[name] or 0 for row in real.values()) for name in TOKENS},
        "cost_pico": sum(pico.values()),
        "known_cost_calls": sum(said == "billed" for said in source.values()),
        "unknown_cost_calls": sum(said in ("unknown", "pending") for said in source.values()),
        "pending_cost_calls": sum(said == "pending" for said in source.values()),
        "p50_ms": percentile(answered, "duration", 50),
        "p95_ms": percentile(answered, "duration", 95),
        "first_token_p50_ms": percentile(answered, "time_to_first_token", 50),
        "first_token_p95_ms": percentile(answered, "time_to_first_token", 95),
        "simulated_runs": len({row["run_id"] or number for number, row in simulated.items()}),
        "simulated": len(simulated),
        "simulated_tokens": sum(row["total_tokens"] for row in simulated.values()),
    }


def percentile(rows: list[Row], name: str, share: int) -> int | None:
    times: list[int] = sorted(row[name] for row in rows if row[name] is not None)
    return times[math.ceil(len(times) * share / 100) - 1] if times else None


def figures_of(found: Figures) -> dict[str, Any]:
    return {field.name: getattr(found, field.name) for field in fields(Figures)}


def test_too_many_kinds_are_sorted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM usage_tracking")
    insert(path, *({"agent_name": name} for name in "ABCDE"))
    monkeypatch.setattr(kinds, "MOST_KINDS", 4)
    with closing(open_to_read(path)) as reader:
        assert kinds.kinds_of(reader) is None
        assert len(report(reader, Filters(), ["agent"], UTC).groups) == 5
