from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from pathlib import Path

import pytest

from fondation.budgets import Budget
from fondation.dashboard.desk import Desk
from fondation.dashboard.html import Pages
from fondation.dashboard.overview import Overview
from fondation.dashboard.selection import Selection
from fondation.graph import Agent, Graph, Handoff, Route
from tests.usage.conftest import fill, path

__all__ = ["fill", "look", "path"]

GRAPH = Graph(
    (Route("/api/chat", "Triage"),),
    (Agent("Triage", "main", "acme/main"), Agent("Billing", "main", "acme/main")),
    (Handoff("Triage", "Billing"),),
)
PAGES = Pages(GRAPH, ["acme/main"], is_recording=True, has_chat=True)


@pytest.fixture
def look(path: Path) -> Callable[..., Overview]:
    """What the page shows of what is selected."""

    def look(
        *, zone: tzinfo = UTC, budgets: tuple[Budget, ...] = (), why_not: str | None = None, **selected: str
    ) -> Overview:
        return Desk(path, zone, budgets, GRAPH, why_not).overview(Selection(**selected))

    return look
