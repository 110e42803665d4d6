"""The ledger beside the books: every call has its one row, and every row says what its call came to."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from .books import Call
from .project import ESTIMATED
from .run import Evidence
from .scenes import Scene

Row: TypeAlias = dict[str, Any]

KNOWN = ("billed", "priced", "estimated")
SOURCES = {"plain/priced": ("priced", "billed"), "plain/unpriced": ("billed",), ESTIMATED: ("estimated", "billed")}
"""What may be known of a model's calls; of all others `billed`. A proxy's header is a bill too."""
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


class Pair(NamedTuple):
    call: Call
    row: Row


@dataclass(slots=True)
class Audit:
    """What the comparison found."""

    pairs: list[Pair] = field(default_factory=list)
    rowless: list[Call] = field(default_factory=list)
    """Calls without a row."""
    simulated: list[Row] = field(default_factory=list)
    cut_off: list[Row] = field(default_factory=list)
    """Rows of killed processes whose call never arrived; they say that nobody knows."""
    problems: list[str] = field(default_factory=list)
    """What must not be, in words."""

    @property
    def known(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.row["cost_source"] in KNOWN]

    @property
    def unknown(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.row["cost_source"] == "unknown"]

    @property
    def difference(self) -> int:
        """What the books have more than the ledger, of the calls whose cost it says it knows."""
        return sum(call.charge - row["cost_pico"] for call, row in self.known)


def audit(evidence: Evidence) -> Audit:
    found = Audit()
    rows = read_rows(evidence.folder / "fondation.db")
    calls_of: dict[int, list[Call]] = defaultdict(list)
    rows_of: dict[int, list[Row]] = defaultdict(list)
    for call in evidence.books.calls:
        calls_of[call.scene].append(call)
    for row in rows:
        rows_of[int(row["chat_id"].removeprefix("proof-"))].append(row)
    for number, scene in evidence.scenes.items():
        paired = len(found.pairs)
        _pair(calls_of[number], rows_of[number], found, evidence)
        for pair in found.pairs[paired:]:
            found.problems += [_words(pair, problem) for problem in _problems(pair, scene, evidence)]
    found.problems += [f"no row: {call}" for call in found.rowless]
    return found


def read_rows(database: Path) -> list[Row]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM usage_tracking ORDER BY id")]


def pid_of(row: Row) -> int:
    return int(row["owner"].split(":")[1])


def _pair(calls: Sequence[Call], rows: Sequence[Row], found: Audit, evidence: Evidence) -> None:
    """By the generation id; what has none by model and order, those first whose cost fits."""
    left = [row for row in rows if row["cost_source"] != "simulated"]
    found.simulated += [row for row in rows if row["cost_source"] == "simulated"]
    nameless = []
    for call in calls:
        row = next((row for row in left if row["generation_id"] == call.id), None)
        if row is None:
            nameless.append(call)
        else:
            left.remove(row)
            found.pairs.append(Pair(call, row))
    for call in nameless:
        alike = [row for row in left if row["requested_model"] == call.model and row["generation_id"] is None]
        row = next((row for row in alike if not list(_cost_problems(call, row))), next(iter(alike), None))
        if row is None:
            found.rowless.append(call)
        else:
            left.remove(row)
            found.pairs.append(Pair(call, row))
    for row in left:
        _explain(row, found, evidence)


def _explain(row: Row, found: Audit, evidence: Evidence) -> None:
    """A row whose call never arrived."""
    if (row["cost_source"], row["status"], row["generation_id"]) == ("unknown", "lost", None):
        found.cut_off.append(row)
        if pid_of(row) not in evidence.killed:
            found.problems.append(f"lost, and its process was not killed: {row}")
    else:
        found.problems.append(f"no call: {row}")


def _problems(pair: Pair, scene: Scene, evidence: Evidence) -> Iterable[str]:
    call, row = pair
    yield from _cost_problems(call, row)
    yield from _status_problems(call, row, scene, evidence)
    if row["user_id"] != scene.user:
        yield f"the user is {row['user_id']}"
    if call.agent is not None and row["agent_name"] != call.agent:
        yield f"the agent is {row['agent_name']}"
    if (call.agent is None) == (row["purpose"] == "answer"):
        yield f"the purpose is {row['purpose']}"


def _cost_problems(call: Call, row: Row) -> Iterable[str]:
    match row["cost_source"]:
        case "none":
            if call.charge:
                yield "it says that it cost nothing"
        case "unknown":
            if not _may_be_unknown(call, row):
                yield "its cost could be known"
        case source if source in SOURCES.get(call.model, ("billed",)):
            if row["cost_pico"] != call.charge:
                yield f"it says {row['cost_pico']}"
            yield from _token_problems(call, row)
        case source:
            yield f"its cost is {source}"


def _token_problems(call: Call, row: Row) -> Iterable[str]:
    for name in TOKENS:
        if (row[name] or 0) != getattr(call, name):
            yield f"{name} are {row[name]}"


def _may_be_unknown(call: Call, row: Row) -> bool:
    """Where nothing that reached the caller says what the call cost."""
    if row["cost_note"] is None:
        return False
    if call.side == "router":
        return row["generation_id"] is None and (call.generation_id is None or row["status"] == "lost")
    return not call.told or call.model == "plain/unpriced" or row["status"] in ("aborted", "lost")


def _status_problems(call: Call, row: Row, scene: Scene, evidence: Evidence) -> Iterable[str]:
    has_ended_early = scene.conduct not in ("reads", "asks for JSON", "answers", "goes on") or pid_of(row) in (
        evidence.killed | evidence.stopped
    )
    match row["status"]:
        case "done":
            if not call.is_whole:
                yield "it is done, and was not whole"
        case "refused":
            if call.is_whole or call.charge:
                yield "it is refused, and was answered"
        case "error":
            if call.is_whole:
                yield "it is an error, and was whole"
        case "aborted":
            if not has_ended_early:
                yield "it is aborted, and nobody left"
        case "lost":
            if pid_of(row) not in evidence.killed:
                yield "it is lost, and its process was not killed"
        case status:
            yield f"it is {status}"


def _words(pair: Pair, problem: str) -> str:
    return f"{problem}: {pair.call} {pair.row}"
