"""The simulated model: it streams what `decide` and `answer` made of the request, at the pace of a model."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from uuid import uuid4

from fondation.calls import FinishReason, ModelCall, TokenUsage
from fondation.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolResult, UserMessage
from fondation.providers.base import (
    Accepted,
    AnswerEnd,
    ArgumentsPiece,
    ModelRequest,
    Piece,
    Pieces,
    TextPiece,
    ToolCallPiece,
)
from fondation.providers.simulated.answer import write_answer
from fondation.providers.simulated.arguments import write_value
from fondation.providers.simulated.beside import write_beside
from fondation.providers.simulated.decide import PlannedCall, decide
from fondation.providers.simulated.mentions import find_mentions
from fondation.providers.simulated.turn import Turn, newest_turn

_WORD = re.compile(r"\s*\S{1,16}(?:\s+$)?")
_ARGUMENT = re.compile(r"[^,:\s]{0,16}[,:\s]*", re.DOTALL)
_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4


class SimulatedProvider:
    """Answers in place of the model `model_id`: deterministic but for its ids, costs nothing, needs no key."""

    name = "simulated"
    receipts = None

    def __init__(self, model_id: str, *, seconds_per_piece: float = 0.02) -> None:
        self._model_id = model_id
        self._seconds_per_piece = seconds_per_piece

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        """Stream an answer, or the tool calls that come before it. Tokens are counted at four characters each,
        also of an answer that is cut off."""
        call.generation_id = f"sim-{uuid4().hex}"
        call.model = self._model_id
        prompt_tokens = _prompt_tokens(request)
        call.usage = _usage(prompt_tokens, 0)
        yield [Accepted()]
        calls: list[ToolCall] = []
        if call.purpose == "answer":
            turn = newest_turn(request.messages)
            calls = [_tool_call(planned) for planned in decide(request, turn, call.handoff_chain)]
            pieces = _call_pieces(calls) if calls else _text_pieces(_answer(request, turn))
        else:
            pieces = _text_pieces(write_beside(call.purpose, request.messages))
        sent = 0
        for piece in pieces:
            if self._seconds_per_piece > 0:
                await asyncio.sleep(self._seconds_per_piece)
            if call.first_token is None:
                call.first_token = time.perf_counter()
            sent += _characters(piece)
            call.usage = _usage(prompt_tokens, _tokens(sent))
            yield [piece]
        finish_reason: FinishReason = "tool-calls" if calls else "stop"
        call.finish_reason = finish_reason
        yield [AnswerEnd(finish_reason, tuple(calls))]


def _answer(request: ModelRequest, turn: Turn) -> str:
    """A sentence; where the request's settings ask for JSON, an object of the shape they ask for."""
    text = write_answer(request, turn)
    match request.settings.get("response_format"):
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return json.dumps(write_value(schema, find_mentions(turn.text)), ensure_ascii=False)
        case {"type": "json_object"}:
            return json.dumps({"answer": text}, ensure_ascii=False)
        case _:
            return text


def _tool_call(planned: PlannedCall) -> ToolCall:
    arguments = json.dumps(planned.arguments, ensure_ascii=False, separators=(",", ":"))
    return ToolCall(f"call_{uuid4().hex[:24]}", planned.tool, arguments)


def _text_pieces(text: str) -> Iterator[Piece]:
    """Word by word, each with the space before it; what has no spaces in parts of 16 characters."""
    return (TextPiece(word) for word in _WORD.findall(text))


def _call_pieces(calls: list[ToolCall]) -> Iterator[Piece]:
    for call in calls:
        yield ToolCallPiece(call.id, call.name)
        yield from (ArgumentsPiece(call.id, part) for part in _ARGUMENT.findall(call.arguments) if part)


def _characters(piece: Piece) -> int:
    match piece:
        case TextPiece(text=text) | ArgumentsPiece(text=text):
            return len(text)
        case ToolCallPiece(name=name):
            return len(name)
        case _:
            return 0


def _prompt_tokens(request: ModelRequest) -> int:
    tools = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in request.tools)
    messages = sum(_length(message) for message in request.messages)
    return _tokens(tools + messages) + _TOKENS_PER_MESSAGE * len(request.messages)


def _length(message: Message) -> int:
    match message:
        case SystemMessage(text=text):
            return len(text)
        case UserMessage():
            return len(message.text)
        case AssistantMessage():
            return len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
        case ToolResult(content=content):
            return len(content)


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)


def _usage(prompt: int, completion: int) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
