"""Short names for what is on the wire, and for asking a provider."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fondation.calls import ModelCall
from fondation.errors import ProviderError
from fondation.messages import TextPart, UserMessage
from fondation.providers.base import (
    Accepted,
    AnswerEnd,
    ArgumentsPiece,
    ModelRequest,
    Piece,
    Provider,
    ReasoningPiece,
    TextPiece,
    ToolCallPiece,
)

DONE = b"data: [DONE]\n\n"
COMMENT = b": OPENROUTER PROCESSING\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
QUESTION = ModelRequest([UserMessage((TextPart("Hello?"),))])


def event(value: Any) -> bytes:
    """One event; dicts are JSON, text is itself."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def chunk(delta: Any = None, finish: str | None = None, **rest: Any) -> dict[str, Any]:
    """A chunk with one choice, as OpenRouter writes it; `rest` are fields beside the choices."""
    choice = {
        "index": 0,
        "delta": {"content": "", "role": "assistant"} if delta is None else delta,
        "finish_reason": finish,
        "native_finish_reason": finish,
    }
    return {"id": "gen-1", "object": "chat.completion.chunk", "model": "acme/large", "choices": [choice], **rest}


def text(content: str) -> dict[str, Any]:
    return chunk({"content": content, "role": "assistant"})


def call(**fragment: Any) -> dict[str, Any]:
    return chunk({"content": None, "role": "assistant", "tool_calls": [fragment]})


def stream(*values: Any) -> bytes:
    """Events one after the other, `[DONE]` not included."""
    return b"".join(value if isinstance(value, bytes) else event(value) for value in values)


def new_call(provider: str = "openai") -> ModelCall:
    return ModelCall("Agent", provider, "acme/large", ("Agent",))


@dataclass
class Outcome:
    """Everything that came of one call."""

    call: ModelCall
    batches: list[list[Piece]] = field(default_factory=list)
    error: ProviderError | None = None

    @property
    def pieces(self) -> list[Piece]:
        return [piece for batch in self.batches for piece in batch]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, TextPiece))

    @property
    def reasoning(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, ReasoningPiece))

    @property
    def end(self) -> AnswerEnd:
        assert self.error is None, self.error
        last = self.pieces[-1]
        assert isinstance(last, AnswerEnd)
        return last

    @property
    def tools(self) -> list[tuple[str, str]]:
        """(name, arguments) of each call."""
        return [(made.name, made.arguments) for made in self.end.tool_calls]

    def assert_grammar(self) -> None:
        """What `providers.base` promises of every stream of pieces."""
        begun: set[str] = set()
        for number, piece in enumerate(self.pieces):
            match piece:
                case Accepted():
                    assert number == 0
                case ToolCallPiece(id, name):
                    assert id
                    assert name
                    assert id not in begun
                    begun.add(id)
                case ArgumentsPiece(id, more):
                    assert id in begun
                    assert more
                case TextPiece(more) | ReasoningPiece(more):
                    assert more
                case AnswerEnd():
                    assert number == len(self.pieces) - 1
        assert all(self.batches)
        if self.error is None:
            assert isinstance(self.pieces[0], Accepted)
            assert {made.id for made in self.end.tool_calls} == begun
            assert len(self.end.tool_calls) == len(begun)


async def ask(
    provider: Provider, request: ModelRequest = QUESTION, *, on_text: Callable[[str], object] = lambda text: None
) -> Outcome:
    """Ask once, and keep what comes; `on_text` is told all text so far."""
    outcome = Outcome(new_call(provider.name))
    try:
        async with contextlib.aclosing(provider.stream(request, outcome.call)) as pieces:
            async for batch in pieces:
                outcome.batches.append(list(batch))
                if outcome.text:
                    on_text(outcome.text)
    except ProviderError as error:
        outcome.error = error
    outcome.assert_grammar()
    return outcome
