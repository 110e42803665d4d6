from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.config import load
from fondation.config.project import visiting
from tests.config.projects import MODELS, VALID, project

TOOL = 'def look_up(name: str) -> str:\n    """Look a name up."""\n    return name\n'


def with_tool(module: str) -> str:
    return VALID.replace("routes:", f"    tools: [look_up]\ntools:\n  look_up: {module}:look_up\nroutes:")


def test_a_good_file_is_its_configuration(tmp_path: Path) -> None:
    file = project(tmp_path, VALID)
    loaded = load(file)
    assert loaded.config is not None
    assert (loaded.file, loaded.folder, loaded.problems) == (file, tmp_path, [])
    assert loaded.summary() == loaded.report() == f"{file}: 1 agent, 0 tools, 1 model, 1 route"


def test_our_own_file_is_good_but_for_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    loaded = load(Path("agents.yaml"))
    assert [(warning.code, warning.line) for warning in loaded.warnings] == [("unset-key", 5)]
    assert loaded.report().endswith("\n\nagents.yaml: 4 agents, 4 tools, 1 model, 2 routes")
    assert loaded.config is not None


def test_problems_are_sorted_and_leave_no_configuration(tmp_path: Path) -> None:
    loaded = load(project(tmp_path, VALID.replace("model: sim", "model: sym") + "servr: {}\nlimits: {max_rounds: 0}\n"))
    assert [(problem.line, problem.code) for problem in loaded.problems] == [
        (6, "unknown-model"),
        (10, "unknown-key"),
        (11, "out-of-range"),
    ]
    assert (loaded.config, loaded.errors, loaded.warnings) == (None, loaded.problems, [])
    assert loaded.summary() == f"{loaded.file}: 3 problems"


def test_strict_counts_warnings_as_problems(tmp_path: Path) -> None:
    loaded = load(project(tmp_path, VALID.replace("agents:", "  spare: {provider: simulated}\nagents:")))
    assert [warning.code for warning in loaded.warnings] == ["unused-model"]
    assert loaded.summary().endswith("1 agent, 0 tools, 2 models, 1 route")
    assert loaded.summary(strict=True) == f"{loaded.file}: 1 problem"


def test_another_version_is_the_only_thing_said(tmp_path: Path) -> None:
    text = VALID.replace("version: 1", "version: 3").replace("agents:", "agentz:")
    assert [problem.code for problem in load(project(tmp_path, text)).problems] == ["unknown-version"]


