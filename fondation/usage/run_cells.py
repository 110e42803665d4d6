"""A run, or the runs of a chat, as a table of text: the same for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from fondation.config.words import counted, listed
from fondation.usage.calls import Call
from fondation.usage.cost_notes import why_unknown
from fondation.usage.explaining import Owner, Run, Step, by_owner
from fondation.usage.money import ROW_PLACES, brief_sum, dollars, from_pico, sum_text
from fondation.usage.periods import time_of
from fondation.usage.table import duration_text, name_text

_TITLES = ("Step", "Agent", "Model", "Outcome", "Input", "Cached", "Output", "Reasoning", "Cost", "Time", "First")
_CHAT_TITLES = ("Run", "Began", "Agents", "Calls", "Cost", "Time")
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as text."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    footer: Sequence[str]
    names: int
    """So many columns are names; the others are numbers."""
    notes: Sequence[str]
    """Sentences to stand below it."""


def run_cells(run: Run) -> Cells:
    """Each call of the run, in the order of its steps."""
    rows = [_row(step, call) for step in run.steps for call in step.calls]
    tokens = [_count(run.tokens(name)) for name in _TOKENS]
    cost = Costs.of([run])
    footer = ["Total", "", "", "", *tokens, cost.brief, took_text(run), ""]
    return Cells(_TITLES, rows, footer, names=4, notes=[*cost.notes(), *_why_unknown(run)])


def chat_cells(runs: Sequence[Run], zone: tzinfo) -> list[tuple[str, Cells]]:
    """The runs of the chats of one id, for each of their owners: what they are, and a table of them."""
    owned = by_owner(runs)
    return [(_title(owner, runs, len(owned) > 1), _cells_of_chat(runs, zone)) for owner, runs in owned.items()]


@dataclass(frozen=True, slots=True)
class Costs:
    """What runs cost together."""

    known: Decimal | None
    """US dollars; None where nothing is known."""
    unknown_calls: int
    pending_calls: int
    are_simulated: bool

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Costs:
        totals = [run.total for run in runs]
        missing = sum(total.unknown_cost_calls for total in totals)
        pending = sum(total.pending_cost_calls for total in totals)
        is_known = any(total.known_cost_calls for total in totals) or not missing
        return cls(
            known=from_pico(sum(total.cost_pico for total in totals)) if is_known else None,
            unknown_calls=missing - pending,
            pending_calls=pending,
            are_simulated=all(total.are_simulated for total in totals),
        )

    @property
    def text(self) -> str:
        """`$0.007551 + 1 call of unknown cost`."""
        if self.are_simulated:
            return "simulated"
        return sum_text(self.known, self.unknown_calls, ROW_PLACES, pending_calls=self.pending_calls)

    @property
    def brief(self) -> str:
        """`$0.007551 + ?`."""
        if self.are_simulated:
            return "simulated"
        if self.known is None and not self.unknown_calls:
            return "pending"
        return brief_sum(self.known, self.unknown_calls + self.pending_calls)

    def notes(self) -> Iterator[str]:
        """What a table has no room for."""
        if self.unknown_calls or self.pending_calls:
            yield f"Total cost: {self.text}"


def took_text(run: Run) -> str:
    """`about 4.5s`, as calls begin on whole seconds; `at least 178ms` where all began in one, as nobody knows what was
    between them; `running`; `-` where nobody knows.
    """
    if run.is_running:
        return "running"
    took = run.took_ms
    if took is None or len(run.calls) == 1:
        return duration_text(took)
    began = {call.row["timestamp"] for call in run.calls}
    return f"{'about' if len(began) > 1 else 'at least'} {duration_text(took)}"


def begun(run: Run, zone: tzinfo) -> str:
    """When its first call began."""
    time = time_of(run.first["timestamp"], zone)
    return "at no date" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def label(step: Step, call: Call) -> str:
    """`2`, or `2.1` and `2.2` where the step took several attempts; what a call beside the answer is for."""
    if step.number is None:
        return name_text(call.purpose or "-")
    attempts = len(step.calls) > 1
    return f"{step.number}.{step.calls.index(call) + 1}" if attempts else str(step.number)


def _title(owner: Owner, runs: Sequence[Run], is_one_of_several: bool) -> str:
    """`2 runs of user ada`. A session is told where there are several: else it may be just the chat."""
    is_told = is_one_of_several or owner.kind == "user"
    return counted(len(runs), "run") + (f" of {owner.kind} {name_text(owner.name)}" if is_told else "")


def _cells_of_chat(runs: Sequence[Run], zone: tzinfo) -> Cells:
    rows = [
        [
            name_text(run.id),
            begun(run, zone),
            " > ".join(map(name_text, run.agents)),
            str(len(run.calls)),
            Costs.of([run]).brief,
            took_text(run),
        ]
        for run in runs
    ]
    cost = Costs.of(runs)
    calls = str(sum(len(run.calls) for run in runs))
    return Cells(_CHAT_TITLES, rows, ["Total", "", "", calls, cost.brief, ""], names=3, notes=[*cost.notes()])


def _row(step: Step, call: Call) -> list[str]:
    row = call.row
    tokens = [_count(call.tokens(name)) for name in _TOKENS]
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


def _outcome(step: Step, call: Call) -> str:
    row = call.row
    match row["status"]:
        case "done" | None:
            said = row["finish_reason"] or "done"
        case status:
            said = f"{status}: {row['error_type']}" if row["error_type"] else status
    if call is step.calls[-1]:
        said = ", ".join([said, *(step.tools or ()), *([f"handoff to {step.handoff_to}"] if step.handoff_to else [])])
    return said


def _cost(call: Call) -> str:
    if call.cost_source == "simulated":
        return "simulated"
    return dollars(call.row["cost"], ROW_PLACES) if call.is_cost_known else call.cost_source


def _count(tokens: int | None) -> str:
    return "-" if tokens is None else f"{tokens:,}"


def _why_unknown(run: Run) -> Iterator[str]:
    """`Cost of step 2.1 and step 3 unknown: its provider ...`, for each reason."""
    calls: dict[str, list[str]] = {}
    for step in run.steps:
        for call in step.calls:
            if why := _why_cost_is_unknown(call):
                called = label(step, call)
                calls.setdefault(why, []).append(called if step.number is None else f"step {called}")
    yield from (f"Cost of {listed(names, 'and')} {why}" for why, names in calls.items())


def _why_cost_is_unknown(call: Call) -> str | None:
    note: str | None = call.row["cost_note"]
    match call.cost_source:
        case "pending":
            return "not known yet: it is still running" if call.is_running else why_unknown("pending")
        case "unknown" if note:
            return f"unknown: {name_text(why_unknown(note))}"
        case _:
            return None
