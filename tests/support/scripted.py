"""A provider that plays a script, and casts made in code around it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from fondation.agents import Agent, Model, Route
from fondation.calls import FinishReason, ModelCall, RunInfo, TokenUsage
from fondation.config import Limits, RouteConfig
from fondation.context import RunContext
from fondation.events import Batch, Event
from fondation.gate import Gate, always_go
from fondation.handoffs import TOOL_NAME, handoff_tool
from fondation.instructions import compile_instructions
from fondation.match_on import compile_match
from fondation.memory import MemoryForm, WorkingMemory
from fondation.messages import Json, Message, TextPart, ToolCall, ToolSpec, UserMessage
from fondation.providers.base import (
    Accepted,
    AnswerEnd,
    ArgumentsPiece,
    ModelRequest,
    Piece,
    Pieces,
    Receipts,
    TextPiece,
    ToolCallPiece,
)
from fondation.routing import choose_agent
from fondation.run_request import RunRequest, ToolAnswer
from fondation.runner import Run
from fondation.tools.base import Wait

Step: TypeAlias = Sequence[Piece] | Exception | Callable[[], Any]
"""A batch of pieces, an error to raise, or something to await."""
Answer: TypeAlias = Sequence[Step]


def text(*deltas: str, finish: FinishReason = "stop") -> Answer:
    return [*([TextPiece(delta)] for delta in deltas), [AnswerEnd(finish)]]


def calls(*wanted: tuple[str, str, Json], before: str = "") -> Answer:
    """Tool calls (id, name, arguments), perhaps with text before them."""
    steps: list[Step] = [[TextPiece(before)]] if before else []
    made = [
        ToolCall(id, name, arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode())
        for id, name, arguments in wanted
    ]
    for call in made:
        steps.append([ToolCallPiece(call.id, call.name), ArgumentsPiece(call.id, call.arguments)])
    return [*steps, [AnswerEnd("tool-calls", tuple(made))]]


def handoff(target: str, *, id: str = "h1", before: str = "", **more: str) -> Answer:
    return calls((id, TOOL_NAME, {"targetAgent": target, **more}), before=before)


@dataclass
class ScriptedProvider:
    """Answers the n-th call with the n-th answer of its script, and remembers what it was asked.

    What is asked beside the answer has scripts of its own, by its purpose.
    """

    script: list[Answer]
    name: str = "openrouter"
    usage: TokenUsage | None = field(default_factory=lambda: TokenUsage(10, 5, 15, cost=0.25))
    requests: list[ModelRequest] = field(default_factory=list)
    closed: int = 0
    beside: dict[str, list[Answer]] = field(default_factory=dict)
    asked_beside: list[tuple[ModelCall, ModelRequest]] = field(default_factory=list)
    receipts: Receipts | None = None

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        if call.purpose == "answer":
            self.requests.append(request)
            answer = self.script.pop(0)
            call.generation_id = f"gen-{len(self.requests)}"
        else:
            self.asked_beside.append((call, request))
            answer = self.beside[call.purpose].pop(0)
        try:
            if not (answer and isinstance(answer[0], Exception)):
                yield [Accepted()]
            for step in answer:
                if isinstance(step, Exception):
                    raise step
                if callable(step):
                    await step()
                    continue
                if call.first_token is None and not isinstance(step[0], AnswerEnd):
                    call.first_token = 1.0
                if isinstance(step[-1], AnswerEnd):
                    call.model, call.usage = f"{call.requested_model}-2026", self.usage
                    call.finish_reason = step[-1].finish_reason
                yield list(step)
        finally:
            self.closed += 1


@dataclass
class FunctionTool:
    """A tool from a plain async function of its arguments and the context."""

    name: str
    function: Callable[[dict[str, Json], RunContext], Any]
    timeout: float = 5.0
    max_calls: int | None = None
    wait: Wait | None = None

    def __post_init__(self) -> None:
        self.spec = ToolSpec(self.name, f"The tool {self.name}.")

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        return self.wait

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        return await self.function(arguments, context)


@dataclass
class Player:
    """An agent of a scripted cast."""

    tools: Sequence[FunctionTool] = ()
    handoffs: Sequence[str] = ()
    route_only: bool = False
    max_turns: int | None = None
    last_messages: int | None = None
    summarizes: bool = False
    match_on: Sequence[str] = ()
    instructions: str = "You are {{ agent }}."
    memory: MemoryForm | None = None


def build_route(provider: ScriptedProvider, players: Mapping[str, Player], **config: Any) -> Route:
    """A route to the first player; all share one model."""
    return build_route_on(Model("main", "acme/main", provider, retries=2, price=None), players, **config)


def build_route_on(model: Model, players: Mapping[str, Player], **config: Any) -> Route:
    agents = {name: _agent(name, player, model) for name, player in players.items()}
    first = next(iter(agents))
    limits = Limits(**config.pop("limits", {}))
    return Route("/api/chat", agents[first], RouteConfig(agent=first, **config), limits, agents)


def _agent(name: str, player: Player, model: Model) -> Agent:
    handoffs = {target: f"{target} knows." for target in player.handoffs}
    specs = tuple(tool.spec for tool in player.tools)
    if player.memory is not None:
        specs = (*specs, player.memory.spec)
    return Agent(
        name=name,
        model=model,
        instructions=compile_instructions(player.instructions),
        tools={tool.name: tool for tool in player.tools},
        handoffs=handoffs,
        specs=specs,
        specs_with_handoff=(*specs, handoff_tool(handoffs)) if handoffs else specs,
        settings={candidate.name: {} for candidate in (model, *model.fallbacks)},
        route_only=player.route_only,
        max_turns=player.max_turns,
        last_messages=player.last_messages,
        plain_settings={candidate.name: {} for candidate in (model, *model.fallbacks)},
        summarizes=player.summarizes,
        matcher=compile_match(player.match_on) if player.match_on else None,
        memory=player.memory,
    )


def build_run(
    route: Route,
    message: str = "Hello",
    *,
    gate: Gate = always_go,
    before: Sequence[Message] = (),
    answers: tuple[ToolAnswer, ...] = (),
    memory: WorkingMemory | None = None,
    **options: Any,
) -> Run:
    """A run of one message; `before` stands behind it, where an earlier run stopped for `answers`."""
    request = RunRequest(
        info=RunInfo("run_1", "s1", user_id="u1", chat_id="c1"),
        route=route,
        start=choose_agent(route, message, **options),
        messages=(UserMessage((TextPart(message),), "m1"), *before),
        message_id="msg_1",
        answers=answers,
        memory=memory or WorkingMemory(),
    )
    return Run(request, gate)


async def play(run: Run, *, seconds: float = 5.0) -> list[Event]:
    """Every event of a run."""
    told: Batch = []
    async with asyncio.timeout(seconds), contextlib.aclosing(run.events()) as batches:
        async for batch in batches:
            assert batch, "no empty batches"
            told.extend(batch)
    return told