def test_the_projects_folder_comes_first_on_the_import_path_once(tmp_path: Path) -> None:
    file = project(tmp_path, with_tool("tool_of_the_project"), tool_of_the_project_py=TOOL)
    assert load(file).errors == []
    assert load(file).errors == []
    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_tools_see_the_variables_of_the_project(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONLY_HERE=yes\n")
    tool = "import os\nassert os.environ['ONLY_HERE'] == 'yes'\n" + TOOL
    assert load(project(tmp_path, with_tool("needs_it"), needs_it_py=tool)).errors == []


def test_without_imports_no_tool_is_looked_at(tmp_path: Path) -> None:
    file = project(tmp_path, with_tool("exits"), exits_py="raise SystemExit\n")
    assert [problem.code for problem in load(file).errors] == ["broken-entry-point"]
    assert load(file, check_imports=False).problems == []


def test_a_visited_project_leaves_nothing_behind(tmp_path: Path) -> None:
    for name, value in (("one", "1"), ("two", "2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / ".env").write_text(f"WHICH={value}\n")
        tool = f"import os\nassert os.environ['WHICH'] == '{value}'\n" + TOOL
        file = project(folder, with_tool("same_name"), same_name_py=tool)
        before = [*sys.path]
        with visiting(folder):
            assert load(file).errors == []
            assert "same_name" in sys.modules
        assert "same_name" not in sys.modules
        assert "WHICH" not in os.environ
        assert sys.path == before


def test_problems_of_instructions_are_shown_in_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helper.md").write_text("Hello.\r\nYou are {{ nobody }}.\r\n")
    loaded = load(project(tmp_path, VALID.replace("Answer the question.", "{file: helper.md}")).relative_to(tmp_path))
    assert loaded.report().splitlines()[:4] == [
        'helper.md:2:12: agents.Helper.instructions: there is no "nobody" for a template [unknown-template-name]',
        "  |",
        "2 | You are {{ nobody }}.",
        "  |            ^~~~~~",
    ]


def test_a_link_out_of_the_project_is_outside(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.txt")
    loaded = load(project(folder, VALID.replace("Answer the question.", "{file: link.md}")))
    assert [problem.code for problem in loaded.problems] == ["file-outside-project"]


@pytest.mark.parametrize(
    ("turns", "limits", "codes"),
    [
        (20, "", []),
        (20, "limits: {max_steps: 30}\n", []),
        (20, "limits: {max_steps: 10}\n", ["max-turns-above-max-steps"]),
        (10, "limits: {max_steps: 10}\n", []),
    ],
)
def test_max_turns_stays_within_written_max_steps(turns: int, limits: str, codes: list[str], tmp_path: Path) -> None:
    text = VALID.replace("routes:", f"    max_turns: {turns}\nroutes:") + limits
    assert [problem.code for problem in load(project(tmp_path, text)).problems] == codes


@pytest.mark.parametrize(
    ("own", "codes"), [("{max_steps: 30}", []), ("{max_steps: 5}", ["max-turns-above-max-steps"]), ("{}", [])]
)
def test_max_turns_looks_at_the_routes_own_max_steps(own: str, codes: list[str], tmp_path: Path) -> None:
    text = MODELS + (
        "agents:\n  Helper: {model: sim, instructions: Help., max_turns: 20}\n"
        f"routes:\n  /api/chat: {{agent: Helper, limits: {own}}}\n"
    )
    assert [problem.code for problem in load(project(tmp_path, text)).problems] == codes


def test_a_broken_part_does_not_hide_the_others(tmp_path: Path) -> None:
    text = """
version: 1
models: {sim: {provider: simulated}}
tools: {look_up: nowhere.look_up}
agents:
  A: {model: sim, instructions: "{{ x }}", tools: [look_up, lookup], handoffs: [B, C]}
  B: [model, sim]
routes: {/api/chat: A, /api/b: B}
"""
    assert [(problem.line, problem.code) for problem in load(project(tmp_path, text)).problems] == [
        (4, "invalid-entry-point"),
        (6, "unknown-template-name"),
        (6, "unknown-tool"),
        (6, "unknown-agent"),
        (7, "wrong-type"),
    ]


PIECES = [
    "",
    "null",
    "1",
    "-1.5",
    "yes",
    "[]",
    "{}",
    "[a, a]",
    "{a: b}",
    "'${X}'",
    "${X:-1}",
    "$${",
    "{{ x }}",
    "'{{ x'",
]
PIECES += [
    "'{{ x'",
    "|",
    "*a",
    "&a b",
    "!t c",
    "a: b",
    "sk-or-v1-0123456789",
    "/x",
    "'/(/'",
    "os:system",
    "30s",
    "http://u:p@h",
]


@given(line=st.integers(0, 40), piece=st.sampled_from(PIECES), more=st.text("ab:-[]{}'\"|#$ \n", max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_at_a_key_the_file_is_good_or_has_problems(line: int, piece: str, more: str) -> None:
    lines = (Path(__file__).parents[2] / "agents.yaml").read_text().splitlines()
    lines[line] = lines[line].partition(":")[0] + ": " + piece + more
    with tempfile.TemporaryDirectory() as folder, visiting(Path(folder)):
        loaded = load(project(Path(folder), "\n".join(lines)), check_imports=False)
        assert (loaded.config is None) == bool(loaded.errors)
        assert loaded.report().startswith(str(loaded.file))
