"""Each example is valid, is served as its README says, and answers what is asked there."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fondation.cli import fondation
from tests.clients.loopback import Loopback
from tests.clients.serving import served
from tests.clients.upstream import Upstream, says
from tests.support.markdown import commands, sections

from .projects import EXAMPLES, PROJECTS, ROOT, scripted_copy

README = EXAMPLES / "README.md"
SECTIONS = sections(README.read_text())
ADDRESS = "http://127.0.0.1:8000"
"""Of the server in its commands."""


def answers(project: str, folder: Path) -> list[str]:
    """What each `curl` of the project's section gets, in a copy of the project."""
    outputs = [""]
    with served(folder, "", "--simulate=missing", project=EXAMPLES / project) as server:
        for words in commands(SECTIONS[project], "curl"):
            meant = [with_ids(word.replace(ADDRESS, server.url), outputs[-1]) for word in words]
            done = subprocess.run([*meant, "-sS", "--fail"], capture_output=True, text=True, check=True)
            outputs.append(done.stdout)
    return outputs[1:]


def with_ids(word: str, answer: str) -> str:
    """The word of a command, with `call_...` and `wait_...` as the answer before it names them."""
    return re.sub(r"((?:call|wait)_)\.\.\.", lambda match: re.findall(match[1] + r"\w+", answer)[-1], word)


def ask(url: str, message: str, user: str = "") -> dict[str, Any]:
    headers = {"content-type": "application/json", "accept": "application/json", "x-user-id": user}
    request = urllib.request.Request(url, json.dumps({"message": message}).encode(), headers)
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def objects(project: str, folder: Path) -> list[dict[str, Any]]:
    return [json.loads(answer) for answer in answers(project, folder)]


def test_the_readme_has_a_section_for_each_project() -> None:
    assert sorted(SECTIONS.keys() - {""}) == PROJECTS


@pytest.mark.parametrize("readme", [README, *EXAMPLES.glob("*/README.md")], ids=lambda path: path.parent.name)
def test_what_a_readme_points_at_is_there(readme: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", readme.read_text())
    assert links
    assert [link for link in links if not (readme.parent / link).is_file()] == []


def test_where_packages_come_from_is_left_to_npm() -> None:
    locks = [*ROOT.glob("examples/*/package-lock.json"), *ROOT.glob("tests/*/package-lock.json")]
    assert locks
    assert [file for file in locks if '"resolved"' in file.read_text()] == []


@pytest.mark.parametrize("project", ["", *PROJECTS])
def test_the_make_commands_serve_files_that_are_there(project: str) -> None:
    for target, variable in (words[1:] for words in commands(SECTIONS[project], "make")):
        assert target == "serve"
        assert (ROOT / variable.removeprefix("FILE=")).is_file()


@pytest.mark.parametrize("project", PROJECTS)
def test_a_project_is_valid_without_a_warning(project: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-key")
    result = CliRunner().invoke(fondation, ["validate", "--strict", str(EXAMPLES / project / "agents.yaml")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("project", PROJECTS)
def test_editors_find_the_schema(project: str) -> None:
    first = (EXAMPLES / project / "agents.yaml").read_text().partition("\n")[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (EXAMPLES / project / schema).resolve() == ROOT / "schemas" / "agents.schema.json"


def test_one_agent_answers(tmp_path: Path) -> None:
    [answer] = objects("one-agent", tmp_path)
    assert answer["agent"] == "Assistant"
    assert "Hello!" in answer["text"]


def test_an_answer_within_its_budget_is_as_any_other(tmp_path: Path) -> None:
    [answer] = objects("budgets", tmp_path)
    assert "Hello!" in answer["text"]


def test_a_tool_is_called_and_tells_the_page_how_far_it_is(tmp_path: Path) -> None:
    whole, stream = answers("tools", tmp_path)
    [call] = json.loads(whole)["toolCalls"]
    assert call["output"] == {"number": "A-17", "articles": ["teapot", "two cups"], "total": 49.5}
    stages = re.findall(r'"type":"data-parcel","data":{"number":"A-18","stage":"([a-z ]+)"}', stream)
    assert stages == ["packed", "on its way", "delivered"]
    assert stream.endswith("data: [DONE]\n\n")


def test_questions_go_to_the_agent_who_knows(tmp_path: Path) -> None:
    passed_on, matched = objects("handoffs", tmp_path)
    assert passed_on["agent"] == "Collection"
    assert [(each["from"], each["to"]) for each in passed_on["handoffs"]] == [("FrontDesk", "Collection")]
    assert passed_on["title"]
    assert matched["agent"] == "Tickets"
    assert [each for each in matched["handoffs"] if each["routingStrategy"] == "llm"] == []


def test_calls_wait_for_a_persons_yes_and_for_the_page(tmp_path: Path) -> None:
    waiting, refunded, asked, told = objects("approvals", tmp_path)
    assert [(call["toolName"], call["kind"]) for call in waiting["pending"]] == [("refund", "approval")]
    assert [call["output"] for call in refunded["toolCalls"]] == [{"order": "A-17", "refunded": 80}]
    assert [(call["toolName"], call["kind"]) for call in asked["pending"]] == [("locate", "client")]
    assert "48.85, 2.35" in told["text"]


def test_a_user_without_money_is_answered_by_the_cheaper_model(tmp_path: Path) -> None:
    project = scripted_copy("budgets", tmp_path / "project", price="{input: 11000, output: 0}")  # 13.2 cents an answer
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.play(*[says("Hello.")] * 5)
        with served(tmp_path / "served", provider.url, project=project) as server:
            spent = [ask(f"{server.url}/api/chat", "Hello", "ada")["usage"]["cost"] for _ in range(4)]
            ask(f"{server.url}/api/chat", "Hello", "bob")
    assert spent == [0.132] * 4
    models = [call.body["model"].split("/")[1] for call in upstream.calls]
    assert models == [*["claude-sonnet-4.5"] * 3, "claude-haiku-4.5", "claude-sonnet-4.5"]


def test_a_local_server_is_the_model(tmp_path: Path) -> None:
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.play(says("I run on your machine."))
        (tmp_path / ".env.local").write_text(f"MODEL_URL={provider.url}/v1\nMODEL=tiny\n")
        with served(tmp_path, "", "--simulate=missing", project=EXAMPLES / "local-model") as server:
            answer = ask(f"{server.url}/api/chat", "Who are you?")
    assert answer["text"] == "I run on your machine."
    assert upstream.calls[0].body["model"] == "tiny"
    assert answer["usage"]["cost"] == 0
