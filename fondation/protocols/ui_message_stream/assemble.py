"""The assistant's UI message, built of the same events as the stream: what a chat keeps is what `useChat` shows.

A part is replaced by its next state and never changed, so that a snapshot of all parts copies none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pydantic_core

from fondation import events
from fondation.events import Batch, Event
from fondation.messages import Json
from fondation.protocols.conversation import ToolOutput
from fondation.protocols.payloads import start_metadata, summary_metadata
from fondation.stores.chats import MessageStatus
from fondation.tool_results import STOPPED

Part: TypeAlias = dict[str, Json]

_OUTCOME_FIELDS = ("state", "input", "rawInput", "output", "errorText", "preliminary")
"""The fields of a tool's part that change with its state."""


@dataclass(slots=True)
class _Growing:
    """A part that deltas are added to. They are joined when somebody looks."""

    place: int
    deltas: list[str] = field(default_factory=list)


class Assembler:
    """Feed it every batch of a run; `id`, `metadata`, `parts` and `status` are the message so far."""

    def __init__(self, *, approvals: bool = False) -> None:
        """`approvals`: as of a page whose major knows them, 6 or later."""
        self._approvals = approvals
        self.id = ""
        self.metadata: dict[str, Json] = {}
        self.status: MessageStatus = "streaming"
        self._parts: list[Part] = []
        self._shown = 0
        self._step = 0
        self._calls: dict[str, int] = {}
        self._texts: dict[str, _Growing] = {}
        self._inputs: dict[str, _Growing] = {}

    @classmethod
    def resume(cls, parts: Sequence[Json], metadata: Mapping[str, Json], *, approvals: bool = False) -> Assembler:
        """Go on with a message that was kept: the next run's events add to its parts, and give its waiting calls
        their outcomes.
        """
        assembler = cls(approvals=approvals)
        assembler.metadata = dict(metadata)
        for part in parts:
            if part["type"] == "step-start":
                assembler._step = len(assembler._parts)
            if "toolCallId" in part:
                assembler._calls[part["toolCallId"]] = len(assembler._parts)
            assembler._add(part)
        return assembler

    @property
    def parts(self) -> tuple[Json, ...]:
        """A snapshot, which stays as it is. A step shows with the first thing in it, as on the page."""
        for growing in self._texts.values():
            self._grow_text(growing)
        for growing in self._inputs.values():
            self._grow_input(growing)
        return tuple(self._parts[: self._shown])

    def feed(self, batch: Batch) -> None:
        for event in batch:
            reader = _READERS[type(event)]
            if reader is not None:
                reader(self, event)

    def take_output(self, output: ToolOutput) -> None:
        """Put in what a page's tool gave, as the page did by itself before it posted. Raises KeyError for a call that
        the message does not have.
        """
        if output.error is None:
            self._put_outcome(output.call_id, output=output.output)
        else:
            self._put_outcome(output.call_id, errorText=output.error)

    def take_approval(self, call_id: str, approved: bool, reason: str | None = None) -> None:
        """Put in what a person answered, as a page that knows approvals did by itself before it posted. Raises
        KeyError for a call that the message does not have.
        """
        place = self._calls[call_id]
        answer = {"approved": approved} if reason is None else {"approved": approved, "reason": reason}
        approval = {**self._parts[place].get("approval", {}), **answer}
        self._replace(place, {**self._parts[place], "state": "approval-responded", "approval": approval})

    # One method a kind of event. As in a client, whatever is written shows the steps that were begun before it.

    def _on_run_started(self, event: events.RunStarted) -> None:
        self.id = event.message_id
        self._merge(start_metadata(event))

    def _on_step_started(self, event: events.StepStarted) -> None:
        self._step = len(self._parts)
        self._parts.append({"type": "step-start"})

    def _on_text_started(self, event: events.TextStarted) -> None:
        self._texts[event.id] = _Growing(len(self._parts))
        self._add({"type": "text", "text": "", "state": "streaming"})

    def _on_reasoning_started(self, event: events.ReasoningStarted) -> None:
        self._texts[event.id] = _Growing(len(self._parts))
        self._add({"type": "reasoning", "id": event.id, "text": "", "state": "streaming"})

    def _on_delta(self, event: events.TextDelta | events.ReasoningDelta) -> None:
        self._texts[event.id].deltas.append(event.text)

    def _on_text_ended(self, event: events.TextEnded | events.ReasoningEnded) -> None:
        growing = self._texts.pop(event.id)
        self._grow_text(growing)
        self._replace(growing.place, {**self._parts[growing.place], "state": "done"})

    def _on_input_started(self, event: events.ToolInputStarted) -> None:
        place = self._put_call(event.call_id, event.tool, state="input-streaming")
        self._inputs[event.call_id] = _Growing(place)

    def _on_input_delta(self, event: events.ToolInputDelta) -> None:
        self._inputs[event.call_id].deltas.append(event.text)

    def _on_called(self, event: events.ToolCalled) -> None:
        self._inputs.pop(event.call_id, None)
        self._put_call(event.call_id, event.tool, state="input-available", input=event.input)

    def _on_succeeded(self, event: events.ToolSucceeded) -> None:
        self._put_outcome(event.call_id, output=event.output)

    def _on_failed(self, event: events.ToolFailed) -> None:
        self._put_outcome(event.call_id, errorText=event.text)

    def _on_waiting(self, event: events.ToolWaiting) -> None:
        if self._approvals and event.kind == "approval":
            place = self._calls[event.call_id]
            asked: Part = {"state": "approval-requested", "approval": {"id": event.id}}
            self._replace(place, {**self._parts[place], **asked})

    def _on_denied(self, event: events.ToolDenied) -> None:
        if self._approvals:
            place = self._calls[event.call_id]
            self._replace(place, {**self._parts[place], "state": "output-denied"})
            return
        self._put_outcome(event.call_id, errorText=event.reason or "Denied.")

    def _on_source(self, event: events.SourceCited) -> None:
        title = {} if event.title is None else {"title": event.title}
        self._add({"type": "source-url", "sourceId": event.id, "url": event.url, **title})

    def _on_file(self, event: events.FileGenerated) -> None:
        self._add({"type": "file", "mediaType": event.media_type, "url": event.url})

    def _on_data(self, event: events.DataSent) -> None:
        if event.transient:
            return
        part: Part = {"type": f"data-{event.name}", "data": event.data}
        if event.id is None:
            self._add(part)
            return
        part["id"] = event.id
        same = (part["type"], part["id"])
        place = next((at for at, known in enumerate(self._parts) if (known["type"], known.get("id")) == same), None)
        if place is None:
            self._add(part)
        else:
            self._replace(place, {**self._parts[place], "data": event.data})

    def _on_outcome(self, event: events.RunFinished | events.RunWaiting | events.RunFailed | events.RunAborted) -> None:
        self._merge(summary_metadata(event.summary))
        self.status = _STATUS[type(event)]

    # What they do to the message.

    def _merge(self, metadata: Mapping[str, Json]) -> None:
        self.metadata = _merged(self.metadata, metadata)
        self._shown = len(self._parts)

    def _add(self, part: Part) -> None:
        self._parts.append(part)
        self._shown = len(self._parts)

    def _replace(self, place: int, part: Part) -> None:
        self._parts[place] = part
        self._shown = len(self._parts)

    def _put_call(self, call_id: str, tool: str, **fields: Json) -> int:
        """The part of a call of this step, new or in its next state; gives its place."""
        place = self._calls.get(call_id, -1)
        named: Part = {"type": f"tool-{tool}", "toolCallId": call_id}
        if place < self._step:
            place = self._calls[call_id] = len(self._parts)
            self._add({**named, **fields})
        else:
            self._replace(place, {**_without(self._parts[place], _OUTCOME_FIELDS), **named, **fields})
        return place

    def _put_outcome(self, call_id: str, **outcome: Json) -> None:
        """What came of a call of this step or of an earlier one."""
        place = self._calls[call_id]
        succeeded = "output" in outcome
        # What the model wrote, where it was no JSON, stays with a failure.
        gone = ("output", "errorText", "preliminary", *(["rawInput"] if succeeded else []))
        state = "output-available" if succeeded else "output-error"
        self._replace(place, {**_without(self._parts[place], gone), "state": state, **outcome})

    def _grow_text(self, growing: _Growing) -> None:
        if growing.deltas:
            part = self._parts[growing.place]
            self._parts[growing.place] = {**part, "text": part["text"] + "".join(growing.deltas)}
            growing.deltas.clear()

    def _grow_input(self, growing: _Growing) -> None:
        if growing.deltas:
            part = self._parts[growing.place]
            text = part.get("rawInput", "") + "".join(growing.deltas)
            self._parts[growing.place] = {**_without(part, ("input",)), **_begun_input(text), "rawInput": text}
            growing.deltas.clear()


