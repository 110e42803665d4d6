"""All that the usage page shows, read from the ledger at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from fondation.budgets.reports import Spending, spendings
from fondation.config.words import counted
from fondation.dashboard.selection import Selection
from fondation.graph import Graph, Passed, rows
from fondation.usage.calls import Call, UnknownCosts, newest_calls, unknown_costs
from fondation.usage.figures import Figures
from fondation.usage.filters import Filters
from fondation.usage.losses import loss_text, lost_rows, untimed_rows, untimed_text
from fondation.usage.money import ROW_PLACES, dollars, from_pico
from fondation.usage.periods import Period
from fondation.usage.reports import Report, regrouped, report, report_of, shortened
from fondation.usage.tallies import tally
from fondation.usage.traffic import Traffic, traffic_of

if TYPE_CHECKING:
    from fondation.budgets import Budget

NEWEST = 50
"""Calls that are shown one by one."""
TOP = 12
"""Agents, models, users and buckets of a budget that are shown; the others are shown together."""

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
    dearest_agents: Report
    dearest_models: Report
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
    notices: Sequence[str]
    """Sentences that must be said with the figures."""

    @property
    def requests(self) -> int:
        """Rows: every call that was recorded, also refused and simulated ones."""
        return self.total.rows

    @property
    def tokens(self) -> int:
        """Of every row, also of simulated calls."""
        return self.total.total_tokens + self.total.simulated_tokens


@dataclass(frozen=True, slots=True)
class Source:
    """What an overview is read from."""

    connection: sqlite3.Connection
    selection: Selection
    budgets: Sequence[Budget]
    graph: Graph
    now: datetime
    """With the time zone of `usage.timezone`."""

    @property
    def filters(self) -> Filters:
        """Raises `BadSelection`."""
        return self.selection.filters(self.now)

    @property
    def zone(self) -> tzinfo:
        assert self.now.tzinfo is not None
        return self.now.tzinfo

    def report(self, *by: str, top: int | None = None) -> Report:
        return report(self.connection, self.filters, by, self.zone, top)

    def calls(self) -> list[Call]:
        return newest_calls(self.connection, self.filters, NEWEST)

    def unknown(self) -> list[UnknownCosts]:
        return unknown_costs(self.connection, self.filters)

    def traffic(self, agents: Report) -> Traffic:
        return traffic_of(self.connection, self.filters, agents)

    def spendings(self) -> Sequence[Spending]:
        return spendings(self.connection, self.budgets, self.now.timestamp(), TOP)


def read_overview(source: Source, notices: Sequence[str] = ()) -> Overview:
    """All of it; `notices` are what must be said anyway. Raises `BadSelection`."""
    filters = source.filters
    tallies = tally(source.connection, filters, _SPLIT, source.zone)
    by_day_and_agent = report_of(regrouped(tallies, _SPLIT, ("day", "agent")), ("day", "agent"))
    agents, models = (regrouped(tallies, _SPLIT, (kept,)) for kept in ("agent", "model"))
    by_agent, by_model = report_of(agents, ("agent",)), report_of(models, ("model",))
    traffic = source.traffic(by_agent)
    return Overview(
        selection=source.selection,
        period=filters.period,
        now=source.now,
        total=by_agent.total,
        days=by_day_and_agent,
        agents=by_agent,
        models=by_model,
        dearest_agents=shortened(by_agent, agents, TOP),
        dearest_models=shortened(by_model, models, TOP),
        users=source.report("user", top=TOP),
        calls=source.calls(),
        unknown=source.unknown() if by_agent.total.unknown_cost_calls else (),
        handoffs=rows(source.graph, traffic),
        traffic=traffic,
        budgets=source.spendings(),
        notices=[*notices, *_left_out(source.connection, filters.period, by_day_and_agent)],
    )


def _left_out(connection: sqlite3.Connection, period: Period, days: Report) -> Iterator[str]:
    """Sentences on calls that are in no figure, or on no day."""
    if lost := lost_rows(connection, period):
        yield loss_text(lost)
    if untimed := untimed_rows(connection):
        yield untimed_text(untimed)
    undated = [figures for (day, _), figures in days.groups if day is None]
    if calls := sum(each.rows for each in undated):
        cost = dollars(from_pico(sum(each.cost_pico for each in undated)), ROW_PLACES)
        yield (
            f"{counted(calls, 'call')} of {cost} in all {'is' if calls == 1 else 'are'} on no day: the timestamp that "
            "another program wrote is before 1970 or after 9999, perhaps in milliseconds where seconds belong."
        )
