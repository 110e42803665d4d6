"""`create_app`: from a file to an application, alone or inside somebody's own program."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
from pathlib import Path

import pytest
from aiohttp import web

from fondation import create_app
from fondation.config import load
from fondation.errors import ConfigError
from fondation.server.keys import SERVICES
from tests.support.chunks import assert_acceptable
from tests.support.scripted import ScriptedProvider, text
from tests.support.served import ANN, Kitchen, OpenProvider

ANN_ALONE = ANN.replace("/api/chat: Ann", "/api/chat: {agent: Ann, chats: client}")
"""Her pages keep their chats themselves."""

SIMULATED = """
version: 1
models:
  main: {provider: simulated}
agents:
  Ann: {model: main, instructions: You are Ann.}
routes:
  /api/chat: Ann
"""
KEYED = SIMULATED.replace("{provider: simulated}", "{provider: openrouter, id: acme/main}")


def write(folder: Path, text: str = SIMULATED) -> Path:
    file = folder / "agents.yaml"
    file.write_text(text)
    return file


def test_a_file_may_be_named_as_text_or_path_or_given_as_it_was_loaded(tmp_path: Path) -> None:
    file = write(tmp_path)
    for source in (str(file), file, load(file)):
        assert [*create_app(source)[SERVICES].cast.routes] == ["/api/chat"]


def test_an_entry_point_that_nobody_looked_at_before_is_in_the_error(tmp_path: Path) -> None:
    approval = '{python: "tests.problems.desk:pay", approval: {when: "tests.problems.desk:takes_keywords"}}'
    unseen = load(write(tmp_path, f"{SIMULATED}tools:\n  pay: {approval}\n"), check_imports=False)
    with pytest.raises(ConfigError, match="= help: give each parameter a name of its own"):
        create_app(unseen)


def test_without_a_name_it_is_the_agents_yaml_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert SERVICES in create_app()


def test_every_problem_of_the_file_is_in_the_error(tmp_path: Path) -> None:
    file = write(tmp_path, SIMULATED.replace("model: main", "model: mian").replace("routes", "rotues"))
    with pytest.raises(ConfigError) as refused:
        create_app(file)
    assert "did you mean" in str(refused.value)
    assert "2 problems" in str(refused.value)


def test_a_file_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml"):
        create_app(tmp_path / "nothing.yaml")


def test_a_missing_key_names_its_variable_and_the_way_without(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the model main needs an API key: set OPENROUTER_API_KEY") as refused:
        create_app(write(tmp_path, KEYED))
    assert "--simulate=missing" in str(refused.value)


def test_a_model_without_its_key_may_be_simulated(tmp_path: Path) -> None:
    assert create_app(write(tmp_path, KEYED), simulate="missing")[SERVICES].cast.simulated == ("main",)


def test_a_key_beside_the_file_is_found(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text("OPENROUTER_API_KEY=sk-or-v1-test\n")
    assert create_app(write(tmp_path, KEYED))[SERVICES].cast.simulated == ()


@pytest.mark.parametrize(
    ("usage", "environment", "database"),
    [
        ("", "", "fondation.db"),
        ("usage: {enabled: false}", "", None),
        ("usage: {enabled: production}", "", None),
        ("usage: {enabled: production}", "production", "fondation.db"),
        ("storage: {url: 'sqlite:///data/ledger.db'}", "", "data/ledger.db"),
    ],
)
def test_where_the_ledger_is(
    usage: str, environment: str, database: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FONDATION_ENV", environment)
    found = create_app(write(tmp_path, SIMULATED + usage))[SERVICES].database
    assert found == (tmp_path / database if database else None)


async def test_without_a_ledger_it_serves_all_the_same(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]), ANN_ALONE + "usage: {enabled: false}\n")
    assert (await served.post()).text == "ok"
    assert not (kitchen.folder / "fondation.db").exists()


async def test_a_ledger_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 100)
    app = create_app(write(tmp_path, SIMULATED + "storage: {url: broken.db}"))
    with pytest.raises(ConfigError) as refused:
        await web.AppRunner(app).setup()
    message, help = str(refused.value).splitlines()
    assert message == f"the ledger {tmp_path / 'broken.db'} cannot be opened: file is not a database"
    assert help == (
        "  = help: if fondation made it, move the damaged file away and a new one is made; "
        "or name another one in storage.url, or record nothing with usage.enabled: false"
    )


async def test_a_ledger_that_breaks_while_it_serves_costs_no_answer(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]), ANN_ALONE)
    (kitchen.folder / "fondation.db").write_bytes(b"no database" * 100)
    assert (await served.post()).text == "ok"
    assert "fondation.db" in caplog.text


async def test_a_ledger_that_is_only_locked_does_not_stop_the_start(kitchen: Kitchen) -> None:
    with contextlib.closing(sqlite3.connect(kitchen.folder / "fondation.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        served = await kitchen.serve(ScriptedProvider([text("ok")]), ANN_ALONE)
        assert (await served.post()).text == "ok"


async def test_the_last_rows_are_written_before_the_application_is_gone(kitchen: Kitchen) -> None:
    app = kitchen.app(ScriptedProvider([text("ok")]))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served = await kitchen.visit(runner, app)
    await served.post()
    await runner.cleanup()
    with contextlib.closing(sqlite3.connect(kitchen.folder / "fondation.db")) as database:
        assert database.execute("select status from usage_tracking").fetchall() == [("done",)]


async def test_inside_a_program_of_ones_own_it_keeps_to_its_prefix(kitchen: Kitchen) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    inner = kitchen.app(ScriptedProvider([text("ok"), text("ok")]), ANN + "server: {cors: {origins: ['http://a.b']}}\n")
    outer = web.Application()
    outer.router.add_get("/hello", hello)
    outer.add_subapp("/ai", inner)
    served = await kitchen.run(outer, inner=inner)
    assert (await served.ask("GET", "/hello")).body == b"hello"
    assert (await served.ask("GET", "/nothing")).headers["Content-Type"].startswith("text/plain")
    reply = await served.post(path="/ai/api/chat", Origin="http://a.b")
    assert_acceptable(reply.chunks)
    assert reply.headers["Access-Control-Allow-Origin"] == "http://a.b"
    answer = await served.post(path="/ai/api/chat", Origin="http://a.b", Accept="application/json")
    assert answer.json["text"] == "ok"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://a.b"
    assert (await served.ask("GET", "/ai/healthz")).json["status"] == "ok"
    assert (await served.ask("GET", "/hello", headers={"Origin": "http://a.b"})).headers.get("Vary") is None
    assert "/ai/api/chat" in (await served.ask("GET", "/ai/nothing")).json["error"]
    refused = await served.post(path="/ai/api/chat", Origin="http://evil.example")
    assert (refused.status, refused.headers["Content-Type"]) == (403, "application/json")
    assert len(await served.rows(2)) == 2


async def test_inside_a_program_whose_handlers_are_not_cancelled_a_vanished_client_is_found(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.server.runs.LOOK_SECONDS", 0.02)
    provider = OpenProvider([[lambda: asyncio.sleep(60)]])
    inner = kitchen.app(provider)
    outer = web.Application()
    outer.add_subapp("/ai", inner)
    served = await kitchen.run(outer, inner=inner, handler_cancellation=False)
    async with served.connect() as connection:
        await connection.post(path="/ai/api/chat")
        await asyncio.wait_for(provider.asked.wait(), 2)
        connection.vanish()
    await asyncio.wait_for(provider.ended.wait(), 2)
    assert (await served.rows())[0]["status"] == "aborted"


async def test_rows_say_which_configuration_made_the_call(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([text("ok")]))
    await served.post()
    (row,) = await served.rows()
    file = served.folder / "agents.yaml"
    assert row["config_hash"] == hashlib.sha256(file.read_bytes()).hexdigest()[:12]
