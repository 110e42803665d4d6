"""What the oldest strict client of the majors 5, 6 and 7 accepts, as a check on a stream's bytes."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

Chunk = dict[str, Any]

FIELDS: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "start": ({}, {"messageId": str, "messageMetadata": dict}),
    "start-step": ({}, {}),
    "finish-step": ({}, {}),
    "text-start": ({"id": str}, {}),
    "text-delta": ({"id": str, "delta": str}, {}),
    "text-end": ({"id": str}, {}),
    "reasoning-start": ({"id": str}, {}),
    "reasoning-delta": ({"id": str, "delta": str}, {}),
    "reasoning-end": ({"id": str}, {}),
    "tool-input-start": ({"toolCallId": str, "toolName": str}, {}),
    "tool-input-delta": ({"toolCallId": str, "inputTextDelta": str}, {}),
    "tool-input-available": ({"toolCallId": str, "toolName": str, "input": object}, {}),
    "tool-output-available": ({"toolCallId": str, "output": object}, {}),
    "tool-output-error": ({"toolCallId": str, "errorText": str}, {}),
    "source-url": ({"sourceId": str, "url": str}, {"title": str}),
    "file": ({"url": str, "mediaType": str}, {}),
    "message-metadata": ({"messageMetadata": dict}, {}),
    "finish": ({}, {"messageMetadata": dict}),
    "abort": ({}, {}),
    "error": ({"errorText": str}, {}),
}
"""Chunk type -> the fields that it needs and those that it may have; `data-NAME` besides."""

APPROVAL_FIELDS: dict[str, tuple[dict[str, type], dict[str, type]]] = {
    "tool-approval-request": ({"approvalId": str, "toolCallId": str}, {}),
    "tool-output-denied": ({"toolCallId": str}, {}),
}
"""What only 6 and 7 know."""

DATA = ({"data": object}, {"id": str, "transient": bool})


def parse(stream: bytes) -> list[Chunk]:
    """The chunks of a whole stream, comments left out. Raises AssertionError where the framing is wrong."""
    assert stream.endswith(b"data: [DONE]\n\n"), "the stream ends as it should"
    frames = stream.decode().split("\n\n")
    assert frames.pop() == ""
    assert frames.pop() == "data: [DONE]"
    chunks = []
    for frame in frames:
        if frame.startswith(":"):
            continue
        assert frame.startswith("data: "), frame
        assert "\n" not in frame, "one line a chunk"
        chunks.append(json.loads(frame.removeprefix("data: "), parse_constant=_no_number))
    return chunks


def _no_number(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


def assert_acceptable(chunks: list[Chunk], *, approvals: bool = False, called: Collection[str] = ()) -> None:
    """Raises AssertionError at the first chunk that some client would refuse; where it need only be one of 6 or 7, with
    `approvals`. `called` are the calls without an outcome of the message that the stream goes on with.
    """
    assert chunks[0]["type"] == "start", "nothing comes before the start"
    fields = {**FIELDS, **APPROVAL_FIELDS} if approvals else FIELDS
    reader = _Reader(called)
    for chunk in chunks:
        _check_fields(chunk, fields)
        reader.read(chunk)
    assert chunks[-1]["type"] == "finish"
    assert not reader.in_step
    assert not reader.open


def _check_fields(chunk: Chunk, known: dict[str, tuple[dict[str, type], dict[str, type]]]) -> None:
    type = chunk["type"]
    needed, optional = DATA if type.startswith("data-") else known[type]
    fields = {name: value for name, value in chunk.items() if name != "type"}
    assert needed.keys() <= fields.keys() <= needed.keys() | optional.keys(), f"the fields of {chunk}"
    for name, value in fields.items():
        expected = {**needed, **optional}[name]
        assert expected is object or isinstance(value, expected), f"{name} of {chunk}"


class _Reader:
    """A client's state, as far as it refuses chunks by it."""

    def __init__(self, called: Collection[str]) -> None:
        self.in_step = False
        self.open: set[str] = set()
        self.begun: set[str] = set()
        self.called: set[str] = set(called)
        self.answered: set[str] = set()

    def read(self, chunk: Chunk) -> None:
        match chunk["type"]:
            case "start-step":
                assert not self.in_step
                self.in_step = True
            case "finish-step":
                assert self.in_step
                assert not self.open, "parts are closed before finish-step"
                self.in_step = False
            case "text-start" | "reasoning-start":
                assert self.in_step
                assert chunk["id"] not in self.open
                self.open.add(chunk["id"])
            case "text-delta" | "reasoning-delta":
                assert chunk["id"] in self.open, "a delta needs its start"
            case "text-end" | "reasoning-end":
                self.open.remove(chunk["id"])
            case "tool-input-start":
                assert self.in_step
                self.begun.add(chunk["toolCallId"])
            case "tool-input-delta":
                assert chunk["toolCallId"] in self.begun - self.called
            case "tool-input-available":
                assert self.in_step
                assert chunk["toolCallId"] not in self.called
                self.called.add(chunk["toolCallId"])
            case "tool-approval-request":
                assert chunk["toolCallId"] in self.called - self.answered
            case "tool-output-available" | "tool-output-error" | "tool-output-denied":
                assert chunk["toolCallId"] in self.called - self.answered
                self.answered.add(chunk["toolCallId"])
