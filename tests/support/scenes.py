"""Runs of every kind, in scripts: what protocols must be able to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fondation import ToolError
from fondation.calls import TokenUsage
from fondation.context import RunContext
from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.messages import Json
from fondation.providers.base import AnswerEnd, FilePiece, ReasoningPiece, SourcePiece, TextPiece
from fondation.runner import Run
from tests.support.scripted import (
    Answer,
    FunctionTool,
    Player,
    ScriptedProvider,
    build_route,
    build_run,
    calls,
    handoff,
    text,
)


async def weather(arguments: Json, context: RunContext) -> Json:
    context.emit("progress", {"done": 1})
    return {"city": arguments.get("city"), "degrees": 21}


async def invoice(arguments: Json, context: RunContext) -> Json:
    return {"invoiceId": arguments["invoiceId"], "status": "Paid", "amount": 99.99}


async def chart(arguments: Json, context: RunContext) -> Json:
    context.emit("chart", {"points": [1, 2]}, id="chart-1", transient=False)
    context.emit("chart", {"points": [1, 2, 3]}, id="chart-1", transient=False)
    context.emit("note", None)
    return None


async def refuse(arguments: Json, context: RunContext) -> Json:
    raise ToolError("There is no such city.")


TOOLS = {
    name: FunctionTool(name, function)
    for name, function in {"weather": weather, "check_invoice": invoice, "chart": chart, "refuse": refuse}.items()
}
ANN = {"Ann": Player(tools=[*TOOLS.values()])}
DESK = {
    "Triage": Player(handoffs=("BillingSupport",), route_only=True),
    "BillingSupport": Player(tools=[TOOLS["check_invoice"]], match_on=("refund",)),
}


@dataclass
class Scene:
    script: list[Answer]
    players: dict[str, Player] = field(default_factory=lambda: ANN)
    message: str = "Hello"
    usage: TokenUsage | None = field(default_factory=lambda: TokenUsage(10, 5, 15, cost=0.25))
    prepare: Callable[[Run], None] | None = None

    def run(self) -> Run:
        run = build_run(build_route(ScriptedProvider([*self.script], usage=self.usage), self.players), self.message)
        if self.prepare is not None:
            self.prepare(run)
        return run


def shut_down_soon(run: Run) -> None:
    asyncio.get_running_loop().call_later(0.02, run.deadline.expire, "shutdown")


SCENES = {
    "plain-answer": Scene([text("Hel", "lo \u2028 é 😀")]),
    "tool": Scene([calls(("c1", "weather", {"city": "Lyon"}), before="Let me see."), text("21 degrees.")]),
    "parallel-tools": Scene(
        [calls(("c1", "weather", {"city": "Lyon"}), ("c2", "weather", {"city": "Paris"})), text("Both 21.")]
    ),
    "tool-error": Scene(
        [calls(("c1", "refuse", {}), ("c2", "weather", "{broken"), ("c3", "nothing", {})), text("Sorry.")]
    ),
    "handoff": Scene([handoff("BillingSupport", reason="an invoice"), text("Paid.")], DESK),
    "matched": Scene([text("Here is your refund.")], DESK, "A refund, please"),
    "data-parts": Scene([calls(("c1", "chart", {})), text("A chart.")]),
    "reasoning": Scene([[[ReasoningPiece("Hm. ")], [ReasoningPiece("Yes.")], [TextPiece("42")], [AnswerEnd("stop")]]]),
    "source-and-file": Scene(
        [
            [
                [
                    TextPiece("See "),
                    SourcePiece("https://example.org/a", "A title"),
                    SourcePiece("https://example.org/b"),
                ],
                [FilePiece("data:image/png;base64,AAAA", "image/png")],
                [AnswerEnd("length")],
            ]
        ]
    ),
    "failure-before-the-first-token": Scene([[AuthenticationFailed("401: sk-or-v1-secret")]]),
    "failure-after-the-first-token": Scene([[[TextPiece("So far")], ProviderUnavailable("reset")]]),
    "failure-after-tools": Scene([calls(("c1", "weather", {"city": "Lyon"})), [AuthenticationFailed("401")]]),
    "shutdown": Scene([[[TextPiece("So far")], lambda: asyncio.sleep(60)]], prepare=shut_down_soon),
    "nothing-known-of-the-cost": Scene([text("Hello")], usage=None),
}
