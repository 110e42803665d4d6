"""A run that is explained, as text: for people a table, for programs JSON, whose keys stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from fondation.config.words import counted
from fondation.stores.rows import TOKEN_COLUMNS
from fondation.usage.calls import Call
from fondation.usage.explaining import Run, Step
from fondation.usage.figures import Figures
from fondation.usage.layout import lay_out
from fondation.usage.money import PICO_PER_DOLLAR, ROW_PLACES, dollars, from_pico, sum_text
from fondation.usage.periods import time_of
from fondation.usage.table import duration_text, name_text

_TITLES = ("Step", "Agent", "Model", "Outcome", "Input", "Cached", "Output", "Reasoning", "Cost", "Time", "First")
_CHAT_TITLES = ("Run", "Began", "Agents", "Calls", "Cost", "Time")
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")
_OF_ROW = (
    "attempt",
    "purpose",
    "provider",
    "requested_model",
    "generation_id",
    "status",
    "finish_reason",
    "error_type",
    *TOKEN_COLUMNS,
    "cost_note",
)
CALL_KEYS = ("began_at", "model", *_OF_ROW, "cost", "cost_source", "duration_ms", "first_token_ms")
"""Of a call's JSON."""
_WHOSE = ("chat", "session", "user")


def run_table(run: Run, zone: tzinfo, room: int | None = None) -> Iterator[str]:
    """The lines: whose run it is, and each of its calls. `room` is the terminal's width."""
    whose = [f"{name} {name_text(run.first[f'{name}_id'])}" for name in _WHOSE if run.first[f"{name}_id"]]
    steps = sum(step.number is not None for step in run.steps)
    yield f"Run {name_text(run.id)}" + (f" of {', '.join(whose)}" if whose else "")
    yield (
        f"{begun(run, zone)} ({zone}), took {duration_text(run.took_ms)}: "
        f"{counted(len(run.calls), 'call')} in {counted(steps, 'step')}, {' > '.join(map(name_text, run.agents))}"
    )
    yield ""
    yield from _laid_out(run_cells(run), room)
    if run.total.unknown_cost_calls:
        yield from ("", f"Total cost: {sum_text(run.total.cost, run.total.unknown_cost_calls, ROW_PLACES)}")


def runs_table(chat_id: str, runs: Sequence[Run], zone: tzinfo, room: int | None = None) -> Iterator[str]:
    """The lines: the runs of a chat, and how to see one of them."""
    yield f"Chat {name_text(chat_id)}: {counted(len(runs), 'run')} ({zone})"
    yield ""
    yield from _laid_out(chat_cells(runs, zone), room)
    cost, unknown = cost_of_runs(runs)
    if unknown:
        yield from ("", f"Total cost: {sum_text(cost, unknown, ROW_PLACES)}")
    yield from ("", "One of them step by step: fondation usage explain RUN")


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as text."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    footer: Sequence[str]
    names: int
    """So many columns are names; the others are numbers."""


def run_cells(run: Run) -> Cells:
    """Each call of the run, in the order of its steps."""
    rows = [_row(step, call) for step in run.steps for call in step.calls]
    tokens = [f"{getattr(run.total, name):,}" for name in _TOKENS]
    footer = ["Total", "", "", "", *tokens, _total_cost(run.total), duration_text(run.took_ms), ""]
    return Cells(_TITLES, rows, footer, names=4)


def chat_cells(runs: Sequence[Run], zone: tzinfo) -> Cells:
    """The runs of a chat."""
    rows = [
        [
            name_text(run.id),
            begun(run, zone),
            " > ".join(map(name_text, run.agents)),
            str(len(run.calls)),
            _total_cost(run.total),
            duration_text(run.took_ms),
        ]
        for run in runs
    ]
    cost, _ = cost_of_runs(runs)
    calls = str(sum(len(run.calls) for run in runs))
    footer = ["Total", "", "", calls, "unknown" if cost is None else dollars(cost, ROW_PLACES), ""]
    return Cells(_CHAT_TITLES, rows, footer, names=3)


def cost_of_runs(runs: Sequence[Run]) -> tuple[Decimal | None, int]:
    """What they cost together, None where nothing is known of it; and the calls of unknown cost."""
    unknown = sum(run.total.unknown_cost_calls for run in runs)
    is_known = any(run.total.known_cost_calls for run in runs) or not unknown
    return from_pico(sum(run.total.cost_pico for run in runs)) if is_known else None, unknown


