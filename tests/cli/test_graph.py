from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from fondation.cli import fondation
from fondation.stores import open_store
from tests.usage.conftest import insert

Drawing: TypeAlias = Callable[..., Result]

PROJECT = """\
version: 1
models:
  claude: {provider: openrouter, id: anthropic/claude-sonnet-4.5}
tools:
  look_up: shop:look_up
agents:
  Triage: {model: claude, instructions: Route., handoffs: [Sales]}
  Sales: {model: claude, instructions: Sell., description: Sells., tools: [look_up]}
routes:
  /api/chat: Triage
"""
FLOWCHART = """\
flowchart LR
  r1(["/api/chat"])
  a1["Triage<br/>claude"]
  a2["Sales<br/>claude, 1 tool"]
  r1 --> a1
  a1 --> a2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agents.yaml").write_text(PROJECT)
    return tmp_path


@pytest.fixture
def graph(folder: Path) -> Drawing:
    return lambda *arguments: CliRunner().invoke(fondation, ["graph", *arguments], prog_name="fondation")


def pass_on(path: Path, *chains: tuple[str, ...], ago: int = 0, **others: Any) -> None:
    """A run for each chain, of which only the last agent's call is there, some seconds ago."""
    open_store(path).close()
    moment = int(time.time()) - ago
    rows = (
        {"run_id": f"{path}-{ago}-{number}", "agent_name": chain[-1], "handoff_chain": json.dumps(chain)}
        for number, chain in enumerate(chains)
    )
    insert(path, *({**row, "timestamp": moment, "cost": 0.25, **others} for row in rows))


def test_a_file_is_drawn_as_a_flowchart_without_a_key_or_its_tools(graph: Drawing) -> None:
    result = graph()
    assert (result.exit_code, result.stdout, result.stderr) == (0, FLOWCHART, "")


def test_another_file_is_named_as_by_other_commands(graph: Drawing, folder: Path) -> None:
    (folder / "agents.yaml").rename(folder / "team.yaml")
    assert graph("team.yaml").stdout == FLOWCHART
    assert graph().exit_code == 1


def test_without_traffic_the_ledger_is_of_no_interest(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "fondation.db", ("Triage", "Sales"))
    assert graph().stdout == FLOWCHART


def test_with_traffic_each_handoff_has_its_number(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "fondation.db", ("Triage", "Sales"), ("Triage", "Sales"), ("Triage",), ("Sales", "Old"))
    lines = graph("--traffic").stdout.splitlines()
    assert lines[2:] == [
        '  a1["Triage<br/>claude<br/>1 call, $0.2500"]',
        '  a2["Sales<br/>claude, 1 tool<br/>2 calls, $0.5000"]',
        '  a3["Old<br/>no longer in the file<br/>1 call, $0.2500"]',
        "  r1 --> a1",
        "  a1 -->|2| a2",
        "  a2 -.->|1| a3",
        "  classDef dashed stroke-dasharray: 5 4",
        "  class a3 dashed",
    ]


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("--since", "1h"), 1),
        (("--since", "7d"), 3),
        (("--until", "1h"), 2),
        (("--since", "7d", "--until", "1h"), 2),
        (("--db", "fondation.db"), 3),
    ],
)
def test_a_period_or_a_ledger_brings_its_traffic(
    graph: Drawing, folder: Path, options: tuple[str, ...], number: int
) -> None:
    pass_on(folder / "fondation.db", ("Triage", "Sales"))
    pass_on(folder / "fondation.db", ("Triage", "Sales"), ("Triage", "Sales"), ago=86_400)
    assert f"  a1 -->|{number}| a2" in graph(*options).stdout.splitlines()


def test_another_ledger_is_named_by_its_file(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "other.db", ("Triage", "Sales"))
    assert "  a1 -->|1| a2" in graph("--db", "other.db").stdout.splitlines()


def test_svg_is_a_file_that_stands_alone(graph: Drawing) -> None:
    root = ElementTree.fromstring(graph("--format", "svg").stdout)
    assert root.get("aria-label") == "1 route, 2 agents, 1 handoff"


