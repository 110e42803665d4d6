"""`fondation serve` as it is typed: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fondation.cli.serve import command
from tests.support.chunks import assert_acceptable, parse
from tests.support.processes import PROJECT, serving, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path)
    return tmp_path


def rows(folder: Path) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "fondation.db")) as database:
        return database.execute("select status, cost_source, chat_id from usage_tracking order by id").fetchall()


async def test_it_says_what_it_serves_answers_and_ends_at_a_signal(project: Path) -> None:
    async with serving(project) as served:
        for expected in (
            "serves agents.yaml: 2 agents, 1 tool, 1 model, 1 route",
            "routes  /api/chat  Ann",
            "agents  Ann  tools: wait; hands off to: Bob",
            "models  main  acme/main (openrouter), simulated: OPENROUTER_API_KEY is not set",
            f"ledger  {project / 'fondation.db'}",
            f"try: curl -N {served.url}/api/chat -H 'content-type: application/json' -d",
        ):
            assert expected in served.banner
        async with served.post("Hello") as response:
            chunks = parse(await response.read())
        assert_acceptable(chunks)
        run_id = response.headers["x-run-id"]
        served.process.send_signal(signal.SIGTERM)
        code, log = await served.end()
    assert code == 0
    assert re.search(rf"^\S+ \S+ INFO /api/chat Ann: finished, 1 call, .* \({run_id}, session c1\)$", log, re.MULTILINE)
    assert "Traceback" not in log
    assert rows(project) == [("done", "simulated", "c1")]


async def test_running_answers_get_their_time_and_new_ones_are_asked_to_come_back(project: Path) -> None:
    async with serving(project, "--log-format", "json") as served:
        async with served.post("Please wait 0.8 seconds") as running:
            await running.content.readuntil(b"tool-input-available")
            served.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.1)
            async with served.post("Hello") as refused:
                assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
                assert await refused.json() == {"error": "The server is going down"}
            rest = await running.content.read()
        assert b"waited" in rest
        assert rest.endswith(b"data: [DONE]\n\n")
        assert b'"type":"abort"' not in rest
        code, log = await served.end()
    assert code == 0
    lines = [json.loads(line) for line in log.splitlines()]
    assert any("/api/chat Ann: finished, 2 calls" in line["message"] for line in lines)
    assert {*lines[0]} == {"time", "level", "logger", "message"}


async def test_answers_that_take_longer_end_properly_as_aborted(project: Path) -> None:
    async with serving(project, "--drain", "0.2") as served:
        async with served.post("Please wait 60 seconds") as running:
            await running.content.readuntil(b"tool-input-available")
            served.process.send_signal(signal.SIGTERM)
            rest = b'data: {"type":"' + await running.content.read()
        code, log = await served.end()
    assert code == 0
    types = re.findall(rb'^data: \{"type":"([^"]+)"', rest, re.MULTILINE)
    assert types[-5:] == [b"finish-step", b"start-step", b"finish-step", b"abort", b"finish"]
    assert rest.endswith(b"data: [DONE]\n\n")
    assert "Ann: aborted, 1 call" in log
    assert "Traceback" not in log
    assert rows(project) == [("done", "simulated", "c1")]


async def test_a_second_signal_does_not_wait(project: Path) -> None:
    async with serving(project, "--drain", "60") as served:
        async with served.post("Please wait 60 seconds") as running:
            await running.content.readuntil(b"tool-input-available")
            served.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            assert served.process.returncode is None
            served.process.send_signal(signal.SIGINT)
            assert b'{"type":"abort"}' in await running.content.read()
        code, log = await served.end()
    assert code == 0
    assert "Traceback" not in log


def serve(*options: str) -> Result:
    return CliRunner().invoke(command, options, prog_name="fondation serve")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """The log of this process stays as the tests need it."""
    monkeypatch.setattr("fondation.cli.serve.set_up_logging", lambda *_: None)
    monkeypatch.chdir(project)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "desk.example"])
def test_an_address_that_others_reach_must_be_typed_as_insecure(host: str) -> None:
    refused = serve("--simulate", "--host", host)
    assert refused.exit_code == 2
    assert f"{host} can be reached from other machines" in refused.output
    assert "type --insecure" in refused.output


@pytest.mark.usefixtures("quiet")
def test_a_file_with_problems_is_told_as_validate_tells_it(project: Path) -> None:
    (project / "agents.yaml").write_text(PROJECT.replace("routes:", "rotues:"))
    refused = serve()
    assert refused.exit_code == 1
    assert 'agents.yaml:10:1: unknown key "rotues"' in refused.output
    assert "agents.yaml: 1 problem" in refused.output


@pytest.mark.usefixtures("quiet")
def test_a_missing_key_says_what_to_do() -> None:
    refused = serve()
    assert refused.exit_code == 1
    assert "set OPENROUTER_API_KEY" in refused.output
    assert "--simulate=missing" in refused.output


@pytest.mark.usefixtures("quiet")
def test_a_ledger_that_cannot_be_opened_stops_it_before_the_banner(project: Path) -> None:
    (project / "fondation.db").write_text("a letter to grandmother\n" * 100)
    refused = serve("--simulate", "--port", "0")
    assert (refused.exit_code, refused.stdout) == (1, "")
    ledger = project / "fondation.db"
    assert f"agents.yaml: the ledger {ledger} cannot be opened: file is not a database\n  = help: " in refused.stderr


@pytest.mark.usefixtures("quiet")
def test_chats_that_cannot_be_opened_stop_it_too(project: Path) -> None:
    (project / "agents.yaml").write_text(PROJECT + "usage: {enabled: false}\n")
    (project / "fondation.db").write_text("a letter to grandmother\n" * 100)
    refused = serve("--simulate", "--port", "0")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "fondation.db cannot be opened: file is not a database\n  = help: " in refused.stderr


@pytest.mark.usefixtures("quiet")
def test_a_port_that_is_taken_is_told_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = serve("--simulate", "--port", str(port))
    assert refused.exit_code == 1
    assert refused.output == (
        f"cannot listen on 127.0.0.1:{port}: something listens there already; stop it, or try another --port\n"
    )
    assert "try another --port" in refused.output


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_a_wrong_use(port: str) -> None:
    assert serve("--port", port).exit_code == 2


@pytest.mark.usefixtures("quiet")
def test_the_command_line_goes_over_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "agents.yaml").write_text(PROJECT + "server: {host: 0.0.0.0, port: 1}\n")
    asked: list[Any] = []

    async def listen(app: Any, host: str, port: int, **options: Any) -> None:
        asked.append((host, port, options["drain"]))

    monkeypatch.setattr("fondation.server.serve", listen)
    assert serve("--simulate").exit_code == 2
    assert serve("--simulate", "--insecure").exit_code == 0
    assert serve("--simulate", "--host", "::1", "--port", "7", "--drain", "3").exit_code == 0
    assert asked == [("0.0.0.0", 1, 20.0), ("::1", 7, 3.0)]
