"""What users read of the ledger, beside what the books say: the commands, the views, the events of the hook."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from .audit import TOKENS, Audit, Pair, Row, pid_of, read_rows
from .books import Call, dollars
from .counters import counter_problems
from .fleet import fondation
from .run import Evidence

Sums: TypeAlias = dict[str | None, int]

GROUPINGS: dict[str, Callable[[Pair], str | None]] = {
    "agent": lambda pair: pair.row["agent_name"],
    "model": lambda pair: pair.call.answered_as or pair.call.model,
    "user": lambda pair: pair.row["user_id"],
}
"""The group of a call. Agents and users of rows are compared with the books before."""


def reading_problems(evidence: Evidence, found: Audit) -> list[str]:
    """Where a total that users are shown is not the books'."""
    return [
        *_command_problems(evidence, found),
        *_view_problems(evidence, found),
        *_reconcile_problems(evidence, found),
        *_event_problems(evidence),
        *counter_problems(evidence, found),
    ]


def _sums(pairs: Iterable[Pair], group: Callable[[Pair], str | None]) -> Sums:
    sums: Counter[str | None] = Counter()
    for pair in pairs:
        sums[group(pair)] += pair.call.charge
    return {name: pico for name, pico in sums.items() if pico}


def _command_problems(evidence: Evidence, found: Audit) -> Iterable[str]:
    for by, group in GROUPINGS.items():
        shown = json.loads(fondation(evidence.folder, "usage", "--by", by, "--format", "json").stdout)
        yield from _total_problems(shown["total"], found)
        costs = {line[by]: line["cost"] for line in shown["groups"] if line["cost"]}
        wanted = {name: dollars(pico) for name, pico in _sums(found.known, group).items()}
        if costs != wanted:
            yield f"`fondation usage --by {by}` shows {costs}, the books have {wanted}"


def _total_problems(total: dict[str, Any], found: Audit) -> Iterable[str]:
    rows = [row for _, row in found.pairs] + found.cut_off
    read = [pair for pair in found.pairs if pair.row["total_tokens"]]
    wanted = {
        "cost": dollars(sum(call.charge for call, _ in found.known)),
        "calls": sum(row["status"] != "refused" for row in rows),
        "refused": sum(row["status"] == "refused" for row in rows),
        "unknown_cost_calls": len(found.unknown) + len(found.cut_off),
        "simulated": len(found.simulated),
        **{name: sum(_tokens(pair, name) for pair in read) for name in TOKENS},
    }
    for name, value in wanted.items():
        if total[name] != value:
            yield f"`fondation usage` shows {total[name]} as {name}, the books have {value}"


def _tokens(pair: Pair, name: str) -> int:
    """Of a call that broke off, and whose cost nobody knows, the ledger may have tokens that it told until then."""
    is_so_far = pair.row["cost_source"] == "unknown" and not pair.call.told
    tokens: int = (pair.row[name] or 0) if is_so_far else getattr(pair.call, name)
    return tokens


def _view_problems(evidence: Evidence, found: Audit) -> Iterable[str]:
    with contextlib.closing(sqlite3.connect(evidence.folder / "fondation.db")) as connection:
        for by, group in GROUPINGS.items():
            view = f"usage_by_{by}"
            columns = connection.execute(f"SELECT * FROM {view}").description
            shown = {
                name: cost for name, cost in connection.execute(f"SELECT {columns[0][0]}, cost_usd FROM {view}") if cost
            }
            wanted = {name: dollars(pico) for name, pico in _sums(found.known, group).items()}
            if shown != wanted:
                yield f"{view} shows {shown}, the books have {wanted}"


def _reconcile_problems(evidence: Evidence, found: Audit) -> Iterable[str]:
    """The whole invoice differs in the calls alone that the ledger says are unknown; without them it agrees."""
    unknown = {call.id for call, _ in found.unknown}
    routed = [call for call in evidence.books.calls if call.side == "router"]
    billed = [call for call in routed if call.charge or (call.status == 200 and call.id not in unknown)]
    known = [call for call in billed if call.id not in unknown]
    for calls, expected in ((billed, {call.id for call in billed} & unknown), (known, set[str]())):
        path = evidence.folder / "activity.csv"
        write_activity(path, calls)
        done = fondation(evidence.folder, "usage", "reconcile", str(path), "--format", "json")
        if done.returncode != int(bool(expected)):
            yield f"`reconcile` ends with {done.returncode}: {done.stderr}"
        differences = json.loads(done.stdout)["differences"]
        seen = {(entry["export"] or entry["ledger"])["generation_id"] for entry in differences}
        if seen != expected:
            yield f"`reconcile` finds {len(differences)} differences, of which these are wrong: {seen ^ expected}"


def write_activity(path: Path, calls: Sequence[Call]) -> None:
    """The calls as the export of OpenRouter's activity page has them."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        names = ("generation_id", "created_at", "model_permaslug", "cost_total", "byok_usage_inference")
        lines.writerow([*names, "tokens_prompt", "tokens_completion"])
        for call in calls:
            at = datetime.fromtimestamp(call.arrived, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            costs = (f"{call.charge - call.upstream_charge}e-12", f"{call.upstream_charge}e-12")
            lines.writerow([call.id, at, call.model, *costs, call.prompt_tokens, call.completion_tokens])


def _event_problems(evidence: Evidence) -> Iterable[str]:
    """Each row is told to the hook once; of a killed process those may be missing that it had not told yet."""
    events = (evidence.folder / "told.jsonl").read_text().splitlines()
    told = Counter(_key_of_event(json.loads(line)) for line in events)
    rows = read_rows(evidence.folder / "fondation.db")
    kept = Counter(map(_key_of_row, rows))
    for key in told - kept:
        yield f"the hook was told of {key}, and no row says so"
    missing = kept - told
    for row in rows:
        if _key_of_row(row) in missing and pid_of(row) not in evidence.killed:
            yield f"the hook was not told of {row}"


def _key_of_event(event: dict[str, Any]) -> tuple[Any, ...]:
    cost = event["cost"] if event["costSource"] not in ("unknown", "simulated") else 0.0
    names = ("runId", "agentName", "round", "step", "attempt", "status", "costSource", "generationId")
    return (*(event[name] for name in names), cost)


def _key_of_row(row: Row) -> tuple[Any, ...]:
    names = ("run_id", "agent_name", "round", "step", "attempt", "status", "cost_source", "generation_id", "cost")
    return tuple(row[name] for name in names)
