"""Whatever models and tools do, the events of a run keep the grammar, and its stream is one that every client reads."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation import ToolError
from fondation.errors import BadAnswer, ProviderUnavailable
from fondation.handoffs import TOOL_NAME
from fondation.messages import ToolCall
from fondation.protocols.ui_message_stream import encode
from fondation.providers.base import (
    AnswerEnd,
    ArgumentsPiece,
    FilePiece,
    Piece,
    ReasoningPiece,
    SourcePiece,
    TextPiece,
    ToolCallPiece,
)
from tests.support.chunks import assert_acceptable, parse
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Answer, FunctionTool, Player, ScriptedProvider, Step, build_route, build_run, play
from tests.support.scripted import text as text_answer

ARGUMENTS = ["{}", '{"a": 1}', "{broken", "[]", ""]
TARGETS = ['{"targetAgent": "B"}', '{"targetAgent": "A"}', '{"targetAgent": "X"}', "{"]

plain_pieces = st.sampled_from(
    [TextPiece("a"), ReasoningPiece("r"), SourcePiece("https://example.org"), FilePiece("data:,x", "text/plain")]
)
tool_calls = st.one_of(
    st.tuples(st.sampled_from(["ok", "bad", "crash", "unknown"]), st.sampled_from(ARGUMENTS)),
    st.tuples(st.just(TOOL_NAME), st.sampled_from(TARGETS)),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """A model turn: pieces in any order, some calls, perhaps a failure in the middle."""
    pieces: list[Piece] = draw(st.lists(plain_pieces, max_size=4))
    made = [
        ToolCall(f"c{n}", name, arguments) for n, (name, arguments) in enumerate(draw(st.lists(tool_calls, max_size=3)))
    ]
    for call in made:
        position = draw(st.integers(0, len(pieces)))
        pieces[position:position] = [ToolCallPiece(call.id, call.name), ArgumentsPiece(call.id, call.arguments)]
    steps: list[Step] = [[piece] for piece in pieces]
    cut = draw(st.sampled_from([None, None, None, BadAnswer("cut"), ProviderUnavailable("gone"), RuntimeError("bug")]))
    if cut is not None:
        return [*steps[: draw(st.integers(0, len(steps)))], cut]
    return [*steps, [AnswerEnd("stop", tuple(made))]]


async def ok(arguments: Any, context: Any) -> Any:
    context.emit("note", 1)
    return arguments


async def bad(arguments: Any, context: Any) -> Any:
    raise ToolError("no")


async def crash(arguments: Any, context: Any) -> Any:
    raise RuntimeError("no")


TOOLS = (FunctionTool("ok", ok), FunctionTool("bad", bad), FunctionTool("crash", crash))


@given(script=st.lists(answers(), max_size=6), route_only=st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_run_is_well_formed(script: list[Answer], route_only: bool) -> None:
    players = {
        "A": Player(tools=TOOLS, handoffs=("B",), route_only=route_only),
        "B": Player(tools=TOOLS, handoffs=("A",), max_turns=2),
    }
    provider = ScriptedProvider([*script, *[text_answer("end")] * 20])
    route = build_route(provider, players, limits={"max_rounds": 3, "max_steps": 3})
    for model in {agent.model.name: agent.model for agent in route.reachable.values()}.values():
        object.__setattr__(model, "retries", 0)

    async def scenario() -> None:
        told = await play(build_run(route))
        assert_well_formed(told)
        assert_acceptable(parse(encode(told)))
        assert provider.closed == len(provider.requests)

    asyncio.run(scenario())
