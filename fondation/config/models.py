"""The format of agents.yaml. The text under each field is what an editor shows when the mouse rests on the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from fondation.config import scalars
from fondation.config.base import (
    BaseUrl,
    Duration,
    EntryPoint,
    Host,
    Origin,
    Section,
    Text,
    VariableName,
    text_schema,
)
from fondation.config.budgets import BudgetConfig
from fondation.config.routes import Limits, RouteConfig
from fondation.config.settings import Settings
from fondation.config.tools import ToolConfig

Name = Annotated[str, StringConstraints(pattern=f"^{scalars.NAME.core}$")]
ToolName = Annotated[str, StringConstraints(pattern=f"^{scalars.TOOL_NAME.core}$")]
RoutePath = Annotated[str, StringConstraints(pattern=f"^{scalars.ROUTE_PATH.core}$")]
Dollars = Annotated[float, Field(ge=0)]

Instructions = Annotated[
    str,
    WithJsonSchema(
        {
            "type": ["string", "object"],
            **text_schema(scalars.NOT_BLANK),
            "properties": {
                "file": {
                    "type": "string",
                    "minLength": 1,
                    "description": "A text file in the project's folder, like prompts/triage.md.",
                }
            },
            "required": ["file"],
            "additionalProperties": False,
        }
    ),
]

KEY_VARIABLES = {"openrouter": "OPENROUTER_API_KEY", "openai": "OPENAI_API_KEY"}


class Price(Section):
    """What a model costs, for providers that bill no cost themselves: dollars per million tokens."""

    input: Dollars | None = None
    """Dollars per million tokens read."""
    output: Dollars | None = None
    """Dollars per million tokens written."""
    cached_input: Dollars | None = None
    """Dollars per million tokens read from the provider's cache."""
    cache_write: Dollars | None = None
    """Dollars per million tokens written to the provider's cache."""


class UsageRequest(Section):
    """Accepted for those who come from other libraries: every model call's usage is recorded anyway."""

    include: bool = True
    """Nothing depends on it."""


class ModelConfig(Section):
    """A model and how it is called."""

    provider: Literal["openrouter", "openai", "simulated"] = "openai"
    """openrouter; openai (OpenAI itself, or with base_url any chat-completions server); simulated (no network)."""
    id: Text = "simulated"
    """The model's name at its provider, like anthropic/claude-sonnet-4.5."""
    base_url: BaseUrl | None = None
    """Another server that speaks the same protocol; https unless it is on this machine."""
    api_key_env: VariableName | None = None
    """The environment variable that holds the key; by default OPENROUTER_API_KEY or OPENAI_API_KEY."""
    settings: Settings = Settings()
    """Settings of every call to this model; an agent's settings go over them."""
    usage: UsageRequest | None = None
    """Accepted and not needed: usage is always recorded."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a call that failed before its first token is tried again."""
    timeout: Duration = 60.0
    """The longest silence of the provider; before the first token at most twice that."""
    fallbacks: list[str] = Field(default_factory=list, json_schema_extra={"uniqueItems": True})
    """Models tried in this order when this one fails before its first token."""
    price: Price | None = None
    """Dollars per million tokens, for providers that bill no cost themselves."""

    @property
    def key_variable(self) -> str | None:
        """The environment variable that holds the API key; None where no key is needed.

        A server of one's own (provider openai with a base_url) needs none unless api_key_env names one.
        """
        if self.provider == "simulated":
            return None
        if self.api_key_env is not None:
            return self.api_key_env
        if self.provider == "openai" and self.base_url is not None:
            return None
        return KEY_VARIABLES[self.provider]