def settled(parts: Sequence[Json], said: str = STOPPED) -> tuple[Json, ...]:
    """The parts of a message that nothing more comes to: no text streams on, and of a call without an outcome it is
    `said` what became of it.
    """
    return tuple(_settled(part, said) for part in parts)


def _settled(part: Part, said: str) -> Part:
    if "toolCallId" in part:
        return _settled_call(part, said)
    if part.get("state") == "streaming":
        return {**part, "state": "done"}
    return part


def _settled_call(part: Part, said: str) -> Part:
    """A call that a person was asked about and that did not run was denied: pages refuse a message where it failed."""
    if part["state"] in ("output-available", "output-denied"):
        return part
    said = part["errorText"] if part["state"] == "output-error" else said
    approval = part.get("approval")
    if approval is None or approval.get("approved"):
        return {**part, "state": "output-error", "errorText": said}
    denied = approval if "approved" in approval else {**approval, "approved": False, "reason": said}
    return {**_without(part, ("errorText",)), "state": "output-denied", "approval": denied}


def _begun_input(text: str) -> Part:
    """Arguments as far as they are written; a word or a number that is not whole is left out."""
    try:
        return {"input": pydantic_core.from_json(text, allow_partial="trailing-strings")}
    except ValueError:
        return {}


def _without(part: Part, names: Sequence[str]) -> Part:
    return {name: value for name, value in part.items() if name not in names}


