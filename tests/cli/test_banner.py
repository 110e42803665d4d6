"""What `fondation serve` prints: addresses that can be typed, and whatever is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fondation.cli.banner import banner
from fondation.config import load
from fondation.server import create_app

MODELS = "version: 1\nmodels:\n  main: {provider: simulated, id: acme/main}\n  own: {id: llama, base_url: 'http://localhost:1/v1'}\n"
AGENTS = "agents:\n  Ann: {model: main, instructions: x}\n  Bob: {model: own, instructions: x}\n"
ROUTES = "routes:\n  /api/chat: Ann\n  /api/bob: Bob\n"


def printed(folder: Path, text: str) -> str:
    (folder / "agents.yaml").write_text(text)
    loaded = load(folder / "agents.yaml")
    return banner(loaded, create_app(loaded), 8123)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://localhost:8123"),
        ("'::'", "http://localhost:8123"),
        ("'::1'", "http://[::1]:8123"),
        ("desk.internal", "http://desk.internal:8123"),
    ],
)
def test_the_address_is_one_that_can_be_typed(host: str, url: str, tmp_path: Path) -> None:
    text = printed(tmp_path, f"{MODELS}{AGENTS}{ROUTES}server: {{host: {host}}}\n")
    assert f"\n  {url}\n" in text
    assert f"try: curl -N {url}/api/chat " in text


def test_the_chat_page_is_named_where_there_is_one(tmp_path: Path) -> None:
    assert "\n  chat: http://127.0.0.1:8123/\n" in printed(tmp_path, MODELS + AGENTS + ROUTES)
    assert "chat: http" not in printed(tmp_path, MODELS + AGENTS + ROUTES + "server: {page: false}\n")


def test_the_dashboard_is_named_where_this_machine_may_see_it(tmp_path: Path) -> None:
    project = MODELS + AGENTS + ROUTES
    assert "\n  usage: http://127.0.0.1:8123/admin/usage\n" in printed(tmp_path, project)
    assert "usage: http://localhost:8123/admin/usage" in printed(tmp_path, project + "server: {host: 0.0.0.0}\n")
    for server in ("{dashboard: false}", "{host: desk.internal}"):
        assert "admin/usage" not in printed(tmp_path, f"{project}server: {server}\n")


def test_every_route_agent_and_model_has_its_line(tmp_path: Path) -> None:
    lines = [line.split() for line in printed(tmp_path, MODELS + AGENTS + ROUTES).splitlines()]
    assert ["routes", "/api/chat", "Ann"] in lines
    assert ["/api/bob", "Bob"] in lines
    assert ["agents", "Ann"] in lines
    assert ["models", "main", "acme/main", "(simulated)"] in lines
    assert ["own", "llama", "(openai", "at", "localhost:1)"] in lines


def test_without_a_route_it_says_where_to_add_one(tmp_path: Path) -> None:
    assert "There is no route yet: add one under routes." in printed(tmp_path, MODELS + AGENTS)


def test_a_ledger_that_is_off_says_by_which_key(tmp_path: Path) -> None:
    text = printed(tmp_path, MODELS + AGENTS + ROUTES + "usage: {enabled: false}\n")
    assert "ledger  off (usage.enabled)" in text


def test_models_whose_calls_no_budget_can_count_are_told(tmp_path: Path) -> None:
    project = MODELS + AGENTS + ROUTES
    assert "budgets" not in printed(tmp_path, project)
    lines = printed(tmp_path, f"{project}budgets:\n  - {{name: all, limit: $5.00}}\n").splitlines()
    assert "  budgets budgets[0] counts the calls to own as $0: nobody says what they cost" in lines
