"""The README says what is true: its YAML is valid, its commands work, its generated blocks are up to date."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from fondation import create_app
from fondation.cli import COMMANDS, fondation
from fondation.config import load
from fondation.stores import open_store
from tests.readme.blocks import README, ROOT, refreshed
from tests.support.markdown import blocks, commands

TEXT = README.read_text()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the repository's own project."""
    shutil.copy(ROOT / "agents.yaml", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_generated_blocks_are_up_to_date() -> None:
    assert refreshed(TEXT) == TEXT, "run: python -m tests.readme"


@pytest.mark.parametrize("text", blocks(TEXT, "yaml"))
def test_every_yaml_block_is_valid(text: str, project: Path) -> None:
    file = project / "example.yaml"
    file.write_text(text)
    loaded = load(file)
    assert loaded.config is not None, loaded.report()
    assert {problem.code for problem in loaded.warnings} <= {"unset-key"}, loaded.report()


def test_the_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {words[1] for words in commands(TEXT, "make")} <= set(targets)


def test_every_command_is_mentioned() -> None:
    assert [name for name in COMMANDS if f"fondation {name}" not in TEXT] == []


@pytest.mark.parametrize("words", commands(TEXT, "curl"), ids=lambda words: words[1])
async def test_the_curl_commands_get_an_answer(words: list[str], project: Path) -> None:
    async with TestServer(create_app(project / "agents.yaml", simulate="missing")) as server:
        local = [word.replace("http://127.0.0.1:8000", str(server.make_url("")).rstrip("/")) for word in words]
        curl = await asyncio.create_subprocess_exec(*local, "-sS", "--fail", stdout=asyncio.subprocess.PIPE)
        output, _ = await curl.communicate()
    assert curl.returncode == 0
    text = output.decode()
    if "/admin/usage" in words[1]:
        assert text.startswith(("{", "row,"))
        return
    assert "data: [DONE]" in text or '"handoffs":[{' in text
    assert "imulated" in text


@pytest.mark.parametrize("words", commands(TEXT, "fondation"), ids=" ".join)
def test_the_usage_and_init_commands_are_understood(words: list[str], project: Path) -> None:
    match words[1]:
        case "serve":
            words = [*words, "--help"]  # it would go on for ever; the options before it are checked
        case "init":
            words = [*words, "new"]
        case "usage" | "graph":
            open_store(project / "fondation.db").close()
    result = CliRunner().invoke(fondation, words[1:])
    assert result.exit_code == 0, result.output
