"""What a model reads of a tool call's outcome, whoever tells it: the run, a later turn, or the page."""

from __future__ import annotations

from typing import Final

import msgspec

from fondation.messages import Json

FAILURE = "Error: "
"""How the result of a failed tool begins."""
UNANSWERED = "Not run: the user went on without it."
TOO_LATE = "Not run: nobody answered in time."
STOPPED = "Stopped before it was done."
"""Of a tool call whose run was cut off."""

_UNASKED: Final = (UNANSWERED, TOO_LATE, STOPPED)
"""Reasons of the server's own."""


def value_text(value: Json) -> str:
    """Text as it is, anything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def failure_text(text: str) -> str:
    return f"{FAILURE}{text}"


def denial_text(reason: str | None) -> str:
    """For a call that a person did not allow, or that nobody came to allow."""
    if reason in _UNASKED:
        return reason
    return f"Denied by the user: {reason}" if reason else "Denied by the user."


def bounded(output: Json, limit: int) -> Json:
    """The output, cut where its JSON is longer than `limit` bytes, and saying so."""
    encoded = output.encode() if isinstance(output, str) else msgspec.json.encode(output)
    if len(encoded) <= limit:
        return output
    kept = encoded[:limit].decode(errors="ignore")
    return f"{kept}\n[cut: the first {limit:,} of {len(encoded):,} bytes]"
