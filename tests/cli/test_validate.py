from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fondation.cli.validate import command
from tests.config.projects import VALID, project

BROKEN = VALID.replace("model: sim", "model: sym")
WARNED = VALID.replace("agents:", "  spare: {provider: simulated}\nagents:")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(command, args)


def test_agents_yaml_is_the_default(here: Path) -> None:
    project(here, VALID)
    result = run()
    assert (result.exit_code, result.stdout) == (0, "agents.yaml: 1 agent, 0 tools, 1 model, 1 route\n")


def test_problems_exit_with_one(here: Path) -> None:
    project(here, BROKEN)
    result = run()
    assert result.exit_code == 1
    assert result.stdout == (
        'agents.yaml:6:12: agents.Helper.model is "sym", but there is no such model [unknown-model]\n'
        "  |\n"
        "6 |     model: sym\n"
        "  |            ^~~\n"
        '  = help: did you mean "sim"?\n'
        "\n"
        "agents.yaml: 1 problem\n"
    )


def test_warnings_exit_with_one_only_when_strict(here: Path) -> None:
    project(here, WARNED)
    assert run().exit_code == 0
    assert run().stdout.endswith("agents.yaml: 1 agent, 0 tools, 2 models, 1 route\n")
    assert run("--strict").exit_code == 1
    assert run("--strict").stdout.endswith("agents.yaml: 1 problem\n")


def test_several_files_are_all_checked_even_with_tools_of_the_same_name(here: Path) -> None:
    text = VALID.replace("routes:", "    tools: [t]\ntools: {t: desk:NAME}\nroutes:")
    for name in ("one", "two"):
        (here / name).mkdir()
        module = f'def {name}() -> str:\n    """Do it."""\n    return ""\n'
        project(here / name, text.replace("NAME", name), desk_py=module)
    result = run("one/agents.yaml", "two/agents.yaml", "none.yaml")
    assert result.exit_code == 1
    assert result.stdout == (
        "one/agents.yaml: 1 agent, 1 tool, 1 model, 1 route\n\n"
        "two/agents.yaml: 1 agent, 1 tool, 1 model, 1 route\n\n"
        "none.yaml: there is no such file [missing-file]\n"
        "   = help: name the file, or change to the project's folder\n\n"
        "none.yaml: 1 problem\n"
    )


def test_json_is_one_list_whatever_a_tool_prints(here: Path) -> None:
    tool = 'print("loaded")\ndef t() -> None: ...\n'
    project(here, VALID.replace("routes:", "    tools: [t]\ntools: {t: loud:t}\nroutes:"), loud_py=tool)
    result = run("--format", "json")
    assert [problem["code"] for problem in json.loads(result.stdout)] == ["undocumented-tool"]
    assert "loaded" in result.stderr
    project(here, VALID)
    assert json.loads(run("--format", "json").stdout) == []


def test_github_annotations(here: Path) -> None:
    project(here, BROKEN)
    result = run("--format", "github")
    assert result.stdout == (
        "::error file=agents.yaml,line=6,col=12,endColumn=15,title=unknown-model::"
        'agents.Helper.model is "sym", but there is no such model: did you mean "sim"?\n'
    )


def test_the_environment_and_the_imports_can_be_left_out(here: Path) -> None:
    text = VALID.replace("routes:", "    tools: [t]\ntools: {t: nowhere:t}\nroutes:") + "server: {host: '${NO_HOST}'}\n"
    project(here, text)
    assert run().stdout.count("[broken-entry-point]") == run().stdout.count("[unset-variable]") == 1
    assert (run("--no-env", "--no-import").exit_code, run("--no-env").exit_code) == (0, 1)


def test_the_standard_library_is_refused_even_without_imports(here: Path) -> None:
    project(here, VALID.replace("routes:", "    tools: [t]\ntools: {t: 'os:system'}\nroutes:"))
    result = run("--no-import")
    assert result.exit_code == 1
    assert "standard library" in result.stdout


def test_wrong_usage_exits_with_two() -> None:
    assert run("--format", "xml").exit_code == 2
    assert run("--nothing").exit_code == 2


def test_nothing_of_a_project_stays_on_the_import_path(here: Path) -> None:
    project(here, VALID)
    before = [*sys.path]
    run()
    assert sys.path == before
