"""What stays of an answer in the conversation, read from a run's events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fondation import events
from fondation.events import Batch, Event
from fondation.messages import AssistantMessage, Message, ToolCall, ToolResult
from fondation.tool_results import failure_text, value_text


class Transcript:
    """Feed it the batches of a run; `messages` is then what the agents said and what their tools returned.

    A run that is cut off keeps what it said; a call that has no result yet is left out. Handoffs are not kept.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._text: list[str] = []
        self._calls: list[ToolCall] = []
        self._results: dict[str, ToolResult] = {}

    @property
    def messages(self) -> tuple[Message, ...]:
        self._end_step()
        return tuple(self._messages)

    def feed(self, batch: Batch) -> None:
        for event in batch:
            reader = _READERS.get(type(event))
            if reader is not None:
                reader(self, event)

    def _on_text(self, event: events.TextDelta) -> None:
        self._text.append(event.text)

    def _on_call(self, event: events.ToolCalled) -> None:
        self._calls.append(ToolCall(event.call_id, event.tool, value_text(event.input)))

    def _on_success(self, event: events.ToolSucceeded) -> None:
        self._results[event.call_id] = ToolResult(event.call_id, event.tool, value_text(event.output))

    def _on_failure(self, event: events.ToolFailed) -> None:
        self._results[event.call_id] = ToolResult(event.call_id, event.tool, failure_text(event.text))

    def _on_step_end(self, event: events.StepFinished) -> None:
        self._end_step()

    def _end_step(self) -> None:
        calls = tuple(call for call in self._calls if call.id in self._results)
        if self._text or calls:
            self._messages.append(AssistantMessage("".join(self._text), calls))
            self._messages.extend(self._results[call.id] for call in calls)
        self._text, self._calls, self._results = [], [], {}


_READERS: dict[type[Event], Callable[[Transcript, Any], None]] = {
    events.TextDelta: Transcript._on_text,
    events.ToolCalled: Transcript._on_call,
    events.ToolSucceeded: Transcript._on_success,
    events.ToolFailed: Transcript._on_failure,
    events.StepFinished: Transcript._on_step_end,
}
