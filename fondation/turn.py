"""One model turn as events, and what it asks for next.

A `Turn` opens a part with its first piece and closes it when another kind begins, or with the turn, so that the grammar
holds whatever happens. What an agent says after it began to hand off is not shown, nor anything of an agent that only
routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import count
from typing import TypeAlias

from fondation import events, handoffs
from fondation.attempts import Item
from fondation.calls import ModelCall
from fondation.events import Batch
from fondation.messages import TOOL_NAME, AssistantMessage, Json, ToolCall, ToolResult
from fondation.providers import base as pieces
from fondation.tools.execution import parse_arguments

CUT = "The call was cut off before it was complete."
CANNOT_HAND_OFF = "You cannot hand off now: answer the user yourself."
ONE_HANDOFF = "Not done: only the first handoff of a turn counts."


@dataclass(frozen=True, slots=True)
class Answered:
    """The agent is done: its text is the answer."""


@dataclass(frozen=True, slots=True)
class CallTools:
    """The agent waits for tools."""

    calls: tuple[ToolCall, ...]
    results: Mapping[str, ToolResult]
    """What is known already: a handoff that could not be."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """The agent hands off, once the other tools of its turn are done."""

    handoff: handoffs.Handoff
    calls: tuple[ToolCall, ...]
    results: Mapping[str, ToolResult]


Outcome: TypeAlias = Answered | CallTools | PassOn


class Ids:
    """Unique ids for the parts and tool calls of one run; those of earlier turns are taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._numbers = count(1)
        self._taken = set(taken)

    def part(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"

    def call(self, proposed: str) -> str:
        """The provider's id, altered where it was used before: some providers count from zero in every answer."""
        id = proposed
        while id in self._taken:
            id = f"{proposed}_{next(self._numbers)}"
        self._taken.add(id)
        return id


@dataclass(slots=True)
class _Input:
    """A tool call whose arguments are being written."""

    id: str
    tool: str
    text: list[str]


class Turn:
    """Takes the items of one model turn and gives the events to show."""

    def __init__(self, ids: Ids, *, only_routes: bool = False) -> None:
        self._ids = ids
        self.only_routes = only_routes
        """Whether it is the turn of an agent that must hand off: nothing of it is shown."""
        self._hidden = only_routes
        self._open: tuple[type[events.TextEnded | events.ReasoningEnded], str] | None = None
        self._inputs: dict[str, _Input] = {}
        self._text = StringIO()  # a word in a list of words takes ten times its letters
        self._call: ModelCall | None = None
        self._answer: pieces.AnswerEnd | None = None
        self._held: Batch = []
        self._tool_calls: tuple[ToolCall, ...] = ()
        self._started = False
        self.showed_tools = False
        """Whether the page has seen a tool call of this turn."""

    @property
    def is_complete(self) -> bool:
        """Whether the model came to the end of it."""
        return self._answer is not None

    @property
    def has_text(self) -> bool:
        return self._text.tell() > 0

    def translate(self, items: Iterable[Item]) -> Batch:
        """The events of one batch of items; may be empty.

        Those that come with the end of the answer are held until `close` or `finish`: what follows is known at once,
        and one write instead of two goes to the page.
        """
        batch: Batch = []
        for item in items:
            handler = _HANDLERS.get(type(item))
            if handler is not None:
                handler(self, item, batch)
            else:
                batch.append(item)  # type: ignore[arg-type]  # a call's own event passes as it is
        if self._answer is None:
            return batch
        self._held += batch
        return []

    def close(self) -> Batch:
        """End what is open, after the answer or in the middle of it; the step is finished after its tools."""
        batch, self._held = self._held, []
        self._close_part(batch)
        for input in self._inputs.values():
            batch.append(events.ToolCalled(input.id, input.tool, "".join(input.text)))
            batch.append(events.ToolFailed(input.id, input.tool, CUT))
        self._inputs.clear()
        return batch

    def finish(self) -> Batch:
        """Close and end the step, where it was begun."""
        batch = self.close()
        if self._started:
            self._started = False
            batch.append(events.StepFinished())
        return batch

    def message(self) -> AssistantMessage:
        """The turn as the conversation keeps it; one that broke off, as far as it came."""
        return AssistantMessage(
            text=self._text.getvalue(),
            tool_calls=self._tool_calls,
            model=self._call.requested_model if self._call else None,
            reasoning_details=self._answer.reasoning_details if self._answer else None,
        )

    def outcome(self, targets: Collection[str]) -> Outcome:
        """What the turn asks for, where the agent may hand off to `targets`."""
        calls: list[ToolCall] = []
        results: dict[str, ToolResult] = {}
        handoff: handoffs.Handoff | None = None
        for call in self._tool_calls:
            if call.name != handoffs.TOOL_NAME:
                calls.append(call)
                continue
            read = handoffs.read_handoff(call, targets) if targets else CANNOT_HAND_OFF
            if isinstance(read, str):
                results[call.id] = ToolResult(call.id, call.name, read)
            elif handoff is not None:
                results[call.id] = ToolResult(call.id, call.name, ONE_HANDOFF)
            else:
                handoff = read
                done = f"Handed off: {read.target} answers from here on."
                results[call.id] = ToolResult(call.id, call.name, done)
        if handoff is not None:
            return PassOn(handoff, tuple(calls), results)
        return CallTools(tuple(calls), results) if self._tool_calls else Answered()

    # One method a kind of item: each appends what is to be shown.

    def _on_call(self, item: events.CallStarted, batch: Batch) -> None:
        self._call = item.call
        batch.append(item)

    def _on_text(self, piece: pieces.TextPiece, batch: Batch) -> None:
        if self._hidden:
            return
        if self._open is None or self._open[0] is not events.TextEnded:
            self._open_part(events.TextStarted(self._ids.part("t")), events.TextEnded, batch)
        self._text.write(piece.text)
        batch.append(events.TextDelta(self._open[1], piece.text))  # type: ignore[index]

    def _on_reasoning(self, piece: pieces.ReasoningPiece, batch: Batch) -> None:
        if self._hidden:
            return
        if self._open is None or self._open[0] is not events.ReasoningEnded:
            self._open_part(events.ReasoningStarted(self._ids.part("r")), events.ReasoningEnded, batch)
        batch.append(events.ReasoningDelta(self._open[1], piece.text))  # type: ignore[index]

    def _on_tool_call(self, piece: pieces.ToolCallPiece, batch: Batch) -> None:
        if piece.name == handoffs.TOOL_NAME:
            self._hidden = True
            self._close_part(batch)
            return
        self._show(batch)
        self._close_part(batch)
        self.showed_tools = True
        input = self._inputs[piece.id] = _Input(self._ids.call(piece.id), _tool_name(piece.name), [])
        batch.append(events.ToolInputStarted(input.id, input.tool))

    def _on_arguments(self, piece: pieces.ArgumentsPiece, batch: Batch) -> None:
        input = self._inputs.get(piece.id)
        if input is not None:
            input.text.append(piece.text)
            batch.append(events.ToolInputDelta(input.id, piece.text))

    def _on_source(self, piece: pieces.SourcePiece, batch: Batch) -> None:
        self._show(batch)
        batch.append(events.SourceCited(self._ids.part("s"), piece.url, piece.title))

    def _on_file(self, piece: pieces.FilePiece, batch: Batch) -> None:
        self._show(batch)
        batch.append(events.FileGenerated(piece.url, piece.media_type))

    def _on_end(self, piece: pieces.AnswerEnd, batch: Batch) -> None:
        self._answer = piece
        self._show(batch)
        self._close_part(batch)
        self._tool_calls = tuple(self._called(call, batch) for call in piece.tool_calls)
        self._inputs.clear()

    def _called(self, call: ToolCall, batch: Batch) -> ToolCall:
        input = self._inputs.pop(call.id, None)
        id = input.id if input else self._ids.call(call.id)
        call = ToolCall(id, _tool_name(call.name), call.arguments)
        if call.name != handoffs.TOOL_NAME:
            self.showed_tools = True
            batch.append(events.ToolCalled(call.id, call.name, parse_arguments(call)))
        return call

    def _show(self, batch: Batch) -> None:
        """Something of this turn is shown: its step begins."""
        if not self._started:
            self._started = True
            batch.append(events.StepStarted())

    def _open_part(
        self,
        started: events.TextStarted | events.ReasoningStarted,
        ended: type[events.TextEnded | events.ReasoningEnded],
        batch: Batch,
    ) -> None:
        self._show(batch)
        self._close_part(batch)
        self._open = (ended, started.id)
        batch.append(started)

    def _close_part(self, batch: Batch) -> None:
        if self._open is not None:
            ended, id = self._open
            self._open = None
            batch.append(ended(id))


def _tool_name(name: str) -> str:
    """The name as every API takes it: models make up others, and the conversation must survive them."""
    return name if TOOL_NAME.fullmatch(name) else _NO_NAME.sub("_", name)[:64] or "unnamed"


_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")

_HANDLERS: dict[type[Item], Callable[[Turn, Json, Batch], None]] = {
    events.CallStarted: Turn._on_call,
    pieces.TextPiece: Turn._on_text,
    pieces.ReasoningPiece: Turn._on_reasoning,
    pieces.ToolCallPiece: Turn._on_tool_call,
    pieces.ArgumentsPiece: Turn._on_arguments,
    pieces.SourcePiece: Turn._on_source,
    pieces.FilePiece: Turn._on_file,
    pieces.AnswerEnd: Turn._on_end,
}
