from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fondation.config import OnDisconnect, RouteConfig, Suggestions, Titles, load
from tests.config.projects import MODELS, project


def route(**keys: Any) -> RouteConfig:
    return RouteConfig.model_validate({"agent": "A", **keys})


def test_what_a_route_does_by_default() -> None:
    config = route()
    assert (config.chats, config.client, config.show) == ("server", 5, ["reasoning"])
    assert config.on_disconnect == OnDisconnect(kind="cancel", grace=0.0)
    assert (config.titles, config.suggestions) == (None, None)


@pytest.mark.parametrize(
    ("written", "kind", "grace"),
    [("cancel", "cancel", 0.0), ("continue", "continue", 0.0), ({"grace": "30s"}, "grace", 30.0)],
)
def test_on_disconnect_is_a_word_or_a_time(written: object, kind: str, grace: float) -> None:
    on_disconnect = route(on_disconnect=written).on_disconnect
    assert (on_disconnect.kind, on_disconnect.grace) == (kind, grace)


@pytest.mark.parametrize(
    ("written", "titles"), [(False, None), (True, Titles(model=None)), ({"model": "cheap"}, Titles(model="cheap"))]
)
def test_titles_are_switched_or_a_mapping(written: object, titles: Titles | None) -> None:
    assert route(titles=written).titles == titles


@pytest.mark.parametrize(
    ("written", "suggestions"),
    [
        (False, None),
        (True, Suggestions(model=None, count=3)),
        ({"model": "cheap", "count": 5}, Suggestions(model="cheap", count=5)),
    ],
)
def test_suggestions_are_switched_or_a_mapping(written: object, suggestions: Suggestions | None) -> None:
    assert route(suggestions=written).suggestions == suggestions


TEXT = """
agents:
  A: {model: sim, instructions: Hi., last_messages: "${WINDOW}", memory: {working: "${SCOPE}"}}
routes:
  /api/chat:
    agent: A
    client: ${MAJOR}
    chats: ${KEEPER:-server}
    on_disconnect: ${GONE}
    show: ["${SHOWN}"]
    titles: ${TITLES}
    suggestions: {model: "${MODEL}", count: "${COUNT}"}
"""
VARIABLES = {
    "WINDOW": "12",
    "SCOPE": "user",
    "MAJOR": "6",
    "GONE": "continue",
    "SHOWN": "usage",
    "TITLES": "true",
    "MODEL": "sim",
    "COUNT": "2",
}


def test_a_variable_takes_its_keys_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    loaded = load(project(tmp_path, MODELS + TEXT))
    assert loaded.problems == []
    assert loaded.config is not None
    agent, config = loaded.config.agents["A"], loaded.config.routes["/api/chat"]
    assert (agent.last_messages, agent.memory and agent.memory.working) == (12, "user")
    assert (config.client, config.chats, config.show) == (6, "server", ["usage"])
    assert config.on_disconnect.kind == "continue"
    assert (config.titles, config.suggestions) == (Titles(), Suggestions(model="sim", count=2))


def test_without_the_environment_nothing_is_said_about_variables(tmp_path: Path) -> None:
    assert load(project(tmp_path, MODELS + TEXT), check_environment=False).problems == []
