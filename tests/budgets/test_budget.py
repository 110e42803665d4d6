"""What a budget counts: whose calls, in which bucket and period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fondation.budgets.budget import Budget, Origin, Per, budgets_of, origin_of
from fondation.calls import RunInfo
from fondation.config import load
from fondation.stores.budgets import Column, Scope

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
DOLLAR = 10**12
RUN = RunInfo("run_1", "s1", user_id="ada")


def budget(**fields: Any) -> Budget:
    return replace(Budget("b", 5 * DOLLAR, ZoneInfo("UTC")), **fields)


def origin(agent: str = "Ann", model: str = "acme/main", user: str | None = "ada") -> Origin:
    return origin_of(replace(RUN, user_id=user), agent, model)


@pytest.mark.parametrize(
    ("per", "bucket", "column"),
    [
        ("run", "run_1", "run_id"),
        ("session", "s1", "session_id"),
        ("user", "ada", "user_id"),
        ("agent", "Ann", "agent_name"),
        ("model", "acme/main", "requested_model"),
    ],
)
def test_each_has_a_bucket(per: Per, bucket: str, column: Column) -> None:
    each = budget(per=per)
    assert each.bucket(origin()) == bucket
    assert each.counter(NOON, bucket).scope == Scope({column: (bucket,)})


def test_everyone_spends_from_one_bucket_together() -> None:
    assert budget().bucket(origin()) == ""
    assert budget().counter(NOON, "").scope == Scope()


def test_those_without_a_name_share_a_bucket() -> None:
    each = budget(per="user")
    assert each.bucket(origin(user=None)) == "anonymous"
    assert each.counter(NOON, "anonymous").scope.matches == {"user_id": ("anonymous", None)}


def test_a_call_is_counted_where_all_that_is_named_fits() -> None:
    each = budget(where={"agent_name": ("Ann", "Bob"), "requested_model": ("acme/main",)})
    assert each.counts(origin())
    assert not each.counts(origin(agent="Cid"))
    assert not each.counts(origin(model="acme/other"))


def test_a_bucket_is_part_of_what_is_counted() -> None:
    each = budget(per="user", where={"user_id": ("ada", "bob"), "agent_name": ("Ann",)})
    assert each.counter(NOON, "ada").scope.matches == {"user_id": ("ada",), "agent_name": ("Ann",)}
    assert each.scope(NOON).matches == {"user_id": ("ada", "bob"), "agent_name": ("Ann",)}


def test_a_period_is_part_of_it_too() -> None:
    midnight = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    assert budget(every="day").scope(NOON) == Scope({}, midnight, midnight + 86_400)


def test_a_key_can_be_read() -> None:
    key = budget(name="per-user", per="user", every="day").counter(NOON, "ada").key
    name, start, mark, bucket = key.split(" ")
    assert (name, start, bucket) == ("per-user", "2026-11-23T00:00:00Z", "ada")
    assert len(mark) == 8


def test_a_key_is_another_where_something_else_is_counted() -> None:
    first = budget(per="user", every="day", where={"agent_name": ("Ann",)})
    others = [
        budget(per="session", every="day", where=first.where),
        budget(per="user", every="week", where=first.where),
        budget(per="user", every="day"),
        replace(first, name="c"),
        replace(first, zone=ZoneInfo("Europe/Paris")),
    ]
    keys = {each.counter(NOON, "x").key for each in (first, *others)}
    keys |= {first.counter(NOON, "y").key, first.counter(NOON + 86_400, "x").key}
    assert len(keys) == 8


def test_a_key_stays_where_only_the_limit_is_another() -> None:
    first = budget(per="user", every="day", where={"agent_name": ("Ann", "Bob")})
    other = replace(first, limit=1, warn_at=1, use="cheap", where={"agent_name": ("Bob", "Ann")})
    assert first.counter(NOON, "x").key == other.counter(NOON, "x").key


def test_a_budget_comes_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "agents.yaml").write_text("""
version: 1
models:
  main: {provider: simulated, id: acme/main}
  cheap: {provider: simulated, id: acme/cheap}
agents:
  Ann: {model: main, instructions: You are Ann.}
routes:
  /api/chat: Ann
usage: {timezone: Europe/Paris}
budgets:
  - name: per-user
    limit: $5.00
    per: user
    where: {agent: Ann, model: main, user: [ada, anonymous]}
    every: day
    warn_at: 80%
    on_exceed: {use: cheap}
""")
    loaded = load(tmp_path / "agents.yaml")
    assert loaded.config is not None, loaded.report()
    where: dict[Column, tuple[str | None, ...]] = {
        "agent_name": ("Ann",),
        "requested_model": ("acme/main",),
        "user_id": ("ada", "anonymous", None),
    }
    assert budgets_of(loaded.config) == (
        Budget(
            name="per-user",
            limit=5 * DOLLAR,
            zone=ZoneInfo("Europe/Paris"),
            per="user",
            where=where,
            every="day",
            warn_at=4 * DOLLAR,
            use="cheap",
        ),
    )
