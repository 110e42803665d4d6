"""The dashboard's pages as HTML. Whatever a name holds, it stays text: templates escape all that they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fondation.dashboard.cells import FILTERS
from fondation.dashboard.desk import ChatRuns
from fondation.dashboard.overview import Overview
from fondation.dashboard.pictures import by_day, latencies, run_over_time
from fondation.dashboard.rows import budget_notes, budget_rows, cached_rows, counted_apart, group_rows
from fondation.dashboard.selection import BadSelection, Selection
from fondation.graph import Graph, busiest_gone, draw
from fondation.usage.explaining import Run
from fondation.usage.reports import Report
from fondation.usage.run_cells import Costs, begun, chat_cells, run_cells, took_text
from fondation.usage.table import span

PERIODS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "": "All time"}
"""Values of `since` that the page offers, and how they are called."""
_MOST_GONE = 6
"""Agents that are no longer in the file, of those that are drawn."""


class Place(NamedTuple):
    """Where others are, relative to the address of a page."""

    usage: str
    """The usage page; what belongs to it is below."""
    chat: str


USAGE = Place("usage", "../")
"""Of `/admin/usage`."""
RUN = Place("../../usage", "../../../")
"""Of `/admin/usage/runs/ID`."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


_templates = _environment()


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one server; each method gives the text of one. Addresses in them are relative to their own."""

    graph: Graph
    models: Sequence[str]
    """Those of the file; the ledger may know others."""
    is_recording: bool
    """Whether calls come into the ledger."""
    has_chat: bool
    """Whether the server has a chat page to lead back to."""

    def usage(self, overview: Overview) -> str:
        """The page at `/admin/usage`."""
        days, total = by_day(overview), overview.total
        traffic, folded = busiest_gone(self.graph, overview.traffic, _MOST_GONE)
        colours = {series.name: series.css for series in days.legend} if days else {}
        return self._render(
            "usage.html",
            USAGE,
            is_usage=True,
            notices=overview.notices,
            overview=overview,
            **self._form(overview.selection, overview.agents, overview.models),
            span=span(overview.period),
            zone=overview.now.tzinfo,
            all_simulated=total.are_simulated,
            runs=total.simulated_runs if total.are_simulated else total.runs,
            requests=list(counted_apart(total)),
            days=days,
            by_agent=group_rows(overview.dearest_agents, colours),
            by_model=group_rows(overview.dearest_models),
            by_user=group_rows(overview.users),
            latency=latencies(overview),
            graph=draw(self.graph, traffic, href=lambda name: _link(overview, name)),
            folded=folded,
            cached=cached_rows(overview.dearest_models),
            budgets=list(budget_rows(overview)),
            budget_notes=list(budget_notes(overview)),
        )

    def run(self, found: Run | ChatRuns, zone: tzinfo) -> str:
        """The page of a run, step by step, or the list of a chat's runs, at `/admin/usage/runs/ID`."""
        if isinstance(found, ChatRuns):
            return self._render("chat.html", RUN, found=found, zone=zone, chats=chat_cells(found.runs, zone))
        return self._render(
            "run.html",
            RUN,
            found=found,
            zone=zone,
            began=begun(found, zone),
            took=took_text(found),
            cost=Costs.of([found]).text,
            picture=run_over_time(found),
            cells=run_cells(found),
        )

    def bad_selection(self, selection: Selection, error: BadSelection) -> str:
        """The form of the usage page as it was filled in, and what is wrong with it."""
        return self._render("bad_selection.html", USAGE, is_usage=True, **self._form(selection, error=error))

    def error(self, sentence: str, place: Place) -> str:
        """What is wrong, and the way to all figures."""
        return self._render("error.html", place, sentence=sentence)

    def _form(
        self,
        selection: Selection,
        of_agents: Report | None = None,
        of_models: Report | None = None,
        error: BadSelection | None = None,
    ) -> dict[str, object]:
        """What the form of filters is made of; the reports are those of the ledger, where it was read."""
        return {
            "selection": selection,
            "error": error,
            "periods": PERIODS,
            "agents": _names([agent.name for agent in self.graph.agents], of_agents, selection.agent),
            "models": _names(self.models, of_models, selection.model),
        }

    def _render(self, template: str, place: Place, *, is_usage: bool = False, **values: object) -> str:
        return _templates.get_template(template).render(pages=self, place=place, is_usage=is_usage, **values)


def _link(overview: Overview, agent: str) -> str:
    """The address at which only this agent's calls are selected."""
    return f"{USAGE.usage}{overview.selection.address(agent=agent)}"


def _names(of_file: Sequence[str], of_ledger: Report | None, selected: str) -> list[str]:
    """What a filter offers, in order: also what the ledger alone knows, or the address alone."""
    told = [name for (name,), _ in of_ledger.groups if name] if of_ledger else []
    return sorted({*of_file, *told, *filter(None, [selected])}, key=str.casefold)
