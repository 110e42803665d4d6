"""A model call as the ledger sees it: one attempt, the unit that costs money.

The runner opens a `ModelCall`, the provider writes into it what it learns (an abort can come between any two bytes, so
the record is live, not a return value), and the recorder stores it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import msgspec

Method: TypeAlias = Literal["stream", "generate"]
CallStatus: TypeAlias = Literal["running", "done", "refused", "error", "aborted", "lost"]
CostSource: TypeAlias = Literal["billed", "priced", "estimated", "none", "simulated", "unknown", "pending"]
Purpose: TypeAlias = Literal["answer", "title", "suggestions", "summary"]
"""What a call is for: the answer itself, or something beside it."""
CostNote: TypeAlias = Literal[
    "no_usage", "no_price", "no_generation_id", "no_receipts", "no_model", "not_found", "refused", "unavailable"
]
"""Why a cost is unknown: the provider told no usage, or not all of it; it told tokens alone, and nobody their price; it
keeps receipts, but the call has no id; it keeps none; no model of the file is at that provider; it does not know the
call; it refuses to say; it does not answer."""
FinishReason: TypeAlias = Literal["stop", "length", "tool-calls", "content-filter", "error", "other"]


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens and money of one call, as its provider reported them. None is unknown, never zero."""

    prompt_tokens: int | None = None
    """Input tokens, cached ones included."""
    completion_tokens: int | None = None
    """Output tokens, reasoning included."""
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    """US dollars that the provider says it charged."""
    upstream_cost: float | None = None
    """US dollars that the upstream charged to one's own key; part of the cost only when `is_byok`."""
    is_byok: bool | None = None

    @property
    def total(self) -> int | None:
        """All tokens: as reported, else the sum of what is known."""
        if self.total_tokens is not None:
            return self.total_tokens
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)


class Spent(NamedTuple):
    """What some calls took together."""

    usage: TokenUsage
    """Sums of what is known; None where nothing is."""
    cost_source: CostSource
    """The least certain among the calls, `unknown` the least of all: `usage.cost` misses such calls."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who asked for a run, and under which ids."""

    run_id: str
    session_id: str
    user_id: str | None = None
    chat_id: str | None = None
    method: Method = "stream"


class Reservation(NamedTuple):
    """Money that is set aside for one call, before it is sent."""

    token: str
    counters: tuple[str, ...]
    """The keys of the counters, one of each budget that the call belongs to."""


@dataclass(slots=True, eq=False)
class ModelCall:
    """One attempt, from before it is sent until nothing more of it comes."""

    agent: str
    provider: str
    requested_model: str
    handoff_chain: tuple[str, ...]
    """The agents of the run up to this one."""
    round: int = 1
    step: int = 1
    """0 for a call that is not for the answer."""
    attempt: int = 1
    """1 for the first call of a step; retries and fallbacks count on."""
    purpose: Purpose = "answer"

    started_at: float = field(default_factory=time.time)
    """Unix seconds."""
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    ended: float | None = None

    generation_id: str | None = None
    model: str | None = None
    """The model that answered, as the provider names it."""
    usage: TokenUsage | None = None
    is_usage_final: bool = True
    """False while `usage` counts what came so far: some providers report it with every chunk."""
    finish_reason: FinishReason | None = None
    status: CallStatus = "running"
    error_type: str | None = None
    charged: bool | None = None
    """False when the provider surely charged nothing."""
    cost: float | None = None
    """US dollars in all, set when the call is priced; None while unknown."""
    cost_source: CostSource = "pending"
    """A call that has ended stays pending where its provider is going to be asked what it cost."""
    cost_note: CostNote | None = None
    """Why the cost is unknown; None where it is not."""
    askable: bool = False
    """Whether the provider can be asked what a call cost that has ended."""
    reservation: Reservation | None = None
    """None where no budget counts the call."""

    @property
    def is_unsent(self) -> bool:
        """Whether it ended before it was sent: then no row is kept of it."""
        return self.status == "aborted" and self.charged is False

    @property
    def duration_ms(self) -> int:
        """Milliseconds until the last byte, or until now."""
        return round(((self.ended or time.perf_counter()) - self.started) * 1000)

    @property
    def time_to_first_token_ms(self) -> int | None:
        return None if self.first_token is None else round((self.first_token - self.started) * 1000)
