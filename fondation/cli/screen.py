"""A run's events as a terminal shows them: text as it streams, tools, handoffs, and what it cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import click

from fondation import events
from fondation.events import Batch, Event, RunSummary
from fondation.messages import Json
from fondation.usage.money import ROW_PLACES, cost_text, shortest_dollars

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that would move the cursor, or worse: what a model writes is text."""
_LONGEST_VALUE = 400


class Screen:
    """Prints batch by batch; knows where the cursor is, so that each thing begins on a line of its own."""

    def __init__(self) -> None:
        self._agent = ""
        self._in_line = False

    def show(self, batch: Batch) -> None:
        for event in batch:
            if _is_told_by(batch[-1], event):
                continue
            shower = _SHOWERS.get(type(event))
            if shower is not None:
                shower(self, event)

    def line(self, text: str, **style: Any) -> None:
        """One line of its own."""
        self._end_line()
        click.secho(_printable(text), **style)

    def stopped(self, summary: RunSummary) -> None:
        """The user stopped the answer."""
        self.line("(stopped)", fg="yellow")
        self._cost(summary)

    def _on_round(self, event: events.RoundStarted) -> None:
        self._agent = event.agent

    def _on_handoff(self, event: events.HandedOff) -> None:
        why = f": {event.reason}" if event.reason else ""
        self.line(f"  {event.source} hands off to {event.target}{why}", fg="cyan")

    def _on_text_start(self, event: events.TextStarted) -> None:
        self._end_line()
        self._write(f"{self._agent}: ", bold=True)

    def _on_text(self, event: events.TextDelta) -> None:
        self._write(event.text)

    def _on_reasoning_start(self, event: events.ReasoningStarted) -> None:
        self._end_line()

    def _on_reasoning(self, event: events.ReasoningDelta) -> None:
        self._write(event.text, dim=True)

    def _on_part_end(self, event: Event) -> None:
        self._end_line()

    def _on_call(self, event: events.ToolCalled) -> None:
        self.line(f"  > {event.tool} {_shortened(event.input)}", fg="blue")

    def _on_success(self, event: events.ToolSucceeded) -> None:
        self.line(f"  < {event.tool} {_shortened(event.output)}", fg="blue")

    def _on_failure(self, event: events.ToolFailed) -> None:
        self.line(f"  ! {event.tool}: {_shortened(event.text)}", fg="red")

    def _on_source(self, event: events.SourceCited) -> None:
        self.line(f"  source: {event.title or ''} {event.url}", dim=True)

    def _on_file(self, event: events.FileGenerated) -> None:
        self.line(f"  file: {event.media_type} {_shortened(event.url)}", dim=True)

    def _on_data(self, event: events.DataSent) -> None:
        if event.name == "budget":
            self.line(f"  {_budget_line(event.data)}", fg="yellow")
            return
        self.line(f"  data-{event.name} {_shortened(event.data)}", dim=True)

    def _on_finish(self, event: events.RunFinished) -> None:
        self._cost(event.summary)

    def _on_error(self, event: events.RunFailed) -> None:
        self.line(event.sentence, fg="red")
        self._cost(event.summary)

    def _cost(self, summary: RunSummary) -> None:
        if summary.calls:
            self.line(f"  {cost_line(summary)}", dim=True)

    def _write(self, text: str, **style: Any) -> None:
        text = _printable(text)
        if text:
            click.secho(text, nl=False, **style)
            self._in_line = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._in_line:
            click.echo()
            self._in_line = False


def cost_line(summary: RunSummary) -> str:
    """Who answered on which model, for how many tokens and dollars; what is not known is said so."""
    tokens = "unknown tokens" if summary.usage.total is None else f"{summary.usage.total:,} tokens"
    cost = cost_text(summary.usage.cost, summary.cost_source, ROW_PLACES)
    return ", ".join(filter(None, (summary.agent, summary.model, tokens, cost)))


def _budget_line(data: Json) -> str:
    """`budget per-user: $4.00 of $5.00, until 2026-11-24T00:00:00Z`."""
    spent, limit = (shortest_dollars(Decimal(str(data[name]))) for name in ("spent", "limit"))
    until = f", until {data['reset']}" if data["reset"] else ""
    return f"budget {data['budget']}: {spent} of {limit} spent{until}"


def _is_told_by(outcome: Event, event: Event) -> bool:
    """Whether an event says what the sentence of the outcome says."""
    if not (isinstance(outcome, events.RunFailed) and isinstance(event, events.DataSent)):
        return False
    return event.name == "budget" and outcome.details is not None and outcome.details.get("budget") == event.data


def _printable(text: str) -> str:
    return _CONTROL.sub("", text)


def _shortened(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


_SHOWERS: dict[type[Event], Callable[[Screen, Any], None]] = {
    events.RoundStarted: Screen._on_round,
    events.HandedOff: Screen._on_handoff,
    events.TextStarted: Screen._on_text_start,
    events.TextDelta: Screen._on_text,
    events.TextEnded: Screen._on_part_end,
    events.ReasoningStarted: Screen._on_reasoning_start,
    events.ReasoningDelta: Screen._on_reasoning,
    events.ReasoningEnded: Screen._on_part_end,
    events.ToolCalled: Screen._on_call,
    events.ToolSucceeded: Screen._on_success,
    events.ToolFailed: Screen._on_failure,
    events.SourceCited: Screen._on_source,
    events.FileGenerated: Screen._on_file,
    events.DataSent: Screen._on_data,
    events.RunFinished: Screen._on_finish,
    events.RunFailed: Screen._on_error,
}
