"""What a run needs to know of the request for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fondation.agents import Agent, Route
from fondation.calls import RunInfo
from fondation.events import EarlierRuns, Strategy
from fondation.memory import WorkingMemory
from fondation.messages import ConversationSummary, Json, Message, ToolCall


@dataclass(frozen=True, slots=True)
class Start:
    """Who begins a run, and why it is not the route's own agent where it is another."""

    agent: Agent
    strategy: Strategy | None = None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What came of a call: it may `run`, was `denied`, or is `done`: the page ran it, or it never waited."""

    call: ToolCall
    kind: Literal["run", "denied", "done"]
    text: str | None = None
    """The reason of a denial; what the tool gave, for the model."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """All that a run needs to know of the request for it."""

    info: RunInfo
    route: Route
    start: Start
    messages: tuple[Message, ...]
    """The conversation, without a system message; the user's newest message is in it."""
    message_id: str
    """The id of the assistant message to write."""
    earlier: EarlierRuns | None = None
    """Those that wrote the beginning of that message."""
    call_ids: tuple[str, ...] = ()
    """Of the tool calls that the message shows already; models may not have been told of all."""
    user_message_id: str | None = None
    context: Mapping[str, Json] = field(default_factory=dict)
    answers: tuple[ToolAnswer, ...] = ()
    """To the calls at the end of the conversation, in their order."""
    memory: WorkingMemory = field(default_factory=WorkingMemory)
    summary: ConversationSummary | None = None
    """Of the oldest messages, made by an earlier run."""