class Memory(Section):
    """What an agent keeps of a chat that its messages do not hold."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    working: Literal["chat", "user"] | None = None
    """chat or user: the agent writes down what it should not forget, for this chat or for all chats of its user."""
    template: Text | None = None
    """What the working memory looks like at first, for the agent to fill in, like a list of headings."""
    summary: bool = False
    """When a chat outgrows the model, its oldest turns become a summary; without it they are left out."""


class AgentConfig(Section):
    """An agent: a model, its instructions, and what it may use."""

    model: str
    """The name of one of the models."""
    description: Text | None = None
    """What the agents that may hand off to this one read about it."""
    instructions: Instructions
    """What the agent is told first: text (a Jinja2 template), or {file: prompts/agent.md}."""
    tools: list[str] = Field(default_factory=list, json_schema_extra={"uniqueItems": True})
    """The names of the tools that the agent may call."""
    handoffs: list[str] = Field(default_factory=list, json_schema_extra={"uniqueItems": True})
    """The names of the agents that this one may pass the conversation to."""
    max_turns: int | None = Field(default=None, ge=1)
    """The most model turns in one round; by default limits.max_steps."""
    settings: Settings = Settings()
    """Settings that go over the model's, name by name."""
    route_only: bool = False
    """The agent must hand off: it answers nothing itself and its text is never shown."""
    match_on: list[str] = Field(default_factory=list)
    """Words, or quoted '/regex/i', in a message that bring it here without a model call."""
    last_messages: int | None = Field(default=None, ge=1)
    """How many of the chat's newest messages the agent reads; by default all. An answer is one with its calls."""
    memory: Memory | None = None
    """What the agent keeps of a chat besides its last messages."""


class Usage(Section):
    """The ledger of model calls."""

    enabled: Annotated[
        bool | Literal["production"],
        WithJsonSchema({"type": ["boolean", "string"], "pattern": f"^(?:production|{scalars.VARIABLE})$"}),
    ] = True
    """true, false, or production: only when FONDATION_ENV is production."""
    timezone: Text = "UTC"
    """The time zone of days and months in reports, like Europe/Paris."""
    on_usage: EntryPoint | None = None
    """A function, sync or async, that is given an event for each model call once its cost is known, or given up."""
    on_error: EntryPoint | None = None
    """A function that is given the error and the event where on_usage fails."""


class Storage(Section):
    """Where the ledger is kept."""

    url: Text | None = None
    """A SQLite file, like sqlite:///fondation.db; by default DATABASE_URL, then fondation.db."""


class Cors(Section):
    """Pages of other origins that may call this server."""

    origins: list[Origin] = Field(default_factory=list, json_schema_extra={"uniqueItems": True})
    """The origins, like https://app.example.com; "*" is every one."""


class Server(Section):
    """Where `fondation serve` listens."""

    host: Host = "127.0.0.1"
    """The address to listen on; 0.0.0.0 is every one."""
    port: int = Field(default=8000, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    cors: Cors = Cors()
    """Which pages of other origins may call the server."""
    proxies: list[Text] = Field(default_factory=list)
    """Proxies in front, by address or network like 10.0.0.0/8: they say who the user is, and any Host."""
    page: bool = True
    """Whether the server has a chat page, at /."""
    dashboard: bool = True
    """Whether the server shows what calls cost, at /admin/usage, to who sits at this machine."""


class Config(Section):
    """Agents, and what they have: the whole of agents.yaml."""

    version: Literal[1]
    """The version of the format."""
    models: dict[Name, ModelConfig] = Field(min_length=1)
    """The models, by a name of your own."""
    tools: dict[ToolName, ToolConfig] = Field(default_factory=dict)
    """The tools, by the name that the model sees."""
    agents: dict[Name, AgentConfig] = Field(min_length=1)
    """The agents, by name."""
    routes: dict[RoutePath, RouteConfig] = Field(default_factory=dict)
    """The paths of the server, each with the agent that answers there."""
    limits: Limits = Limits()
    """What each run may use; a route may have its own."""
    budgets: list[BudgetConfig] = Field(default_factory=list)
    """What model calls may cost: every budget that a call falls under must have room for it."""
    usage: Usage = Usage()
    """Whether and how model calls are recorded."""
    storage: Storage = Storage()
    """Where the ledger is kept."""
    server: Server = Server()
    """Where the server listens."""

    @model_validator(mode="before")
    @classmethod
    def _long_forms(cls, data: Any) -> Any:
        """Write short forms out, and put each route's limits over the global ones."""
        if not isinstance(data, Mapping):
            return data
        limits = data.get("limits", {})
        tools = {name: ToolConfig.long_form(tool) for name, tool in data.get("tools", {}).items()}
        routes = {path: _with_limits(route, limits) for path, route in data.get("routes", {}).items()}
        return {**data, "tools": tools, "routes": routes}


def _with_limits(route: object, limits: Mapping[str, Any]) -> object:
    long = RouteConfig.long_form(route)
    return {**long, "limits": {**limits, **long.get("limits", {})}} if isinstance(long, dict) else long
