"""All that the usage page shows, read from the ledger at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fondation.budgets.reports import Spending, spendings
from fondation.dashboard.selection import Selection
from fondation.graph import Graph, Passed, rows
from fondation.usage.calls import Call, UnknownCosts, newest_calls, unknown_costs
from fondation.usage.figures import Figures
from fondation.usage.losses import loss_text, lost_rows, untimed_rows, untimed_text
from fondation.usage.periods import Period
from fondation.usage.reports import Report, regrouped, report, report_of
from fondation.usage.tallies import tally
from fondation.usage.traffic import Traffic, count_handoffs

if TYPE_CHECKING:
    from fondation.budgets import Budget

NEWEST = 50
"""Calls that are shown one by one."""
TOP = 10
"""Users, and buckets of a budget, that are shown."""

_SPLIT = ("day", "agent", "model")


@dataclass(frozen=True, slots=True)
class Overview:
    selection: Selection
    period: Period
    now: datetime
    """When it was read, in the time zone of `usage.timezone`."""
    total: Figures
    days: Report
    """By day and agent."""
    agents: Report
    models: Report
    users: Report
    """The dearest of them."""
    calls: Sequence[Call]
    """The newest first."""
    unknown: Sequence[UnknownCosts]
    handoffs: Sequence[Passed]
    """The busiest first; also those that never happened, or that the file no longer has."""
    traffic: Traffic
    budgets: Sequence[Spending]
    """As of now, whatever is selected."""
    missing: Sequence[str]
    """Sentences on rows that are in no figure."""

    @property
    def requests(self) -> int:
        """Rows: every call that was recorded, also refused and simulated ones."""
        return self.total.calls + self.total.refused + self.total.simulated

    @property
    def tokens(self) -> int:
        """Of every row, also of simulated calls."""
        return self.total.total_tokens + self.total.simulated_tokens


def read_overview(
    connection: sqlite3.Connection, selection: Selection, budgets: Sequence[Budget], graph: Graph, now: datetime
) -> Overview:
    """Raises `BadSelection`."""
    filters, zone = selection.filters(now), now.tzinfo
    assert zone is not None
    tallies = tally(connection, filters, _SPLIT, zone)
    by_day_and_agent, by_agent, by_model = (
        report_of(regrouped(tallies, _SPLIT, kept), kept) for kept in (("day", "agent"), ("agent",), ("model",))
    )
    figures = {name: figures for (name,), figures in by_agent.groups if name is not None}
    traffic = Traffic(count_handoffs(connection, filters), figures)
    lost, untimed = lost_rows(connection, filters.period), untimed_rows(connection)
    return Overview(
        selection=selection,
        period=filters.period,
        now=now,
        total=by_agent.total,
        days=by_day_and_agent,
        agents=by_agent,
        models=by_model,
        users=report(connection, filters, ("user",), zone, TOP),
        calls=newest_calls(connection, filters, NEWEST),
        unknown=unknown_costs(connection, filters) if by_agent.total.unknown_cost_calls else (),
        handoffs=rows(graph, traffic),
        traffic=traffic,
        budgets=spendings(connection, budgets, now.timestamp(), TOP),
        missing=[text(rows) for text, rows in ((loss_text, lost), (untimed_text, untimed)) if rows],
    )
