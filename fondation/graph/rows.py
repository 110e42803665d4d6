"""The graph as a list: each handoff with how often it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fondation.graph.model import Graph, Handoff, with_gone

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


def times_of(handoff: Handoff, traffic: Traffic | None) -> int | None:
    """How often it happened; None where no ledger was asked."""
    return None if traffic is None else traffic.handoffs.get((handoff.source, handoff.target), 0)


def rows(graph: Graph, traffic: Traffic | None = None) -> list[Passed]:
    """The most travelled first, then in the file's order; without traffic all in the file's order."""
    whole = graph if traffic is None else with_gone(graph, traffic)
    passed = [Passed(each.source, each.target, times_of(each, traffic), each.is_gone) for each in whole.handoffs]
    return sorted(passed, key=lambda each: -(each.times or 0))
