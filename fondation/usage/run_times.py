"""When the calls of a run began and ended. A ledger has whole seconds, and how long each call took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fondation.usage.calls import Call


def begins_of(calls: Iterable[Call]) -> dict[Call, int]:
    """How long after the run's beginning each of its calls began, in milliseconds: right to a second, if not better.

    No call of the answer begins before the last one has ended.
    """
    ordered = sorted(calls, key=lambda call: (call.row["timestamp"], call.row["id"]))
    begins: dict[Call, int] = {}
    free: dict[object, int] = {}
    for call in ordered:
        since_first = round((call.row["timestamp"] - ordered[0].row["timestamp"]) * 1000)
        begins[call] = max(since_first, free.get(_line(call), 0))
        free[_line(call)] = begins[call] + (call.row["duration"] or 0)
    return begins


def end_of(begins: Mapping[Call, int]) -> int | None:
    """How long after the run's beginning the last of these calls ended; None where nobody knows, or one still runs."""
    last = {_line(call): call for call in begins}
    if any(call.row["duration"] is None for call in last.values()):
        return None
    return max(begins[call] + int(call.row["duration"]) for call in last.values())


def _line(call: Call) -> object:
    """What is the same for calls that wait for each other. A title is written meanwhile; of a call that another program
    recorded nobody knows what it waited for.
    """
    row: Mapping[str, Any] = call.row
    return call if row["step"] is None else call.purpose == "title"
