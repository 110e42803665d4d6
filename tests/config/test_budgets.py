from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fondation.config import BudgetConfig, BudgetScope, Config, OnExceed, load
from tests.config.projects import VALID, project


def budget(**keys: Any) -> BudgetConfig:
    return BudgetConfig.model_validate({"name": "b", "limit": "$5.00", **keys})


def test_a_budget_needs_a_name_and_a_limit_and_is_everyones_for_ever() -> None:
    plain = budget()
    assert (plain.name, plain.limit) == ("b", 5_000_000_000_000)
    assert (plain.per, plain.where, plain.every) == (None, None, None)
    assert (plain.warn_at, plain.on_warn, plain.on_exceed, plain.substitute) == (None, None, None, None)


def test_a_limit_is_exact_in_pico_dollars() -> None:
    assert budget(limit="$0.000000000001").limit == 1
    assert budget(limit="$19.99").limit == 19_990_000_000_000


def test_a_scope_is_a_name_or_a_list_of_them() -> None:
    scope = budget(where={"agent": "Triage", "user": ["a", "b"]}).where
    assert scope == BudgetScope(agent=["Triage"], model=None, user=["a", "b"])


def test_a_warning_comes_at_an_exact_share() -> None:
    assert budget(warn_at="80%").warn_at == Decimal("0.8")


@pytest.mark.parametrize(
    ("written", "exceed", "substitute"), [("stop", None, None), ({"use": "cheap"}, "cheap", "cheap")]
)
def test_a_budget_stops_the_run_or_uses_another_model(
    written: object, exceed: str | None, substitute: str | None
) -> None:
    config = budget(on_exceed=written)
    assert config.on_exceed == (None if exceed is None else OnExceed(use=exceed))
    assert config.substitute == substitute


@pytest.mark.parametrize(
    "keys",
    [
        {"limit": "5"},
        {"limit": "$0"},
        {"name": "per user"},
        {"per": "chat"},
        {"every": "daily"},
        {"warn_at": "0.8"},
        {"on_warn": "tools.money.warn"},
        {"on_exceed": "cheap"},
        {"on_exceed": {}},
        {"where": {"chat": "c1"}},
        {"warn": "80%"},
    ],
)
def test_what_is_not_of_the_format_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        budget(**keys)


def test_a_file_has_no_budgets_unless_it_writes_them() -> None:
    agents = {"Helper": {"model": "sim", "instructions": "Answer."}}
    data: dict[str, Any] = {"version": 1, "models": {"sim": {"provider": "simulated"}}, "agents": agents}
    assert Config.model_validate(data).budgets == []
    assert Config.model_validate({**data, "budgets": [{"name": "all", "limit": "$1"}]}).budgets[0].name == "all"


def test_values_of_a_budget_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOST", "$12.50")
    budgets = 'budgets:\n  - {name: b, limit: "${MOST}", warn_at: "${WARN:-75%}", every: "${EVERY:-week}"}\n'
    config = load(project(tmp_path, VALID + budgets)).config
    assert config is not None
    assert (config.budgets[0].limit, config.budgets[0].warn_at) == (12_500_000_000_000, Decimal("0.75"))
    assert config.budgets[0].every == "week"
