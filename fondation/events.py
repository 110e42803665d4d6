"""What happens in a run. The runner makes these; recorders, encoders and pages watch them go by.

What flows is a batch, `list[Event]`: all that one upstream read gave. The runner owns the grammar: what is started is
finished, also before a failure, ids are unique, and the last event is the outcome. Structs of msgspec rather than
dataclasses, because one is made for every token.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Literal, TypeAlias

import msgspec

from fondation.calls import CostSource, ModelCall, Spent, TokenUsage
from fondation.messages import Json

Strategy: TypeAlias = Literal["llm", "programmatic", "explicit"]
"""Why an agent has the conversation: a model's handoff, `match_on`, or the client's `agentChoice`."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """The base of all events."""


class EarlierRuns(msgspec.Struct, frozen=True):
    """The runs that wrote the beginning of a message, with which another run goes on: after an approval, say."""

    run_ids: tuple[str, ...]
    handoff_chain: tuple[str, ...]
    spent: Spent


class RunStarted(Event, frozen=True):
    """First of all, before anything is asked of anyone."""

    run_id: str
    message_id: str
    """The id of the assistant message that this run writes."""
    agent: str
    user_message_id: str | None = None
    """Given where the client sent its message without an id."""
    known: dict[str, Json] | None = None
    """Metadata that the message has already, where it is told anew."""
    earlier: EarlierRuns | None = None


class RoundStarted(Event, frozen=True):
    """An agent takes the conversation."""

    agent: str
    status: Literal["routing", "executing"]
    """`routing` when the route's own agent may pass it on."""


class HandedOff(Event, frozen=True):
    source: str
    target: str
    strategy: Strategy
    reason: str | None = None


class StepStarted(Event, frozen=True):
    """A model turn begins; its tools belong to it."""


class StepFinished(Event, frozen=True):
    pass


class TextStarted(Event, frozen=True):
    id: str


class TextDelta(Event, frozen=True):
    id: str
    text: str


class TextEnded(Event, frozen=True):
    id: str


class ReasoningStarted(Event, frozen=True):
    id: str


class ReasoningDelta(Event, frozen=True):
    id: str
    text: str


class ReasoningEnded(Event, frozen=True):
    id: str


class ToolInputStarted(Event, frozen=True):
    """The model begins to write the arguments of a call."""

    call_id: str
    tool: str


class ToolInputDelta(Event, frozen=True):
    call_id: str
    text: str


class ToolCalled(Event, frozen=True):
    """The arguments are complete."""

    call_id: str
    tool: str
    input: Json
    """The arguments; the model's own text where that is no JSON."""


class ToolSucceeded(Event, frozen=True):
    call_id: str
    tool: str
    output: Json


class ToolFailed(Event, frozen=True):
    call_id: str
    tool: str
    text: str
    """For the model and the page: a `ToolError`'s text, a complaint about arguments, or a plain sentence."""


class ToolWaiting(Event, frozen=True):
    """A call is not run: it waits for a person's yes, or for the page to run it."""

    id: str
    """Of the approval; of a client tool's call too."""
    call_id: str
    tool: str
    kind: Literal["approval", "client"]
    arguments: str
    """JSON text: these are run, whatever the page sends back."""
    agent: str
    by: tuple[str, ...] = ()
    """Roles that may answer besides the chat's owner."""
    expires: float | None = None
    """Seconds until nobody may answer any more."""


class ToolDenied(Event, frozen=True):
    """A person said no, or nobody said yes in time."""

    call_id: str
    tool: str
    reason: str | None = None


class SourceCited(Event, frozen=True):
    id: str
    url: str
    title: str | None = None


class FileGenerated(Event, frozen=True):
    url: str
    media_type: str


class DataSent(Event, frozen=True):
    """A part for the page: `data-NAME`."""

    name: str
    data: Json
    id: str | None = None
    transient: bool = True


class CallStarted(Event, frozen=True):
    """A model call is about to be sent: it is sent when the next batch is asked for."""

    call: ModelCall


class CallAccepted(Event, frozen=True):
    """The provider took the call: its generation id is known, if it gives one."""

    call: ModelCall


class CallEnded(Event, frozen=True):
    """Nothing more of this call comes; its usage is priced."""

    call: ModelCall


class RunSummary(msgspec.Struct, frozen=True):
    """A run as a whole, told at its end."""

    run_id: str
    message_id: str
    agent: str
    """The agent that had the last word."""
    handoff_chain: tuple[str, ...]
    model: str | None
    """The model that answered last."""
    usage: TokenUsage
    """Sums over the calls of the answer; those of a title, of suggestions or a summary are in the ledger alone."""
    cost_source: CostSource
    """The least certain source among the calls, `unknown` the least of all."""
    finish_reason: str
    calls: int
    steps: int
    dropped_messages: int = 0
    """The oldest messages of the conversation, that models were not told because the whole did not fit."""
    summarized_messages: int = 0
    """The oldest messages, that models were told in a summary."""
    earlier: EarlierRuns | None = None
    """What this run went on with, of which `usage` has nothing."""


class RunFinished(Event, frozen=True):
    summary: RunSummary


class RunFailed(Event, frozen=True):
    summary: RunSummary
    sentence: str
    """What a client may read."""
    http_status: int
    """The status of a JSON answer that ends so."""
    error_type: str
    retry_after: float | None = None
    details: Mapping[str, Json] | None = None
    """What a JSON answer says besides."""


class RunWaiting(Event, frozen=True):
    """The run stops here until its waiting calls are answered; another run goes on then."""

    summary: RunSummary
    waiting: tuple[ToolWaiting, ...]
    """In the order of the calls: the model's, and that of the message's parts."""


class RunAborted(Event, frozen=True):
    """The run was ended before its answer was: by its reader, or because the server goes down."""

    summary: RunSummary
    reason: str = "shutdown"
    """Why, in a `Deadline`'s words."""


Batch: TypeAlias = list[Event]
Batches: TypeAlias = AsyncGenerator[Batch, None]
