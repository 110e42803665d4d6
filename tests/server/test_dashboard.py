"""The usage dashboard as it is asked for: who may see it, and its figures as a page, JSON and CSV."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from fondation import create_app
from fondation.stores import open_store
from tests.support.scripted import ScriptedProvider
from tests.support.served import ANN, Kitchen, Served
from tests.usage.conftest import insert

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
ELSEWHERE = (
    {"Host": "desk.example"},
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Real-IP": "192.0.2.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Original-Forwarded-For": "192.0.2.1"},
    {"CF-Connecting-IP": "192.0.2.1"},
    {"True-Client-IP": "192.0.2.1"},
    {"X-Envoy-External-Address": "192.0.2.1"},
    {"Via": "1.1 proxy"},
    {"Origin": "https://desk.example"},
)

CALL = {"run_id": "run_1", "session_id": "s1", "user_id": "ada", "model": "acme/main", "requested_model": "acme/main"}


def fill(folder: Path, *calls: dict[str, Any]) -> None:
    path = folder / "fondation.db"
    open_store(path).close()
    insert(path, *calls)


@pytest.fixture
async def desk(kitchen: Kitchen) -> Served:
    """A server of which strangers know the name, and whose pages of another origin may call it."""
    fill(
        kitchen.folder,
        {**CALL, "prompt_tokens": 1_200, "completion_tokens": 34, "cost": 0.0078125, "duration": 900},
        {**CALL, "run_id": "run_2", "agent_name": "Triage", "cost": 0.5, "prompt_tokens": 7, "completion_tokens": 1},
    )
    server = "server: {cors: {origins: ['https://desk.example']}}\n"
    return await kitchen.serve(ScriptedProvider([]), ANN + server)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=lambda headers: next(iter(headers)))
@pytest.mark.parametrize("path", ["/admin/usage", "/admin/usage/runs/run_1"])
async def test_nobody_sees_it_from_elsewhere(desk: Served, path: str, headers: dict[str, str]) -> None:
    for accept in (HTML, JSON):
        reply = await desk.ask("GET", path, headers={**headers, **accept})
        assert reply.status == 403
        assert b"0.5" not in reply.body
        assert b"own machine" in reply.body
    assert (await desk.ask("GET", path, headers=JSON)).status == 200


async def test_a_peer_of_another_machine_does_not_see_it(desk: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.BaseRequest, "remote", "192.0.2.1")
    assert (await desk.ask("GET", "/admin/usage")).status == 403


async def test_it_can_be_turned_off(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([]), ANN + "server: {dashboard: false}\n")
    for path in ("/admin/usage", "/admin/usage/runs/run_1", "/admin/usage/dashboard.css"):
        assert (await served.ask("GET", path)).status == 404


async def test_its_pages_run_no_script_and_load_nothing_from_elsewhere(desk: Served) -> None:
    for path in ("/admin/usage", "/admin/usage/runs/run_1", "/admin/usage/dashboard.css", "/admin/usage?since=never"):
        headers = (await desk.ask("GET", path, headers=HTML)).headers
        policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-cache")


@pytest.mark.parametrize("path", ["/admin/usage", "/admin/usage/runs/run_1", "/admin/usage?since=never"])
async def test_all_that_a_page_links_to_is_there(tmp_path: Path, path: str) -> None:
    (tmp_path / "agents.yaml").write_text(ANN)
    fill(tmp_path, CALL)
    app = web.Application()
    app.add_subapp("/ai/", create_app(tmp_path / "agents.yaml"))
    async with TestClient(TestServer(app)) as client:
        page = await client.get(f"/ai{path}", headers=HTML)
        links = re.findall(r'(?:href|src|action)="([^"#][^"]*)"', await page.text())
        assert len(links) >= 3
        for link in links:
            assert (await client.get(page.url.join(URL(html.unescape(link))).relative())).status == 200, link


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/usage/", "/admin/usage/runs", "/admin/usage/runs/"])
async def test_what_people_type_as_well_leads_there(tmp_path: Path, path: str) -> None:
    (tmp_path / "agents.yaml").write_text(ANN)
    app = web.Application()
    app.add_subapp("/ai/", create_app(tmp_path / "agents.yaml"))
    async with TestClient(TestServer(app)) as client:
        assert (await client.get(f"/ai{path}")).url.path == "/ai/admin/usage"


@pytest.mark.parametrize(
    "query", ["user=%ff", "agent=%ed%a0%80", "model=%00", f"user={'x' * 5_000}", "since=%F0%9F%98%80"]
)
async def test_odd_letters_select_nothing(desk: Served, query: str) -> None:
    for form in ("html", "json"):
        assert (await desk.ask("GET", f"/admin/usage?{query}&format={form}")).status in (200, 400)
    assert (await desk.ask("GET", f"/admin/usage/runs/{query.partition('=')[2]}")).status in (400, 404)


async def test_json_and_csv_tell_the_same_figures(desk: Served) -> None:
    told = (await desk.ask("GET", "/admin/usage", headers=JSON)).json
    assert (told["requests"], told["tokens"], told["total"]["cost"]) == (2, 1_242, 0.5078125)
    assert [call["cost"] for call in told["calls"]] == [0.5, 0.0078125]
    assert (await desk.ask("GET", "/admin/usage?format=JSON")).json["total"] == told["total"]
    assert (await desk.ask("GET", "/admin/usage?format=", headers=JSON)).json["total"] == told["total"]
    assert (await desk.ask("GET", "/admin/usage", headers={"Accept": "text/csv"})).body.startswith(b"began_at,")
    for section, column in {"days": "day", "agents": "agent", "models": "model", "users": "user"}.items():
        reply = await desk.ask("GET", f"/admin/usage?format=csv&section={section}")
        *rows, total = csv.DictReader(io.StringIO(reply.body.decode()))
        assert [row[column] for row in rows] == [group[column] for group in told[section]]
        assert [float(row["cost"]) for row in rows] == [group["cost"] for group in told[section]]
        assert float(total["cost"]) == told["total"]["cost"]
        assert reply.headers["Content-Disposition"] == f'attachment; filename="usage-{section}.csv"'
    calls = list(csv.DictReader(io.StringIO((await desk.ask("GET", "/admin/usage?format=csv")).body.decode())))
    assert [*calls[0]][:5] == ["began_at", "agent", "total_tokens", "cost", "model"]
    assert [row["cost"] for row in calls] == ["0.5", "0.0078125"]


async def test_what_is_selected_is_in_every_figure(desk: Served) -> None:
    told = (await desk.ask("GET", "/admin/usage?agent=Triage&format=json")).json
    assert (told["requests"], told["total"]["cost"], len(told["calls"])) == (1, 0.5, 1)
    assert [group["agent"] for group in told["agents"]] == ["Triage"]
    nobody = (await desk.ask("GET", "/admin/usage?user=eve&format=json")).json
    assert (nobody["requests"], nobody["calls"], nobody["users"]) == (0, [], [])
    later = (await desk.ask("GET", "/admin/usage?since=2026-11-24&format=json")).json
    assert (later["requests"], later["since"]) == (0, "2026-11-24T00:00:00+00:00")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=never", 'since: "never" is no period: type 30m, 24h, 7d or 2w'),
        ("until=2026-02-30", "until: 2026-02-30 is not in the calendar"),
        ("since=2026-11-02&until=2026-11-01", "since 2026-11-02 is not before until 2026-11-01"),
        ("format=xml", "format: xml is none of html, json, csv"),
        ("format=csv&section=cats", "there is no section 'cats': type one of calls, days"),
    ],
)
async def test_what_cannot_be_understood_is_told_in_words(desk: Served, query: str, words: str) -> None:
    as_json = await desk.ask("GET", f"/admin/usage?{query}", headers=JSON)
    as_page = await desk.ask("GET", f"/admin/usage?{query}", headers=HTML)
    assert (as_json.status, as_page.status) == (400, 400)
    assert words in as_json.json["error"]
    if "format=csv" not in query:
        assert words in html.unescape(as_page.body.decode())


async def test_a_wrong_period_keeps_the_form(desk: Served) -> None:
    reply = await desk.ask("GET", "/admin/usage?since=never&agent=Triage&user=ann", headers=HTML)
    assert reply.status == 400
    for kept in ('value="never"', 'aria-invalid="true"', '<option value="Triage" selected>', 'value="ann"'):
        assert kept in reply.body.decode()


async def test_a_run_that_is_not_there_is_404(desk: Served) -> None:
    reply = await desk.ask("GET", "/admin/usage/runs/run_9", headers=JSON)
    assert reply.status == 404
    assert "no run or chat with a model call is called" in reply.json["error"]
    assert (await desk.ask("GET", "/admin/usage/runs/run_9", headers=HTML)).status == 404


async def test_a_run_is_told_as_json_as_the_command_tells_it(desk: Served) -> None:
    told = (await desk.ask("GET", "/admin/usage/runs/run_1", headers=JSON)).json
    assert (told["run_id"], told["total"]["cost"], len(told["steps"])) == ("run_1", 0.0078125, 1)
    assert (await desk.ask("GET", "/admin/usage/runs/run_1?format=csv")).status == 400


async def test_a_ledger_that_cannot_be_read_is_503(kitchen: Kitchen) -> None:
    (kitchen.folder / "fondation.db").write_text("no database")
    nothing_kept = ANN.replace("/api/chat: Ann", "/api/chat: {agent: Ann, chats: client}") + "usage: {enabled: false}\n"
    served = await kitchen.serve(ScriptedProvider([]), nothing_kept)
    for path in ("/admin/usage", "/admin/usage/runs/run_1"):
        reply = await served.ask("GET", path, headers=JSON)
        assert (reply.status, "cannot be read" in reply.json["error"]) == (503, True)


async def test_without_a_record_all_is_zero_and_said_why(kitchen: Kitchen) -> None:
    served = await kitchen.serve(ScriptedProvider([]), ANN + "usage: {enabled: false}\n")
    told = (await served.ask("GET", "/admin/usage", headers=JSON)).json
    assert (told["requests"], told["tokens"], told["total"]["cost"], told["calls"]) == (0, 0, 0, [])
    page = (await served.ask("GET", "/admin/usage", headers=HTML)).body.decode()
    assert "usage.enabled is false" in page
