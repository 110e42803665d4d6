"""The cast: every agent, model, tool and route of a `Config`, with all names resolved; all that can be made once is
made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from fondation.handoffs import handoff_tool
from fondation.instructions import PlainText, Template, compile_instructions
from fondation.match_on import Matcher, compile_match
from fondation.memory import MemoryForm, MemoryKind, WorkingMemory
from fondation.messages import Json, SystemMessage, ToolSpec
from fondation.price_table import can_estimate
from fondation.providers import create_provider
from fondation.tools import Tool, open_tool

if TYPE_CHECKING:
    from fondation.calls import RunInfo
    from fondation.config import Config, Limits, Loaded, Memory, ModelConfig, Price, RouteConfig
    from fondation.http import HttpClient
    from fondation.providers.base import Provider

_FORM = frozenset(
    ("logprobs", "parallel_tool_calls", "plugins", "response_format", "stop", "top_logprobs", "verbosity")
)
"""The settings that say what an answer looks like, or what else it may do."""

Simulate: TypeAlias = Literal["none", "missing", "all"]
"""Which models the simulated provider answers: none, those whose key is not set, or all."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    name: str
    """Its name in the file."""
    id: str
    """The provider's name for it."""
    provider: Provider
    retries: int
    price: Price | None
    estimates: bool = False
    """Whether a kept price table may tell what a call cost, where its provider does not."""
    fallbacks: list[Model] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    name: str
    model: Model
    instructions: Template
    tools: Mapping[str, Tool]
    handoffs: Mapping[str, str]
    """The agents it may hand off to: name -> description."""
    specs: tuple[ToolSpec, ...]
    """Its tools as models are told of them, without the handoff tool."""
    specs_with_handoff: tuple[ToolSpec, ...]
    settings: Mapping[str, Mapping[str, Json]]
    """Model name -> request settings, the agent's over the model's."""
    route_only: bool
    max_turns: int | None
    matcher: Matcher | None
    last_messages: int | None = None
    """How many of the chat's newest messages it reads; None is all."""
    memory: MemoryForm | None = None
    """How it keeps a working memory; None where it has none."""
    plain_settings: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Model name -> request settings for what is asked beside an answer: the model's own, without the answer's form."""
    summarizes: bool = False
    """Whether it reads a summary of the oldest turns, where the chat outgrows its model."""

    def system_message(self, run: RunInfo, context: Mapping[str, Json], memory: WorkingMemory) -> SystemMessage:
        """The instructions for a run, behind them the working memory. Raises `InstructionsError`."""
        instructions = self._render(run, context)
        if self.memory is None:
            return SystemMessage(instructions)
        return SystemMessage(f"{instructions}\n\n{self.memory.passage(memory.text(self.memory.kind))}")

    def _render(self, run: RunInfo, context: Mapping[str, Json]) -> str:
        if isinstance(self.instructions, PlainText):
            return self.instructions.text
        now = datetime.now(UTC)
        names = {
            "user_id": run.user_id,
            "session_id": run.session_id,
            "chat_id": run.chat_id,
            "now": now.isoformat(timespec="seconds"),
            "today": now.date().isoformat(),
            "agent": self.name,
            "context": context,
        }
        return self.instructions.render(names)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    path: str
    agent: Agent
    config: RouteConfig
    limits: Limits
    reachable: Mapping[str, Agent]
    """The agents that may answer here: the route's own and whom handoffs lead to."""
    memories: tuple[MemoryKind, ...] = ()
    """The kinds of working memory that they keep."""
    title_model: Model | None = None
    """Writes the titles of chats; None is the agent's own."""
    suggestion_model: Model | None = None
    """Writes the suggestions; None is the agent's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Cast:
    agents: Mapping[str, Agent]
    routes: Mapping[str, Route]
    simulated: tuple[str, ...]
    """The models that are simulated although the file names a provider."""
    models: Mapping[str, Model]
    """All of the file."""
    substitutes: tuple[Model, ...] = ()
    """Those that answer where a budget has no room."""

    @property
    def models_in_use(self) -> list[Model]:
        """Those that may be asked, fallbacks among them."""
        routes = self.routes.values()
        named = [
            *(agent.model for agent in self.agents.values()),
            *(model for route in routes for model in (route.title_model, route.suggestion_model) if model is not None),
            *self.substitutes,
        ]
        return [model for first in named for model in (first, *first.fallbacks)]


def missing_keys(loaded: Loaded) -> dict[str, str]:
    """The models whose API key is not set: model name -> the variable that should hold it."""
    assert loaded.config is not None
    return {
        name: model.key_variable
        for name, model in loaded.config.models.items()
        if model.key_variable and not loaded.environment.get(model.key_variable)
    }


def build_cast(loaded: Loaded, http: HttpClient, simulate: Simulate = "none") -> Cast:
    """Resolve a file without problems. Raises `EntryPointError` where a tool cannot be loaded."""
    config = loaded.config
    assert config is not None
    simulated = _simulated_models(loaded, simulate)
    models = _build_models(loaded, http, simulated)
    tools = {name: open_tool(name, tool) for name, tool in config.tools.items()}
    agents = {name: _build_agent(name, config, models, tools) for name in config.agents}
    routes = {path: _build_route(path, route, agents, models) for path, route in config.routes.items()}
    named = dict.fromkeys(budget.substitute for budget in config.budgets if budget.substitute is not None)
    return Cast(agents, routes, tuple(sorted(simulated)), models, tuple(models[name] for name in named))


def _simulated_models(loaded: Loaded, simulate: Simulate) -> set[str]:
    assert loaded.config is not None
    if simulate == "none":
        return set()
    named = {name for name, model in loaded.config.models.items() if model.provider != "simulated"}
    return named if simulate == "all" else named & missing_keys(loaded).keys()


def _build_models(loaded: Loaded, http: HttpClient, simulated: set[str]) -> dict[str, Model]:
    assert loaded.config is not None
    configs = loaded.config.models
    models = {
        name: Model(
            name=name,
            id=config.id,
            provider=_provider(config, loaded.environment, http, simulated=name in simulated),
            retries=config.retries,
            price=config.price,
            estimates=name not in simulated and can_estimate(config.provider, config.base_url),
        )
        for name, config in configs.items()
    }
    for name, model in models.items():
        model.fallbacks.extend(models[fallback] for fallback in configs[name].fallbacks)
    return models


def _provider(config: ModelConfig, environment: Mapping[str, str], http: HttpClient, *, simulated: bool) -> Provider:
    if simulated:
        config = config.model_copy(update={"provider": "simulated"})
    key = environment.get(config.key_variable) if config.key_variable else None
    return create_provider(config, key, http)


def _build_agent(name: str, config: Config, models: Mapping[str, Model], tools: Mapping[str, Tool]) -> Agent:
    agent = config.agents[name]
    own_tools = {tool: tools[tool] for tool in agent.tools}
    handoffs = {target: config.agents[target].description or "" for target in agent.handoffs}
    memory = _memory_form(agent.memory)
    specs = tuple(tool.spec for tool in own_tools.values())
    if memory is not None:
        specs = (*specs, memory.spec)
    return Agent(
        name=name,
        model=models[agent.model],
        instructions=compile_instructions(agent.instructions),
        tools=own_tools,
        handoffs=handoffs,
        specs=specs,
        specs_with_handoff=(*specs, handoff_tool(handoffs)) if handoffs else specs,
        settings={model: config.models[model].settings.merged(agent.settings).as_request() for model in config.models},
        route_only=agent.route_only,
        max_turns=agent.max_turns,
        matcher=compile_match(agent.match_on) if agent.match_on else None,
        last_messages=agent.last_messages,
        memory=memory,
        plain_settings={model: _plain(config.models[model]) for model in config.models},
        summarizes=agent.memory is not None and agent.memory.summary,
    )


def _memory_form(config: Memory | None) -> MemoryForm | None:
    return None if config is None or config.working is None else MemoryForm(config.working, config.template)


def _plain(model: ModelConfig) -> dict[str, Json]:
    return {name: value for name, value in model.settings.as_request().items() if name not in _FORM}


def _build_route(path: str, config: RouteConfig, agents: Mapping[str, Agent], models: Mapping[str, Model]) -> Route:
    reachable: dict[str, Agent] = {}
    waiting = [config.agent]
    while waiting:
        name = waiting.pop(0)
        if name not in reachable:
            reachable[name] = agents[name]
            waiting.extend(agents[name].handoffs)
    kinds = {agent.memory.kind for agent in reachable.values() if agent.memory is not None}
    return Route(
        path,
        agents[config.agent],
        config,
        config.limits,
        reachable,
        memories=tuple(sorted(kinds)),
        title_model=models[config.titles.model] if config.titles and config.titles.model else None,
        suggestion_model=models[config.suggestions.model] if config.suggestions and config.suggestions.model else None,
    )