def run_json(run: Run) -> dict[str, Any]:
    """The run as JSON: times in UTC, costs in US dollars, null where unknown."""
    first = run.first
    return {
        "run_id": run.id,
        **{f"{name}_id": first[f"{name}_id"] for name in _WHOSE},
        "method": first["method"],
        "began_at": _moment(first["timestamp"]),
        "took_ms": run.took_ms,
        "agents": run.agents,
        "steps": [_step_json(step) for step in run.steps],
        "total": _total_json(run.total),
    }


def chat_json(chat_id: str, runs: Sequence[Run]) -> dict[str, Any]:
    """The runs of a chat as JSON."""
    return {"chat_id": chat_id, "runs": [run_json(run) for run in runs]}


def begun(run: Run, zone: tzinfo) -> str:
    """When its first call began."""
    time = time_of(run.first["timestamp"], zone)
    return "at no date" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def _laid_out(cells: Cells, room: int | None) -> Iterator[str]:
    return lay_out(cells.titles, cells.rows, cells.footer, names=cells.names, room=room)


def _row(step: Step, call: Call) -> list[str]:
    row = call.row
    tokens = ["-" if row[name] is None else f"{row[name]:,}" for name in _TOKENS]
    return [
        label(step, call),
        name_text(row["agent_name"]),
        name_text(call.model),
        name_text(_outcome(step, call)),
        *tokens,
        _cost(call),
        duration_text(row["duration"]),
        duration_text(row["time_to_first_token"]),
    ]


def label(step: Step, call: Call) -> str:
    """`2`, or `2.1` and `2.2` where the step took several attempts; what a call beside the answer is for."""
    if step.number is None:
        return name_text(call.purpose or "-")
    attempts = len(step.calls) > 1
    return f"{step.number}.{step.calls.index(call) + 1}" if attempts else str(step.number)


def _outcome(step: Step, call: Call) -> str:
    row = call.row
    match row["status"]:
        case "done" | None:
            said = row["finish_reason"] or "done"
        case status:
            said = f"{status}: {row['error_type']}" if row["error_type"] else status
    if call is step.calls[-1]:
        said = ", ".join([said, *(step.tools or ()), *([f"handoff to {step.handoff_to}"] if step.handoff_to else [])])
    note = row.get("cost_note")
    return f"{said} (cost: {note})" if note else said


def _cost(call: Call) -> str:
    if call.cost_source == "simulated":
        return "simulated"
    return dollars(call.row["cost"], ROW_PLACES) if call.is_cost_known else "unknown"


def _total_cost(total: Figures) -> str:
    if total.simulated and not total.calls + total.refused:
        return "simulated"
    return "unknown" if total.cost is None else dollars(total.cost, ROW_PLACES)


def _step_json(step: Step) -> dict[str, Any]:
    first = step.calls[0].row
    return {
        "step": step.number,
        "round": first["round"],
        "agent": first["agent_name"],
        "tools": step.tools,
        "handoff_to": step.handoff_to,
        "calls": [call_json(call) for call in step.calls],
    }


def call_json(call: Call) -> dict[str, Any]:
    """A call as JSON: its time in UTC, its cost in US dollars, null where unknown."""
    row = call.row
    return {
        "began_at": _moment(row["timestamp"]),
        "model": call.model,
        **{name: row.get(name) for name in _OF_ROW},
        "cost": row["cost_pico"] / PICO_PER_DOLLAR if call.is_cost_known else None,
        "cost_source": call.cost_source,
        "duration_ms": row["duration"],
        "first_token_ms": row["time_to_first_token"],
    }


def _total_json(total: Figures) -> dict[str, Any]:
    names = ("calls", "refused", "simulated", "prompt_tokens", "completion_tokens", "total_tokens")
    return {
        **{name: getattr(total, name) for name in names},
        "cost": None if total.cost is None else float(total.cost),
        "unknown_cost_calls": total.unknown_cost_calls,
    }


def _moment(unix_seconds: int) -> str | None:
    time = time_of(unix_seconds, UTC)
    return None if time is None else time.isoformat()
