"""Events to chunks: the whole wire on one page.

Written for `ai` 5.0.71 to 7: only chunk types and fields that all of them accept, because the releases before
5.0.217, 6.0.231 and 7.0.32 refuse a chunk with one unknown field. So: no `finishReason` in `finish` (it goes into the
metadata), no `title` or `toolMetadata` on tools, no `null` for what is absent. Deltas are written by template: one is
made for every token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fondation import events
from fondation.events import Batch, Event, RunSummary
from fondation.messages import Json
from fondation.protocols.payloads import (
    agent_handoff,
    agent_status,
    broken_text,
    error_text,
    start_metadata,
    summary_metadata,
)

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
    "x-vercel-ai-ui-message-stream": "v1",
}
KEEPALIVE = b": keep-alive\n\n"
FINISH = b'data: {"type":"finish"}\n\n'
DONE = b"data: [DONE]\n\n"

_json = msgspec.json.Encoder().encode


def encode(batch: Batch) -> bytes:
    """The chunks of a batch, joined; empty where a batch holds nothing for the page."""
    return b"".join([encoder(event) for event in batch if (encoder := _ENCODERS[type(event)]) is not None])


def encode_with_approvals(batch: Batch) -> bytes:
    """The same for pages of the majors 6 and 7."""
    return b"".join([line(event) for event in batch if (line := _ENCODERS_WITH_APPROVALS[type(event)]) is not None])


def _chunk(**fields: Json) -> bytes:
    """One frame; fields that are None are left out, since no client accepts `null` for them."""
    return b"data: " + _json({name: value for name, value in fields.items() if value is not None}) + b"\n\n"


def _start(event: events.RunStarted) -> bytes:
    return _chunk(type="start", messageId=event.message_id, messageMetadata=start_metadata(event))


def _text_delta(event: events.TextDelta) -> bytes:
    return b'data: {"type":"text-delta","id":"%b","delta":%b}\n\n' % (event.id.encode(), _json(event.text))


def _reasoning_delta(event: events.ReasoningDelta) -> bytes:
    return b'data: {"type":"reasoning-delta","id":"%b","delta":%b}\n\n' % (
        event.id.encode(),
        _json(event.text),
    )


def _part(type: str) -> Callable[[Any], bytes]:
    """For the events that only open or close a part."""
    return lambda event: b'data: {"type":"%b","id":"%b"}\n\n' % (type.encode(), event.id.encode())


def _tool_input_delta(event: events.ToolInputDelta) -> bytes:
    return _chunk(type="tool-input-delta", toolCallId=event.call_id, inputTextDelta=event.text)


def _tool_input(event: events.ToolCalled) -> bytes:
    # Not by _chunk: the arguments may be null.
    chunk = {
        "type": "tool-input-available",
        "toolCallId": event.call_id,
        "toolName": event.tool,
        "input": event.input,
    }
    return b"data: " + _json(chunk) + b"\n\n"


def _tool_output(event: events.ToolSucceeded) -> bytes:
    # Not by _chunk: a tool may return null.
    chunk = {"type": "tool-output-available", "toolCallId": event.call_id, "output": event.output}
    return b"data: " + _json(chunk) + b"\n\n"


def _data(event: events.DataSent) -> bytes:
    chunk: dict[str, Json] = {"type": f"data-{event.name}", "data": event.data}
    if event.id is not None:
        chunk["id"] = event.id
    if event.transient:
        chunk["transient"] = True
    return b"data: " + _json(chunk) + b"\n\n"


def _finish(summary: RunSummary) -> bytes:
    return _chunk(type="finish", messageMetadata=summary_metadata(summary)) + DONE


def _failed(event: events.RunFailed) -> bytes:
    # The metadata comes first: a client reads nothing behind an error.
    metadata = _chunk(type="message-metadata", messageMetadata=summary_metadata(event.summary))
    error = _chunk(type="error", errorText=error_text(event))
    return metadata + error + FINISH + DONE


def broken(run_id: str) -> bytes:
    """The end of a stream whose run cannot go on telling: a bug of ours."""
    error = _chunk(type="error", errorText=broken_text(run_id))
    return error + FINISH + DONE


def _aborted(event: events.RunAborted) -> bytes:
    return _chunk(type="abort") + _finish(event.summary)


_ENCODERS: dict[type[Event], Callable[[Any], bytes] | None] = {
    events.RunStarted: _start,
    events.RoundStarted: lambda event: _chunk(type="data-agent-status", data=agent_status(event), transient=True),
    events.HandedOff: lambda event: _chunk(type="data-agent-handoff", data=agent_handoff(event), transient=True),
    events.StepStarted: lambda event: b'data: {"type":"start-step"}\n\n',
    events.StepFinished: lambda event: b'data: {"type":"finish-step"}\n\n',
    events.TextStarted: _part("text-start"),
    events.TextDelta: _text_delta,
    events.TextEnded: _part("text-end"),
    events.ReasoningStarted: _part("reasoning-start"),
    events.ReasoningDelta: _reasoning_delta,
    events.ReasoningEnded: _part("reasoning-end"),
    events.ToolInputStarted: lambda event: _chunk(
        type="tool-input-start", toolCallId=event.call_id, toolName=event.tool
    ),
    events.ToolInputDelta: _tool_input_delta,
    events.ToolCalled: _tool_input,
    events.ToolSucceeded: _tool_output,
    events.ToolFailed: lambda event: _chunk(type="tool-output-error", toolCallId=event.call_id, errorText=event.text),
    events.ToolWaiting: None,
    events.ToolDenied: lambda event: _chunk(
        type="tool-output-error", toolCallId=event.call_id, errorText=event.reason or "Denied."
    ),
    events.SourceCited: lambda event: _chunk(type="source-url", sourceId=event.id, url=event.url, title=event.title),
    events.FileGenerated: lambda event: _chunk(type="file", url=event.url, mediaType=event.media_type),
    events.DataSent: _data,
    events.CallStarted: None,
    events.CallAccepted: None,
    events.CallEnded: None,
    events.RunFinished: lambda event: _finish(event.summary),
    events.RunWaiting: lambda event: _finish(event.summary),
    events.RunFailed: _failed,
    events.RunAborted: _aborted,
}
"""Every event has its line here; None is not for the page."""

_ENCODERS_WITH_APPROVALS: dict[type[Event], Callable[[Any], bytes] | None] = {
    **_ENCODERS,
    events.ToolWaiting: lambda event: (
        _chunk(type="tool-approval-request", approvalId=event.id, toolCallId=event.call_id)
        if event.kind == "approval"
        else b""
    ),
    events.ToolDenied: lambda event: _chunk(type="tool-output-denied", toolCallId=event.call_id),
}
"""For the majors that know approvals; 5 refuses these chunks."""
