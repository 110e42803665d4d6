"""A run that is explained, as text: for people a table, for programs JSON, whose keys stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Any

from fondation.config.words import counted
from fondation.stores.rows import TOKEN_COLUMNS
from fondation.usage.calls import Call
from fondation.usage.explaining import Run, Step
from fondation.usage.figures import Figures
from fondation.usage.layout import lay_out
from fondation.usage.money import PICO_PER_DOLLAR
from fondation.usage.periods import time_of
from fondation.usage.run_cells import Cells, begun, chat_cells, run_cells, took_text
from fondation.usage.table import name_text

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
        f"{begun(run, zone)} ({zone}), {_how_long(run)}: "
        f"{counted(len(run.calls), 'call')} in {counted(steps, 'step')}, {' > '.join(map(name_text, run.agents))}"
    )
    yield ""
    yield from _laid_out(run_cells(run), room)


def runs_table(chat_id: str, runs: Sequence[Run], zone: tzinfo, room: int | None = None) -> Iterator[str]:
    """The lines: the runs of a chat, or of several that have one id, and how to see one of them."""
    for title, cells in chat_cells(runs, zone):
        yield f"Chat {name_text(chat_id)}: {title} ({zone})"
        yield ""
        yield from _laid_out(cells, room)
        yield ""
    yield "One of them step by step: fondation usage explain RUN"


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


def _laid_out(cells: Cells, room: int | None) -> Iterator[str]:
    yield from lay_out(cells.titles, cells.rows, cells.footer, names=cells.names, room=room)
    if cells.notes:
        yield from ("", *cells.notes)


def _how_long(run: Run) -> str:
    if run.is_running:
        return "still running"
    return "nobody knows how long it took" if run.took_ms is None else f"took {took_text(run)}"


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
