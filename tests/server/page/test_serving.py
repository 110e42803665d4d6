"""The chat page's files: how they are answered, and what a browser may do with them."""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fondation import create_app
from fondation.server.assets import CONTENT_TYPES, load_assets
from fondation.server.page import FOLDER
from tests.support.scripted import ScriptedProvider
from tests.support.served import ANN, Kitchen, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main}
tools:
  locate: {runs_on: client, description: Where the user is., parameters: {type: object}}
  unused: {runs_on: client, description: Nobody uses it., parameters: {type: object}}
agents:
  Triage: {model: main, instructions: Route., handoffs: [Desk]}
  Desk: {model: main, description: Helps., instructions: Help., tools: [locate], handoffs: [Triage]}
  Other: {model: main, instructions: You are another.}
routes:
  /api/desk:
    agent: Triage
    client: 6
    context: {plan: {type: string, default: basic, max_length: 9}}
    limits: {max_body_size: 1MB, max_message_length: 99}
  /api/other: {agent: Other, chats: client}
"""


async def serve(kitchen: Kitchen, file: str = ANN) -> Served:
    return await kitchen.serve(ScriptedProvider([]), file)


async def test_the_page_is_at_the_root(kitchen: Kitchen) -> None:
    reply = await (await serve(kitchen)).ask("GET", "/")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert reply.body == (FOLDER / "index.html").read_bytes()


async def test_every_file_is_answered_with_its_type(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    for name, asset in load_assets(FOLDER, {}).items():
        reply = await served.ask("GET", f"/@page/{name}")
        assert (reply.status, reply.body) == (200, asset.body)
        assert reply.headers["Content-Type"] == f"{asset.content_type}; charset=utf-8"


async def test_a_browser_may_load_nothing_from_elsewhere_and_run_nothing_inline(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    for path in ("/", "/@page/main.js", "/@page/page.css"):
        headers = (await served.ask("GET", path)).headers
        policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert policy["img-src"] == "'self' data: blob:"
        assert {policy[name] for name in ("frame-ancestors", "base-uri", "form-action")} == {"'none'"}
        assert policy["require-trusted-types-for"] == "'script'"
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


async def test_a_file_that_the_browser_has_is_not_sent_again(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    first = await served.ask("GET", "/@page/main.js")
    again = await served.ask("GET", "/@page/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert first.headers["Cache-Control"] == "no-cache"  # it is asked for each time: a new version shows at once
    changed = await served.ask("GET", "/@page/main.js", headers={"If-None-Match": '"another"'})
    assert (changed.status, changed.body) == (200, first.body)


async def test_a_file_that_is_not_there_is_404(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    for path in ("/@page/nothing.js", "/@page/../assets.py", "/@page/%2e%2e/assets.py", "/@page/", "/@page"):
        assert (await served.ask("GET", path)).status == 404


async def test_without_the_page_there_is_nothing_at_the_root(kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN + "server: {page: false}\n")
    for path in ("/", "/@page/main.js", "/@page/routes"):
        assert (await served.ask("GET", path)).status == 404


async def test_the_page_is_told_of_the_routes(kitchen: Kitchen) -> None:
    desk, other = (await (await serve(kitchen, DESK)).ask("GET", "/@page/routes")).json["routes"]
    assert desk == {
        "path": "/api/desk",
        "agent": "Triage",
        "agents": [{"name": "Triage", "description": ""}, {"name": "Desk", "description": "Helps."}],
        "chats": "server",
        "client": 6,
        "context": [{"name": "plan", "type": "string", "default": "basic", "maxLength": 9}],
        "clientTools": {"locate": "Where the user is."},
        "maxBody": 1_000_000,
        "maxMessage": 99,
    }
    assert (other["path"], other["chats"], other["client"], other["clientTools"]) == ("/api/other", "client", 5, {})


async def test_the_page_is_told_of_the_dashboard_that_this_browser_may_see(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    assert (await served.ask("GET", "/@page/routes")).json["dashboard"] == "admin/usage"
    elsewhere = await served.ask("GET", "/@page/routes", headers={"X-Forwarded-For": "192.0.2.1"})
    assert elsewhere.json["dashboard"] is None
    without = await serve(kitchen, ANN + "server: {dashboard: false}\n")
    assert (await without.ask("GET", "/@page/routes")).json["dashboard"] is None


async def test_the_page_works_under_a_prefix(tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(ANN)
    app = web.Application()
    app.add_subapp("/ai/", create_app(file))
    async with TestClient(TestServer(app)) as client:
        page = await (await client.get("/ai/")).text()
        addresses = re.findall(r'(?:href|src)="([^"]+)"', page)
        assert addresses
        for address in addresses:
            assert (await client.get(f"/ai/{address}")).status == 200
        assert (await (await client.get("/ai/@page/routes")).json())["routes"][0]["path"] == "/api/chat"


def test_every_file_of_the_folder_is_served() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= CONTENT_TYPES.keys()
    assert len(load_assets(FOLDER, {})) == len(files)
