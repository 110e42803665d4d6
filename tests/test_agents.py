"""From a file without problems to agents that can act: names resolved, models with their providers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fondation.agents import Cast, Simulate, build_cast, missing_keys
from fondation.config import Loaded, load
from fondation.handoffs import TOOL_NAME
from fondation.http import HttpClient

FILE = """
version: 1
models:
  small: {provider: openai, id: gpt-small, settings: {temperature: 0.5, top_p: 0.9}, fallbacks: [big], retries: 4}
  big: {provider: openrouter, id: acme/big, price: {input: 1.0, output: 2.0}}
  own: {provider: openai, id: local, base_url: "http://127.0.0.1:1234/v1", settings: {top_k: 4, stop: x, plugins: []}}
tools:
  lookup: desk:lookup
agents:
  Front:
    model: small
    instructions: Hello {{ user_id }}.
    settings: {temperature: 0.1}
    tools: [lookup]
    handoffs: [Back]
  Back:
    model: big
    description: Knows all.
    instructions: You know all.
    handoffs: [Front]
    match_on: [deep]
    route_only: true
    max_turns: 3
    memory: {summary: true}
  Alone:
    model: own
    instructions: Alone.
routes:
  /front: Front
  /alone: {agent: Alone, limits: {max_steps: 2}, titles: {model: small}, suggestions: true}
limits: {max_rounds: 3}
"""
TOOLS = '''
def lookup(number: int) -> str:
    """Find a number."""
    return str(number)
'''


def loaded(folder: Path) -> Loaded:
    (folder / "desk.py").write_text(TOOLS)
    (folder / "agents.yaml").write_text(FILE)
    return load(folder / "agents.yaml")


@pytest.fixture
def cast(tmp_path: Path) -> Cast:
    return build_cast(loaded(tmp_path), HttpClient(), "all")


def test_an_agent_has_its_model_tools_and_handoffs_by_value(cast: Cast) -> None:
    front = cast.agents["Front"]
    assert (front.model.name, front.model.id, front.model.retries) == ("small", "gpt-small", 4)
    assert [tool.name for tool in front.tools.values()] == ["lookup"]
    assert front.handoffs == {"Back": "Knows all."}
    assert cast.agents["Back"].handoffs == {"Front": ""}
    assert (front.matcher, front.route_only, front.max_turns) == (None, False, None)


def test_the_handoff_tool_stands_behind_the_agents_own(cast: Cast) -> None:
    front, alone = cast.agents["Front"], cast.agents["Alone"]
    assert [spec.name for spec in front.specs] == ["lookup"]
    assert [spec.name for spec in front.specs_with_handoff] == ["lookup", TOOL_NAME]
    assert alone.specs == alone.specs_with_handoff == ()


def test_a_router_has_what_makes_it_one(cast: Cast) -> None:
    back = cast.agents["Back"]
    assert back.matcher is not None
    assert back.matcher.matches("a DEEP question")
    assert (back.route_only, back.max_turns) == (True, 3)


def test_the_agents_settings_go_over_each_models(cast: Cast) -> None:
    settings = cast.agents["Front"].settings
    assert settings["small"] == {"temperature": 0.1, "top_p": 0.9}
    assert settings["big"] == {"temperature": 0.1}


def test_what_is_asked_beside_an_answer_has_the_models_own_settings_without_its_form(cast: Cast) -> None:
    settings = cast.agents["Front"].plain_settings
    assert settings == {"small": {"temperature": 0.5, "top_p": 0.9}, "big": {}, "own": {"top_k": 4}}


def test_a_route_knows_who_writes_its_titles_and_suggestions(cast: Cast) -> None:
    front, alone = cast.routes["/front"], cast.routes["/alone"]
    assert (front.title_model, front.suggestion_model) == (None, None)
    assert (alone.title_model, alone.suggestion_model) == (cast.agents["Front"].model, None)
    assert {model.name for model in cast.models_in_use} == {"small", "big", "own"}


def test_a_model_that_stands_in_where_a_budget_has_no_room_is_in_use_and_has_settings(tmp_path: Path) -> None:
    budgets = "  - {name: all, limit: $5.00, on_exceed: {use: cheap}}\n  - {name: each, limit: $1.00, per: user}\n"
    cheap = "models:\n  cheap: {provider: openai, id: gpt-5-nano, settings: {top_k: 2}}\n"
    folder = loaded(tmp_path).folder
    (folder / "agents.yaml").write_text(f"{FILE.replace('models:', cheap.rstrip(), 1)}budgets:\n{budgets}")
    cast = build_cast(load(folder / "agents.yaml"), HttpClient(), "all")
    assert [model.name for model in cast.substitutes] == ["cheap"]
    assert {model.name for model in cast.models_in_use} == {"small", "big", "own", "cheap"}
    assert cast.agents["Front"].settings["cheap"] == {"top_k": 2, "temperature": 0.1}
    assert cast.agents["Front"].plain_settings["cheap"] == {"top_k": 2}


def test_an_agent_knows_whether_it_reads_summaries(cast: Cast) -> None:
    assert {name for name, agent in cast.agents.items() if agent.summarizes} == {"Back"}


def test_a_fallback_is_the_other_model_itself(cast: Cast) -> None:
    small, big = cast.agents["Front"].model, cast.agents["Back"].model
    assert small.fallbacks == [big]
    assert big.price is not None
    assert big.price.output == 2.0


def test_a_route_reaches_whom_its_handoffs_lead_to_and_itself_first(cast: Cast) -> None:
    assert [*cast.routes["/front"].reachable] == ["Front", "Back"]
    assert [*cast.routes["/alone"].reachable] == ["Alone"]
    assert cast.routes["/alone"].agent is cast.agents["Alone"]


def test_a_routes_limits_go_over_the_global_ones(cast: Cast) -> None:
    assert (cast.routes["/front"].limits.max_rounds, cast.routes["/front"].limits.max_steps) == (3, 10)
    assert (cast.routes["/alone"].limits.max_rounds, cast.routes["/alone"].limits.max_steps) == (3, 2)


@pytest.mark.parametrize(
    ("simulate", "expected"),
    [
        ("none", {"small": "openai", "big": "openrouter", "own": "openai"}),
        ("missing", {"small": "openai", "big": "simulated", "own": "openai"}),
        ("all", {"small": "simulated", "big": "simulated", "own": "simulated"}),
    ],
)
def test_which_models_are_simulated(
    simulate: Simulate, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    cast = build_cast(loaded(tmp_path), HttpClient(), simulate)
    models: dict[str, Any] = {agent.model.name: agent.model.provider.name for agent in cast.agents.values()}
    assert models == expected
    assert set(cast.simulated) == {name for name, provider in expected.items() if provider == "simulated"}


def test_the_keys_that_are_missing_are_told_by_their_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert missing_keys(loaded(tmp_path)) == {"small": "OPENAI_API_KEY", "big": "OPENROUTER_API_KEY"}
