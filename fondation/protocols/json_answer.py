"""A run as one JSON answer: the same events as a stream tells, collected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fondation import events
from fondation.events import Batch, Event
from fondation.messages import Json
from fondation.protocols.payloads import usage_metadata


class JsonAnswer:
    """Feed it every batch of a run; then `status`, `headers` and `body` are the answer.

    The body is `{id, runId, text, agent, handoffs, toolCalls, pending?, title?, suggestions?, usage}`, `id` being the
    chat's, `title` what it was given meanwhile, and `pending` the calls that wait for an answer; of a failed run
    `{error, runId}`, and of one that a budget stopped `budget` too. Of `usage` are the calls of the answer alone.
    """

    def __init__(self, chat_id: str) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self._chat_id = chat_id
        self._texts: dict[str, list[str]] = {}
        self._handoffs: list[Json] = []
        self._calls: dict[str, dict[str, Json]] = {}
        self._beside: dict[str, Json] = {}
        self._answer: dict[str, Json] = {}

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self._answer)

    def feed(self, batch: Batch) -> None:
        for event in batch:
            reader = _READERS.get(type(event))
            if reader is not None:
                reader(self, event)

    def _on_text_started(self, event: events.TextStarted) -> None:
        self._texts[event.id] = []

    def _on_text(self, event: events.TextDelta) -> None:
        self._texts[event.id].append(event.text)

    def _on_handoff(self, event: events.HandedOff) -> None:
        handoff = {"from": event.source, "to": event.target, "routingStrategy": event.strategy}
        self._handoffs.append(handoff if event.reason is None else {**handoff, "reason": event.reason})

    def _on_tool_called(self, event: events.ToolCalled) -> None:
        self._calls[event.call_id] = {
            "toolCallId": event.call_id,
            "toolName": event.tool,
            "input": event.input,
        }

    def _on_tool_succeeded(self, event: events.ToolSucceeded) -> None:
        self._call(event)["output"] = event.output

    def _on_tool_failed(self, event: events.ToolFailed) -> None:
        self._call(event)["errorText"] = event.text

    def _on_tool_denied(self, event: events.ToolDenied) -> None:
        self._call(event)["errorText"] = event.reason or "Denied."

    def _call(self, event: events.ToolSucceeded | events.ToolFailed | events.ToolDenied) -> dict[str, Json]:
        """The call that has an outcome now; it may be one of an earlier run, that waited."""
        return self._calls.setdefault(event.call_id, {"toolCallId": event.call_id, "toolName": event.tool})

    def _on_data(self, event: events.DataSent) -> None:
        match event:
            case events.DataSent(name="chat-title", data={"title": title}):
                self._beside["title"] = title
            case events.DataSent(name="suggestions", data={"prompts": prompts}):
                self._beside["suggestions"] = prompts

    def _on_waiting(self, event: events.RunWaiting) -> None:
        self._on_finished(event)
        self._answer["pending"] = [
            {"id": call.id, "toolCallId": call.call_id, "toolName": call.tool, "kind": call.kind}
            | {"input": self._calls[call.call_id]["input"]}
            for call in event.waiting
        ]

    def _on_finished(self, event: events.RunFinished | events.RunWaiting) -> None:
        summary = event.summary
        self._answer = {
            "id": self._chat_id,
            "runId": summary.run_id,
            "text": "\n\n".join("".join(deltas) for deltas in self._texts.values()),
            "agent": summary.agent,
            "handoffs": self._handoffs,
            "toolCalls": [*self._calls.values()],
            **self._beside,
            "usage": {
                **usage_metadata(summary.usage, summary.cost_source),
                **({"model": summary.model} if summary.model else {}),
            },
        }

    def _on_failed(self, event: events.RunFailed) -> None:
        self.status = event.http_status
        if event.http_status == 503 or (event.http_status == 402 and event.retry_after is not None):
            self.headers["Retry-After"] = str(max(1, round(event.retry_after or 1)))
        self._answer = {"error": event.sentence, "runId": event.summary.run_id, **(event.details or {})}

    def _on_aborted(self, event: events.RunAborted) -> None:
        if event.reason == "shutdown":
            self.status = 503
            self.headers["Retry-After"] = "1"
            sentence = "The server is going down"
        else:
            self.status = 409
            sentence = "The answer was stopped"
        self._answer = {"error": sentence, "runId": event.summary.run_id}


_READERS: dict[type[Event], Callable[[JsonAnswer, Any], None]] = {
    events.TextStarted: JsonAnswer._on_text_started,
    events.TextDelta: JsonAnswer._on_text,
    events.HandedOff: JsonAnswer._on_handoff,
    events.ToolCalled: JsonAnswer._on_tool_called,
    events.ToolSucceeded: JsonAnswer._on_tool_succeeded,
    events.ToolFailed: JsonAnswer._on_tool_failed,
    events.ToolDenied: JsonAnswer._on_tool_denied,
    events.DataSent: JsonAnswer._on_data,
    events.RunFinished: JsonAnswer._on_finished,
    events.RunWaiting: JsonAnswer._on_waiting,
    events.RunFailed: JsonAnswer._on_failed,
    events.RunAborted: JsonAnswer._on_aborted,
}
