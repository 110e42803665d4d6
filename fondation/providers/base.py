"""The contract of a provider: one model call, streamed as batches of pieces.

A provider turns whatever its server sends into this grammar and hides every quirk of the wire: tool call ids are unique
and never empty, arguments are text, a call's pieces come after its start, and the last piece of an answer is
`AnswerEnd`. It writes what it learns (generation id, model, usage, first token) into the `ModelCall` at once, raises
one of the `ProviderError`s when the call fails, and knows nothing of retries, agents or the ledger.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import msgspec

from fondation.calls import FinishReason, ModelCall, TokenUsage
from fondation.messages import Json, Message, ToolCall, ToolSpec


@dataclass(frozen=True, slots=True)
class ForcedTool:
    """The model must call this tool."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | ForcedTool


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model turn to ask for."""

    messages: Sequence[Message]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = "auto"
    settings: Mapping[str, Json] = field(default_factory=dict)
    """Request body fields: the model's and the agent's settings, merged."""
    user_id: str | None = None
    """Never sent as it is: a provider that wants one gets a hash."""
    session_id: str | None = None
    handoffs: Mapping[str, str] = field(default_factory=dict)
    """The targets of the handoff tool, name -> description; the tool itself is among `tools`."""


class Piece(msgspec.Struct, frozen=True, gc=False):
    """The base of all pieces."""


class Accepted(Piece, frozen=True):
    """The first piece: the server took the call. `ModelCall.generation_id` is set if the server gives one."""


class TextPiece(Piece, frozen=True):
    text: str


class ReasoningPiece(Piece, frozen=True):
    text: str


class ToolCallPiece(Piece, frozen=True):
    """The model begins a tool call."""

    id: str
    name: str


class ArgumentsPiece(Piece, frozen=True):
    """More of a begun call's arguments, as JSON text."""

    id: str
    text: str


class SourcePiece(Piece, frozen=True):
    url: str
    title: str | None = None


class FilePiece(Piece, frozen=True):
    url: str
    media_type: str


class AnswerEnd(Piece, frozen=True):
    """The last piece: the model turn is complete, usage included."""

    finish_reason: FinishReason
    tool_calls: tuple[ToolCall, ...] = ()
    """Each once; in the order in which they began, and any that had no piece behind them."""
    reasoning_details: tuple[Json, ...] | None = None


Pieces: TypeAlias = AsyncGenerator[list[Piece], None]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider says of a call that has ended; None is what it does not say."""

    usage: TokenUsage
    """With its `cost`."""
    model: str | None = None
    finish_reason: FinishReason | None = None


class Receipts(Protocol):
    """The receipts that a provider keeps of one account's calls. Two of the same account are equal."""

    async def find(self, generation_id: str) -> Receipt | None:
        """The receipt of a call; None where there is none, or none yet. Raises `ProviderError`."""
        ...


class Provider(Protocol):
    """One model at one provider."""

    name: str
    """The provider's name in YAML and in the ledger."""

    @property
    def receipts(self) -> Receipts | None:
        """Where to ask what earlier calls cost; None where the provider keeps no receipts."""
        ...

    def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        """Send the call when the first batch is asked for; yield at least `Accepted` and `AnswerEnd`.

        Raises `ProviderError`. Closing the generator, or cancelling it, ends the upstream request at once (a call
        whose headers have not come yet is awaited up to 5 s, where they bring a generation id).
        """
        ...
