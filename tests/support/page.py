"""A page that reads a stream: the rules by which `useChat` of the majors 5 to 7 builds a message of chunks."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable
from typing import Any

import pydantic_core

from tests.support.chunks import Chunk


class Page:
    """`parts` and `metadata` are what the page shows: the message as it was at its last write."""

    def __init__(
        self, parts: Iterable[Any] = (), metadata: dict[str, Any] | None = None, *, approvals: bool = False
    ) -> None:
        """A message that is there already is gone on with; `approvals` as of the majors that know them, 6 and 7."""
        self._approvals = approvals
        self._parts: list[dict[str, Any]] = copy.deepcopy(list(parts))
        self._metadata: dict[str, Any] = copy.deepcopy(metadata or {})
        self._active: dict[str, dict[str, Any]] = {}
        self._partial: dict[str, tuple[str, str]] = {}
        self.error: str | None = None
        self.id: str | None = None
        self._write()

    def read(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            if self.error is None:
                self._read(chunk)

    def _write(self) -> None:
        self.parts = copy.deepcopy(self._parts)
        self.metadata = copy.deepcopy(self._metadata)

    def _read(self, chunk: Chunk) -> None:
        type = chunk["type"]
        match type:
            case "start" | "finish" | "message-metadata":
                self.id = chunk.get("messageId", self.id)
                if "messageMetadata" not in chunk:
                    return
                self._metadata = merge(self._metadata, chunk["messageMetadata"])
            case "start-step":
                self._parts.append({"type": "step-start"})
                return
            case "finish-step":
                self._active.clear()
                return
            case "abort":
                return
            case "error":
                self.error = chunk["errorText"]
                return
            case "text-start":
                self._open(chunk["id"], {"type": "text", "text": "", "state": "streaming"})
            case "reasoning-start":
                self._open(chunk["id"], {"type": "reasoning", "id": chunk["id"], "text": "", "state": "streaming"})
            case "text-delta" | "reasoning-delta":
                self._active[chunk["id"]]["text"] += chunk["delta"]
            case "text-end" | "reasoning-end":
                self._active.pop(chunk["id"])["state"] = "done"
            case "source-url" | "file":
                self._parts.append(dict(chunk))
            case _ if type.startswith("data-"):
                if chunk.get("transient"):
                    return
                self._read_data(chunk)
            case _:
                self._read_tool(chunk)
        self._write()

    def _open(self, id: str, part: dict[str, Any]) -> None:
        self._active[id] = part
        self._parts.append(part)

    def _read_data(self, chunk: Chunk) -> None:
        for part in self._parts:
            if "id" in chunk and (part["type"], part.get("id")) == (chunk["type"], chunk["id"]):
                part["data"] = chunk["data"]
                return
        self._parts.append(dict(chunk))

    def _read_tool(self, chunk: Chunk) -> None:
        id = chunk["toolCallId"]
        match chunk["type"]:
            case "tool-input-start":
                self._partial[id] = (chunk["toolName"], "")
                self._update(id, chunk["toolName"], state="input-streaming")
            case "tool-input-delta":
                tool, text = self._partial[id]
                text += chunk["inputTextDelta"]
                self._partial[id] = tool, text
                fields: dict[str, Any] = {"state": "input-streaming", "rawInput": text}
                with contextlib.suppress(ValueError):
                    fields["input"] = pydantic_core.from_json(text, allow_partial="trailing-strings")
                self._update(id, tool, **fields)
            case "tool-input-available":
                self._update(id, chunk["toolName"], state="input-available", input=chunk["input"])
            case "tool-output-available":
                self._finish(id, state="output-available", output=chunk["output"])
            case "tool-output-error":
                raw = {key: value for key, value in self._call(id).items() if key == "rawInput"}
                self._finish(id, state="output-error", errorText=chunk["errorText"], **raw)
            case "tool-approval-request" if self._approvals:
                self._call(id).update(state="approval-requested", approval={"id": chunk["approvalId"]})
            case "tool-output-denied" if self._approvals:
                self._call(id)["state"] = "output-denied"
            case other:
                raise AssertionError(f"this client does not know {other}")

    def _this_step(self) -> list[dict[str, Any]]:
        starts = [place for place, part in enumerate(self._parts) if part["type"] == "step-start"]
        return self._parts[starts[-1] + 1 :] if starts else self._parts

    def _call(self, id: str) -> dict[str, Any]:
        """The call of this step, else the last one of an earlier step."""
        part: dict[str, Any]
        for part in [*self._this_step(), *reversed(self._parts)]:
            if part.get("toolCallId") == id:
                return part
        raise AssertionError(f"no call {id}")

    def _update(self, id: str, tool: str, **fields: Any) -> None:
        part = next((part for part in self._this_step() if part.get("toolCallId") == id), None)
        if part is None:
            part = {"type": f"tool-{tool}", "toolCallId": id}
            self._parts.append(part)
        change(part, fields)

    def _finish(self, id: str, **fields: Any) -> None:
        part = self._call(id)
        if "input" in part:
            fields["input"] = part["input"]
        change(part, fields)


def change(part: dict[str, Any], fields: dict[str, Any]) -> None:
    for name in ("input", "output", "errorText", "rawInput"):
        part.pop(name, None)
    part.update(fields)


def merge(known: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    result = dict(known)
    for name, value in more.items():
        old = result.get(name)
        result[name] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
