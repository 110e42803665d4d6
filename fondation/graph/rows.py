"""The graph as a list: each handoff with how often it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fondation.graph.model import Graph, with_gone

if TYPE_CHECKING:
    from fondation.usage.traffic import Traffic


class Passed(NamedTuple):
    """A handoff."""

    source: str
    target: str
    times: int | None
    """How often the conversation was passed on so; None where no ledger was asked."""
    is_gone: bool
    """It happened, and the file no longer allows it."""


def rows(graph: Graph, traffic: Traffic | None = None) -> list[Passed]:
    """The most travelled first, then in the file's order; without traffic all in the file's order."""
    if traffic is None:
        return [Passed(each.source, each.target, None, each.is_gone) for each in graph.handoffs]
    handoffs = with_gone(graph, traffic).handoffs
    passed = [
        Passed(each.source, each.target, traffic.handoffs.get((each.source, each.target), 0), each.is_gone)
        for each in handoffs
    ]
    return sorted(passed, key=lambda each: -(each.times or 0))
