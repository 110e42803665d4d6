"""A kept message as the events that make it once more, for a page that comes to it while a run goes on with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fondation import events
from fondation.events import Batch, Event
from fondation.protocols.ui_message_stream.assemble import Part
from fondation.stores.chats import StoredMessage


def retold(message: StoredMessage) -> Batch:
    """Its start and its steps, without an end. A call that was agreed to is told as one that runs."""
    metadata = message.metadata
    start = events.RunStarted(
        metadata.get("runId") or message.run_id or "",
        message.id,
        metadata.get("agent") or "",
        metadata.get("userMessageId"),
        metadata,
    )
    return [start, *_steps(message.parts)]


def _steps(parts: Iterable[Part]) -> Iterator[Event]:
    is_open = False
    for place, part in enumerate(parts):
        if part["type"] != "step-start":
            yield from _part(part, f"kept-{place}")
            continue
        if is_open:
            yield events.StepFinished()
        yield events.StepStarted()
        is_open = True
    if is_open:
        yield events.StepFinished()


def _part(part: Part, id: str) -> Iterator[Event]:
    match part:
        case {"type": "text", "text": text}:
            yield from (events.TextStarted(id), events.TextDelta(id, text), events.TextEnded(id))
        case {"type": "reasoning", "text": text}:
            yield from (events.ReasoningStarted(id), events.ReasoningDelta(id, text), events.ReasoningEnded(id))
        case {"type": "source-url", "sourceId": source_id, "url": url}:
            yield events.SourceCited(source_id, url, part.get("title"))
        case {"type": "file", "url": url, "mediaType": media_type}:
            yield events.FileGenerated(url, media_type)
        case {"type": type, "toolCallId": call_id}:
            yield from _call(part, call_id, type.removeprefix("tool-"))
        case {"type": type, "data": data}:
            yield events.DataSent(type.removeprefix("data-"), data, part.get("id"), transient=False)


def _call(part: Part, call_id: str, tool: str) -> Iterator[Event]:
    if "rawInput" in part:  # the model did not come to their end
        yield from (events.ToolInputStarted(call_id, tool), events.ToolInputDelta(call_id, part["rawInput"]))
    else:
        yield events.ToolCalled(call_id, tool, part.get("input"))
    approval = part.get("approval") or {}
    if approval.get("approved") is False:  # a page shows a denial as an answer to what was asked
        yield events.ToolWaiting(approval["id"], call_id, tool, "approval", "", "")
    match part:
        case {"state": "output-available", "output": output}:
            yield events.ToolSucceeded(call_id, tool, output)
        case {"state": "output-error", "errorText": text}:
            yield events.ToolFailed(call_id, tool, text)
        case {"state": "output-denied"}:
            yield events.ToolDenied(call_id, tool, approval.get("reason"))
