"""`fondation init` writes a project that validates and serves at once, and never overwrites."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner, Result

import fondation
from fondation.cli import init
from fondation.config import load
from fondation.config.schema import schema_text
from fondation.server import create_app


def run(*args: str) -> Result:
    return CliRunner().invoke(init.command, args)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_project_is_valid_but_for_its_key(here: Path) -> None:
    assert run("shop").exit_code == 0
    loaded = load(here / "shop" / "agents.yaml")
    assert loaded.errors == []
    assert [warning.code for warning in loaded.warnings] == ["unset-key"]
    assert "2 agents, 2 tools, 1 model, 1 route" in loaded.summary()


def test_the_first_line_of_its_yaml_points_at_the_schema(here: Path) -> None:
    run()
    first = (here / "agents.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=schemas/agents.schema.json"
    assert (here / "schemas" / "agents.schema.json").read_text() == schema_text()


@pytest.mark.parametrize(
    ("message", "tool", "agent"),
    [
        ("What is the weather in Lyon?", "get_weather", "Assistant"),
        ("Is my invoice INV-42 paid?", "check_invoice", "Billing"),
    ],
)
async def test_the_project_serves_without_a_key(here: Path, message: str, tool: str, agent: str) -> None:
    run()
    app = create_app(here / "agents.yaml", simulate="missing")
    async with TestClient(TestServer(app)) as client:
        headers = {"accept": "application/json"}
        answer = await (await client.post("/api/chat", json={"message": message}, headers=headers)).json()
        assert (await client.get("/")).content_type == "text/html"
    assert [call["toolName"] for call in answer["toolCalls"]] == [tool]
    assert answer["agent"] == agent


def test_it_says_what_to_type_next(here: Path) -> None:
    output = run("my shop").output
    assert "cd 'my shop'\n  fondation serve --simulate=missing" in output
    assert "open http://127.0.0.1:8000/ and" in output
    assert "curl -N http://127.0.0.1:8000/api/chat" in output
    assert "useChat(" in output
    assert "OPENROUTER_API_KEY" in output


def test_in_this_folder_there_is_nothing_to_enter(here: Path) -> None:
    result = run()
    assert "cd " not in result.output
    assert files_in(here) == {*init.STARTER, init.SCHEMA}


def test_the_printed_request_is_json(here: Path) -> None:
    body = run().output.split("-d '")[1].split("'")[0]
    assert json.loads(body) == {"message": "What is the weather in Lyon?"}


def test_an_existing_file_stops_it_and_nothing_is_written(here: Path) -> None:
    (here / "agents.yaml").write_text("mine")
    (here / "tools").mkdir()
    (here / "tools" / "weather.py").write_text("mine too")
    result = run()
    assert result.exit_code == 1
    assert "agents.yaml, tools/weather.py exist already" in result.output
    assert "fondation init my-agents" in result.output
    assert files_in(here) == {"agents.yaml", "tools/weather.py"}
    assert (here / "agents.yaml").read_text() == "mine"


def test_a_broken_link_is_not_written_through(here: Path) -> None:
    (here / "agents.yaml").symlink_to(here / "elsewhere.yaml")
    result = run()
    assert result.exit_code == 1
    assert "agents.yaml exists already" in result.output
    assert not (here / "elsewhere.yaml").exists()


def test_an_own_gitignore_is_kept(here: Path) -> None:
    (here / ".gitignore").write_text("mine")
    result = run()
    assert result.exit_code == 0
    assert (here / ".gitignore").read_text() == "mine"
    assert "add .env.local and *.db to it" in result.output


def test_a_file_is_no_folder(here: Path) -> None:
    (here / "notes.txt").touch()
    result = run("notes.txt")
    assert result.exit_code == 2
    assert "notes.txt is a file" in result.output


def test_a_folder_that_cannot_be_made_is_named(here: Path) -> None:
    (here / "notes.txt").touch()
    result = run("notes.txt/shop")
    assert result.exit_code == 1
    assert "cannot write notes.txt/shop: Not a directory; type another folder" in result.output


def test_a_file_in_the_way_of_a_folder_stops_it(here: Path) -> None:
    (here / "tools").touch()
    result = run()
    assert result.exit_code == 1
    assert "tools exists already" in result.output
    assert files_in(here) == {"tools"}


def test_every_file_of_the_starter_is_written() -> None:
    starter = Path(fondation.__file__).parent / "starter"
    stored = {name for name in files_in(starter) if "__pycache__" not in name}
    assert {name.replace("dot-", ".") for name in stored} == set(init.STARTER)
