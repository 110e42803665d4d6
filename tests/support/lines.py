"""What the client of major 4 accepts, as a check on a data stream's bytes."""

from __future__ import annotations

import json
from typing import Any

Line = tuple[str, Any]
"""A code and its value."""

TEXTS = {"0", "3", "g"}
LISTS = {"2", "8"}
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "9": {"toolCallId": str, "toolName": str, "args": (dict, list, type(None))},
    "a": {"toolCallId": str, "result": object},
    "b": {"toolCallId": str, "toolName": str},
    "c": {"toolCallId": str, "argsTextDelta": str},
    "d": {"finishReason": str},
    "e": {"finishReason": str, "isContinued": bool},
    "f": {"messageId": str},
    "h": {"sourceType": str, "id": str, "url": str},
    "k": {"data": str, "mimeType": str},
}
"""Code -> the fields that its object needs."""
FINISH_REASONS = {"stop", "length", "content-filter", "tool-calls", "error", "other", "unknown"}


def parse(stream: bytes) -> list[Line]:
    """The lines of a stream. Raises AssertionError where the framing is wrong."""
    assert stream.endswith(b"\n"), "the reader waits for the end of a line"
    lines = []
    for line in stream.decode().removesuffix("\n").split("\n"):
        code, separator, value = line.partition(":")
        assert separator, line
        assert "\r" not in line
        lines.append((code, json.loads(value, parse_constant=_no_number)))
    return lines


def _no_number(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


def items(lines: list[Line], code: str) -> list[Any]:
    """Of all lists with this code."""
    return [item for each, value in lines if each == code for item in value]


def assert_acceptable(lines: list[Line]) -> None:
    """Raises AssertionError at the first line that the client would refuse, or that says what its types do not."""
    reader = _Reader()
    for code, value in lines:
        _check_value(code, value)
        reader.read(code, value)
    assert lines[-1][0] == "d"
    assert not reader.in_step
    assert reader.begun == reader.called


def _check_value(code: str, value: Any) -> None:
    if code in TEXTS:
        assert isinstance(value, str)
    elif code in LISTS:
        assert isinstance(value, list)
    else:
        for name, kind in FIELDS[code].items():
            assert isinstance(value[name], kind), f"{name} of {code}:{value}"
    if code in "de":
        assert value["finishReason"] in FINISH_REASONS


class _Reader:
    """The client's state, as far as it refuses lines by it."""

    def __init__(self) -> None:
        self.in_step = False
        self.begun: set[str] = set()
        self.called: set[str] = set()

    def read(self, code: str, value: Any) -> None:
        match code:
            case "f":
                assert not self.in_step
                self.in_step = True
            case "e":
                assert self.in_step
                self.in_step = False
            case "0" | "g" | "h" | "k":
                assert self.in_step
            case "b":
                self.begun.add(value["toolCallId"])
            case "c":
                assert value["toolCallId"] in self.begun - self.called, "a delta of arguments needs its start"
            case "9":
                assert self.in_step
                self.begun.add(value["toolCallId"])
                self.called.add(value["toolCallId"])
            case "a":
                assert value["toolCallId"] in self.called, "a result needs its call"