def test_json_has_the_period_and_the_figures(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "fondation.db", ("Triage", "Sales"))
    told = json.loads(graph("--format", "json", "--since", "7d").stdout)
    assert told["since"].endswith("+00:00")
    assert told["handoffs"] == [{"from": "Triage", "to": "Sales", "gone": False, "times": 1}]
    assert [agent["figures"] and agent["figures"]["cost"] for agent in told["agents"]] == [None, 0.25]


@pytest.mark.parametrize(
    ("name", "options", "beginning"),
    [
        ("agents.svg", (), "<svg "),
        ("agents.JSON", (), "{\n"),
        ("agents.mmd", (), "flowchart LR\n"),
        ("agents", (), "flowchart LR\n"),
        ("agents.svg", ("--format", "json"), "{\n"),
    ],
)
def test_the_name_of_the_file_says_what_is_written_to_it(
    graph: Drawing, folder: Path, name: str, options: tuple[str, ...], beginning: str
) -> None:
    result = graph("-o", name, *options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (folder / name).read_text().startswith(beginning)


def test_an_ending_that_says_nothing_is_refused_before_anything_is_written(graph: Drawing, folder: Path) -> None:
    result = graph("-o", "agents.png")
    assert result.exit_code == 2
    assert "agents.png ends in none of .svg, .json, .mmd, .mermaid: say which --format it shall have." in result.stderr
    assert not (folder / "agents.png").exists()
    assert graph("-o", "agents.txt", "--format", "mermaid").exit_code == 0


def test_a_file_that_cannot_be_written_is_named(graph: Drawing) -> None:
    result = graph("-o", "nowhere/agents.svg")
    assert result.exit_code == 1
    assert "nowhere/agents.svg cannot be written: No such file or directory." in result.stderr


def test_any_name_is_written_as_utf_8(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "fondation.db", ("Sales", "Größe 日本"))
    assert 'a3["Größe 日本<br/>' in graph("--traffic").stdout_bytes.decode("utf-8")


def test_a_file_with_problems_is_not_drawn(graph: Drawing, folder: Path) -> None:
    (folder / "agents.yaml").write_text(PROJECT.replace("[Sales]", "[Sale]"))
    result = graph("-o", "agents.svg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'did you mean "Sales"?' in result.stderr
    assert not (folder / "agents.svg").exists()


def test_traffic_without_a_ledger_says_how_to_get_one(graph: Drawing, folder: Path) -> None:
    result = graph("--traffic", "-o", "agents.svg")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"there is no file {folder / 'fondation.db'}." in result.stderr
    assert "--db FILE names another ledger" in result.stderr
    assert not (folder / "agents.svg").exists()


def test_where_no_call_is_found_it_is_said_beside_the_graph(graph: Drawing, folder: Path) -> None:
    open_store(folder / "fondation.db").close()
    result = graph("--traffic")
    assert "  a1 -->|0| a2" in result.stdout
    assert "holds no model calls yet" in result.stderr
    pass_on(folder / "fondation.db", ("Triage",), ago=86_400)
    assert "try a longer --since" in graph("--since", "1h").stderr


def test_what_the_ledger_misses_is_said_beside_the_graph(graph: Drawing, folder: Path) -> None:
    pass_on(folder / "fondation.db", ("Triage",))
    insert(folder / "fondation.db", {"timestamp": "soon"})
    result = graph("--traffic")
    assert result.exit_code == 0
    assert "1 model call is left out here" in result.stderr
    assert "left out" not in result.stdout


@pytest.mark.parametrize(("option", "typed"), [("--since", ""), ("--since", "last week"), ("--until", "7 days")])
def test_a_period_that_is_none_is_explained(graph: Drawing, option: str, typed: str) -> None:
    result = graph(option, typed)
    assert result.exit_code == 2
    assert f'{option}: "{typed}" is no period' in result.stderr


def test_the_help_is_the_golden_one(graph: Drawing) -> None:
    assert graph("--help").output == (Path(__file__).parent / "golden" / "graph-help.txt").read_text()