def _merged(known: Mapping[str, Json], more: Mapping[str, Json]) -> dict[str, Json]:
    """Objects within objects too, as clients merge metadata."""
    result = dict(known)
    for name, value in more.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _merged(before, value)
        result[name] = value
    return result


_STATUS: dict[type[Event], MessageStatus] = {
    events.RunFinished: "complete",
    events.RunWaiting: "waiting",
    events.RunFailed: "failed",
    events.RunAborted: "stopped",
}

_READERS: dict[type[Event], Callable[[Assembler, Any], None] | None] = {
    events.RunStarted: Assembler._on_run_started,
    events.RoundStarted: None,
    events.HandedOff: None,
    events.StepStarted: Assembler._on_step_started,
    events.StepFinished: None,
    events.TextStarted: Assembler._on_text_started,
    events.TextDelta: Assembler._on_delta,
    events.TextEnded: Assembler._on_text_ended,
    events.ReasoningStarted: Assembler._on_reasoning_started,
    events.ReasoningDelta: Assembler._on_delta,
    events.ReasoningEnded: Assembler._on_text_ended,
    events.ToolInputStarted: Assembler._on_input_started,
    events.ToolInputDelta: Assembler._on_input_delta,
    events.ToolCalled: Assembler._on_called,
    events.ToolSucceeded: Assembler._on_succeeded,
    events.ToolFailed: Assembler._on_failed,
    events.ToolWaiting: Assembler._on_waiting,
    events.ToolDenied: Assembler._on_denied,
    events.SourceCited: Assembler._on_source,
    events.FileGenerated: Assembler._on_file,
    events.DataSent: Assembler._on_data,
    events.CallStarted: None,
    events.CallAccepted: None,
    events.CallEnded: None,
    events.RunFinished: Assembler._on_outcome,
    events.RunWaiting: Assembler._on_outcome,
    events.RunFailed: Assembler._on_outcome,
    events.RunAborted: Assembler._on_outcome,
}
"""Every event has its line here; None leaves the message as it is."""
