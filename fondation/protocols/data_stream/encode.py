"""Events to the lines of a data stream, `CODE:JSON`, as `useChat` of major 4 reads them.

The reader throws at a code that it does not know, at `9` with arguments that are no object, and at `a` without its
`9`. It has no part for a kept value and none for metadata: both go into the message's annotations, which come back
with every request. `data` is one list for the whole chat, and pages look at its last item for the agent that has the
conversation: so every item names it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from fondation import events
from fondation.calls import ModelCall, TokenUsage
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
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
    "X-Vercel-AI-Data-Stream": "v1",
}
KEEPALIVE = b"2:[]\n"
"""No items for `data`: the protocol has no comments."""
METADATA = "message-metadata"
"""The type of the annotations that say which agent answered, and at what cost."""

_json = msgspec.json.Encoder().encode


class Encoder:
    """Encodes one run: a step repeats the message's id, and every item of `data` names the agent."""

    def __init__(self) -> None:
        self._message_id = ""
        self._agent = ""
        self._finish_reason = "other"

    def __call__(self, batch: Batch) -> bytes:
        return b"".join([line(self, event) for event in batch if (line := _LINES[type(event)]) is not None])

    def _start(self, event: events.RunStarted) -> bytes:
        self._message_id = event.message_id
        self._agent = event.agent
        return _annotation({"type": METADATA, **start_metadata(event)})

    def _round(self, event: events.RoundStarted) -> bytes:
        self._agent = event.agent
        return self._data(_item("agent-status", agent_status(event)))

    def _handoff(self, event: events.HandedOff) -> bytes:
        self._agent = event.target
        return self._data(_item("agent-handoff", agent_handoff(event)))

    def _step(self, event: events.StepStarted) -> bytes:
        return _line(b"f", {"messageId": self._message_id})

    def _call_ended(self, event: events.CallEnded) -> bytes:
        if event.call.purpose == "answer":
            self._finish_reason = event.call.finish_reason or _why_unfinished(event.call)
        return b""

    def _step_end(self, event: events.StepFinished) -> bytes:
        reason, self._finish_reason = self._finish_reason, "other"
        return _line(b"e", {"finishReason": reason, "isContinued": False})

    def _data_sent(self, event: events.DataSent) -> bytes:
        item = _item(event.name, event.data)
        if event.id is not None:
            item["id"] = event.id
        return self._data(item) if event.transient else self._kept(item)

    def _file(self, event: events.FileGenerated) -> bytes:
        if (content := _base64_of(event.url)) is not None:
            return _line(b"k", {"data": content, "mimeType": event.media_type})
        return self._kept(_item("file", {"url": event.url, "mediaType": event.media_type}))

    def _kept(self, item: dict[str, Json]) -> bytes:
        return _annotation(item) + self._data(item)

    def _data(self, item: dict[str, Json]) -> bytes:
        return _line(b"2", [{**item, "agentName": self._agent}])


def _why_unfinished(call: ModelCall) -> str:
    """In the words of the run's own end: one that was stopped did not fail, one that took too long did."""
    return "other" if call.status == "aborted" and call.error_type != "run_timeout" else "error"


def broken(run_id: str) -> bytes:
    """The end of a stream whose run cannot go on telling: a bug of ours."""
    return _line(b"3", broken_text(run_id)) + _line(b"d", {"finishReason": "error"})


def _line(code: bytes, value: Json) -> bytes:
    return code + b":" + _json(value) + b"\n"


def _item(name: str, data: Json) -> dict[str, Json]:
    """A data part, named as later majors name it."""
    return {"type": f"data-{name}", "data": data}


def _annotation(value: dict[str, Json]) -> bytes:
    return _line(b"8", [value])


def _base64_of(url: str) -> str | None:
    """What a `data:` URL holds; None where the content is elsewhere."""
    head, comma, content = url.partition(",")
    if not comma or head[:5].lower() != "data:":
        return None
    if head.lower().endswith(";base64"):
        return content
    return base64.b64encode(unquote_to_bytes(content)).decode()


def _tool_call(event: events.ToolCalled) -> bytes:
    arguments = event.input if isinstance(event.input, dict | list) else {"arguments": event.input}
    return _line(b"9", {"toolCallId": event.call_id, "toolName": event.tool, "args": arguments})


def _result(call_id: str, result: Json) -> bytes:
    return _line(b"a", {"toolCallId": call_id, "result": result})


def _source(event: events.SourceCited) -> bytes:
    source = {"sourceType": "url", "id": event.id, "url": event.url}
    return _line(b"h", source if event.title is None else {**source, "title": event.title})


def _finish(summary: RunSummary, reason: str) -> bytes:
    return _annotation({"type": METADATA, **summary_metadata(summary)}) + _end(summary, reason)


def _end(summary: RunSummary, reason: str) -> bytes:
    finish: dict[str, Json] = {"finishReason": reason}
    if (usage := _usage(summary.usage)) is not None:
        finish["usage"] = usage
    return _line(b"d", finish)


def _usage(usage: TokenUsage) -> dict[str, Json] | None:
    """Both counts, or nothing; a null among them is "not a number" for the reader."""
    if usage.prompt_tokens is None and usage.completion_tokens is None:
        return None
    return {"promptTokens": usage.prompt_tokens, "completionTokens": usage.completion_tokens}


def _failed(event: events.RunFailed) -> bytes:
    # The metadata comes first: a client reads nothing behind an error.
    metadata = _annotation({"type": METADATA, **summary_metadata(event.summary)})
    return metadata + _line(b"3", error_text(event)) + _end(event.summary, "error")


_LINES: dict[type[Event], Callable[[Encoder, Any], bytes] | None] = {
    events.RunStarted: Encoder._start,
    events.RoundStarted: Encoder._round,
    events.HandedOff: Encoder._handoff,
    events.StepStarted: Encoder._step,
    events.StepFinished: Encoder._step_end,
    events.TextStarted: None,
    events.TextDelta: lambda _, event: b"0:%b\n" % _json(event.text),
    events.TextEnded: None,
    events.ReasoningStarted: None,
    events.ReasoningDelta: lambda _, event: b"g:%b\n" % _json(event.text),
    events.ReasoningEnded: None,
    events.ToolInputStarted: lambda _, event: _line(b"b", {"toolCallId": event.call_id, "toolName": event.tool}),
    events.ToolInputDelta: lambda _, event: _line(b"c", {"toolCallId": event.call_id, "argsTextDelta": event.text}),
    events.ToolCalled: lambda _, event: _tool_call(event),
    events.ToolSucceeded: lambda _, event: _result(event.call_id, event.output),
    events.ToolFailed: lambda _, event: _result(event.call_id, {"error": event.text}),
    events.ToolWaiting: None,
    events.ToolDenied: lambda _, event: _result(event.call_id, {"error": event.reason or "Denied."}),
    events.SourceCited: lambda _, event: _source(event),
    events.FileGenerated: Encoder._file,
    events.DataSent: Encoder._data_sent,
    events.CallStarted: None,
    events.CallAccepted: None,
    events.CallEnded: Encoder._call_ended,
    events.RunFinished: lambda _, event: _finish(event.summary, event.summary.finish_reason),
    events.RunWaiting: lambda _, event: _finish(event.summary, "tool-calls"),
    events.RunFailed: lambda _, event: _failed(event),
    events.RunAborted: lambda _, event: _finish(event.summary, "other"),
}
"""Every event has its line here; None is not for the page."""
