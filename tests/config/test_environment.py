from __future__ import annotations

import os
from pathlib import Path

import pytest

from fondation.config import Loaded, load
from tests.config.projects import MODELS, VALID, project


def load_with(folder: Path, more: str, *, check_environment: bool = True) -> Loaded:
    return load(project(folder, VALID + more), check_environment=check_environment)


def test_the_process_wins_over_env_local_over_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("A=env\nB=env\nC=env\n")
    (tmp_path / ".env.local").write_text("A=local\nB=local\n")
    monkeypatch.setenv("A", "process")
    loaded = load(project(tmp_path, VALID))
    assert [loaded.environment[name] for name in "ABC"] == ["process", "local", "env"]
    assert [os.environ[name] for name in "ABC"] == ["process", "local", "env"]


def test_an_environment_file_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    [problem] = load(project(tmp_path, VALID)).problems
    assert (problem.code, problem.file) == ("unreadable-file", str(tmp_path / ".env"))


def test_a_variable_is_replaced_also_inside_a_longer_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "ledger")
    config = load_with(tmp_path, "storage:\n  url: sqlite:///data/${NAME}-${OTHER:-dev}.db\n").config
    assert config is not None
    assert config.storage.url == "sqlite:///data/ledger-dev.db"


@pytest.mark.parametrize(("value", "id"), [("$${NAME}", "${NAME}"), ("a$${b", "a${b"), ("$NAME", "$NAME")])
def test_two_dollars_are_the_characters_themselves(value: str, id: str, tmp_path: Path) -> None:
    config = load(project(tmp_path, VALID.replace("simulated}", f"simulated, id: '{value}'}}"))).config
    assert config is not None
    assert config.models["sim"].id == id


def test_an_empty_variable_takes_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_NAME", "")
    config = load_with(tmp_path, "server:\n  host: ${HOST_NAME:-0.0.0.0}\n").config
    assert config is not None
    assert config.server.host == "0.0.0.0"


def test_a_whole_variable_takes_the_type_of_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"PORT": "9000", "ON": "false", "TEMP": "0.5", "NUMBER": "123", "MODE": "production", "SILENCE": "90s"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    text = """
version: 1
models:
  sim: {provider: "${PROVIDER:-simulated}", id: "${NUMBER}", timeout: "${SILENCE}", settings: {temperature: "${TEMP}"}}
agents:
  Helper: {model: "${MODEL:-sim}", instructions: Help., route_only: "${ON}"}
routes:
  /api/chat:
    agent: Helper
    context:
      text: {type: string, default: "${NUMBER}"}
      number: {type: integer, default: "${NUMBER}"}
server:
  port: ${PORT}
usage:
  enabled: ${MODE}
"""
    config = load(project(tmp_path, text)).config
    assert config is not None
    model, context = config.models["sim"], config.routes["/api/chat"].context
    assert (config.server.port, config.usage.enabled) == (9000, "production")
    assert (model.provider, model.id, model.timeout, model.settings.temperature) == ("simulated", "123", 90.0, 0.5)
    assert config.agents["Helper"].route_only is False
    assert (context["text"].default, context["number"].default) == ("123", 123)


def test_text_for_models_and_keys_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "replaced")
    text = MODELS + (
        "agents:\n  Helper:\n    model: sim\n    description: About ${NAME}.\n    instructions: Say ${NAME}.\n"
        "    match_on: ['${NAME}']\nroutes:\n  /api/chat: Helper\n"
    )
    config = load(project(tmp_path, text)).config
    assert config is not None
    agent = config.agents["Helper"]
    assert (agent.description, agent.instructions, agent.match_on) == ("About ${NAME}.", "Say ${NAME}.", ["${NAME}"])


def test_an_unset_variable_is_a_problem_at_its_place(tmp_path: Path) -> None:
    [problem] = load_with(tmp_path, "server:\n  host: https-${NO_SUCH}\n").problems
    assert (problem.code, problem.line, problem.column) == ("unset-variable", 11, 15)


def test_without_the_environment_what_needs_a_value_is_skipped(tmp_path: Path) -> None:
    more = "server:\n  port: ${NO_PORT}\nstorage:\n  url: ${NO_URL}\nlimits:\n  run_timeout: ${NO_TIME}\n"
    loaded = load_with(tmp_path, more, check_environment=False)
    assert (loaded.problems, loaded.config) == ([], None)
    assert loaded.summary().endswith("agents.yaml: 1 agent, 0 tools, 1 model, 1 route")
    broken = load_with(tmp_path, more + "  max_rounds: many\n", check_environment=False)
    assert [problem.code for problem in broken.problems] == ["wrong-type"]


def test_without_the_environment_a_malformed_variable_is_still_a_problem(tmp_path: Path) -> None:
    loaded = load_with(tmp_path, "server:\n  host: ${1X}\n", check_environment=False)
    assert [problem.code for problem in loaded.problems] == ["invalid-variable"]


def test_the_value_of_a_variable_is_in_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2-hunter2")
    more = "server:\n  port: ${SECRET}\n  cors: {origins: ['${SECRET}']}\n  proxies: ['${SECRET}']\n"
    more += "storage:\n  url: ${SECRET}://db\nusage:\n  timezone: ${SECRET}\n  enabled: ${SECRET}\n"
    more += "limits:\n  run_timeout: ${SECRET}\n  max_body_size: x${SECRET}\n"
    loaded = load_with(tmp_path, more)
    assert len(loaded.errors) == 8
    assert "hunter2" not in loaded.report()
