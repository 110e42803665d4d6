from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fondation.config import BudgetScope, Config, Memory, ModelConfig, ToolConfig, load
from fondation.config.models import Price
from tests.config.projects import VALID, project

FULL = """
version: 1
models:
  claude:
    provider: openrouter
    id: anthropic/claude-sonnet-4.5
    usage: {include: true}
    settings: {temperature: 0.2, stop: END, extra: {transforms: [middle-out]}}
    retries: 0
    timeout: 90s
    fallbacks: [local]
  local:
    id: qwen
    base_url: http://localhost:8080/v1
    price: {input: 0.5, output: 1}
tools:
  short: desk:short
  long: {python: "desk:long", description: A long one., timeout: 500ms, max_calls: 3}
agents:
  Triage:
    model: claude
    route_only: true
    instructions: Route it.
    handoffs: [Desk]
  Desk:
    model: local
    description: Answers.
    instructions: {file: prompts/desk.md}
    tools: [short, long]
    max_turns: 3
    settings: {temperature: 0}
    match_on: [invoice, '/order #\\d+/i']
    last_messages: 20
    memory: {working: user, template: "# Name", summary: true}
routes:
  /api/chat: Triage
  /api/desk:
    agent: Desk
    sticky: false
    context:
      plan: {type: string, default: free, max_length: 20}
      seats: {type: integer}
    limits: {max_steps: 5, max_body_size: 1MB}
limits: {max_rounds: 3, max_steps: 8, run_timeout: 2m}
budgets:
  - {name: each-user, limit: $2.00, per: user, every: day, warn_at: 80%, on_warn: "desk:warn", on_exceed: {use: local}}
  - {name: dear, limit: $0.5, where: {model: claude, agent: [Triage, Desk]}, on_exceed: stop}
usage: {enabled: production, timezone: Europe/Paris}
storage: {url: "sqlite:///ledger.db"}
server: {host: 0.0.0.0, port: 9000, cors: {origins: ["https://app.example.com"]}, proxies: [10.0.0.0/8], page: false}
"""
DESK = '''
def short() -> str:
    """Short."""
    return ""

def long() -> str:
    return ""

def warn(event) -> None:
    pass
'''


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-simulated")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "desk.md").write_text("You are the desk.\r\nBe kind.\n")
    loaded = load(project(tmp_path, FULL, desk_py=DESK))
    assert loaded.problems == []
    assert loaded.config is not None
    return loaded.config


def test_every_key_arrives(config: Config) -> None:
    claude, local = config.models["claude"], config.models["local"]
    assert (claude.retries, claude.timeout, claude.fallbacks) == (0, 90.0, ["local"])
    assert claude.settings.as_request() == {"temperature": 0.2, "stop": "END", "transforms": ["middle-out"]}
    assert local.price == Price(input=0.5, output=1.0)
    assert config.agents["Desk"].match_on == ["invoice", "/order #\\d+/i"]
    assert config.agents["Desk"].max_turns == 3
    assert config.agents["Triage"].route_only is True
    assert (config.agents["Triage"].last_messages, config.agents["Triage"].memory) == (None, None)
    assert config.agents["Desk"].last_messages == 20
    assert config.agents["Desk"].memory == Memory(working="user", template="# Name", summary=True)
    assert (config.usage.enabled, config.usage.timezone) == ("production", "Europe/Paris")
    assert config.storage.url == "sqlite:///ledger.db"
    assert (config.server.host, config.server.port) == ("0.0.0.0", 9000)
    assert (config.server.cors.origins, config.server.proxies) == (["https://app.example.com"], ["10.0.0.0/8"])
    assert config.server.page is False


def test_budgets_are_a_list(config: Config) -> None:
    each, dear = config.budgets
    assert (each.name, each.limit, each.per, each.every) == ("each-user", 2 * 10**12, "user", "day")
    assert (each.warn_at, each.on_warn, each.substitute) == (Decimal("0.8"), "desk:warn", "local")
    assert (dear.limit, dear.substitute) == (5 * 10**11, None)
    assert dear.where == BudgetScope(agent=["Triage", "Desk"], model=["claude"])


def test_a_short_form_is_the_long_form(config: Config) -> None:
    assert config.tools["short"] == ToolConfig(python="desk:short")
    assert config.tools["long"].timeout == 0.5
    assert config.tools["long"].max_calls == 3
    assert (config.routes["/api/chat"].agent, config.routes["/api/chat"].sticky) == ("Triage", True)
    assert config.routes["/api/desk"].sticky is False


def test_a_routes_limits_go_over_the_global_ones(config: Config) -> None:
    everywhere, desk = config.routes["/api/chat"].limits, config.routes["/api/desk"].limits
    assert (everywhere.max_rounds, everywhere.max_steps, everywhere.run_timeout) == (3, 8, 120.0)
    assert (desk.max_rounds, desk.max_steps, desk.max_body_size) == (3, 5, 1_000_000)
    assert everywhere == config.limits


def test_a_file_of_instructions_is_its_text(config: Config) -> None:
    assert config.agents["Desk"].instructions == "You are the desk.\nBe kind.\n"


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config = load(project(tmp_path, VALID)).config
    assert config is not None
    limits, server = config.limits, config.server
    assert (limits.max_rounds, limits.max_steps, limits.run_timeout) == (5, 10, 300.0)
    assert (limits.max_body_size, limits.max_tool_result) == (4_000_000, 256_000)
    assert (limits.max_message_length, limits.max_concurrent_runs) == (None, 500)
    assert (server.host, server.port, server.cors.origins, server.proxies) == ("127.0.0.1", 8000, [], [])
    assert server.page is True
    assert (config.usage.enabled, config.usage.timezone, config.storage.url) == (True, "UTC", None)
    model = config.models["sim"]
    assert (model.retries, model.timeout, model.fallbacks, model.price) == (2, 60.0, [], None)
    assert ToolConfig(python="a:b").timeout == 30.0


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ({"provider": "openrouter", "id": "a"}, "OPENROUTER_API_KEY"),
        ({"provider": "openrouter", "id": "a", "base_url": "https://gateway.example.com"}, "OPENROUTER_API_KEY"),
        ({"id": "a"}, "OPENAI_API_KEY"),
        ({"id": "a", "base_url": "http://127.0.0.1:8080/v1"}, None),
        ({"id": "a", "base_url": "https://llm.example.com", "api_key_env": "MY_KEY"}, "MY_KEY"),
        ({"provider": "openrouter", "id": "a", "api_key_env": "MY_KEY"}, "MY_KEY"),
        ({"provider": "simulated"}, None),
    ],
)
def test_the_variable_of_a_models_key(model: dict[str, str], variable: str | None) -> None:
    assert ModelConfig.model_validate(model).key_variable == variable
