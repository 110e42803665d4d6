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
from fondation.usage.explaining import Run
from fondation.usage.reports import Report

PERIODS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days", "": "All time"}
"""Values of `since` that the page offers, and how they are called."""


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

    agents: Sequence[str]
    """Those of the file; the ledger may know others."""
    models: Sequence[str]
    notice: str | None
    """What must be said before all figures."""
    has_chat: bool
    """Whether the server has a chat page to lead back to."""

    def usage(self, overview: Overview) -> str:
        """The page at `/admin/usage`."""
        return self._render(
            "usage.html",
            USAGE,
            notices=[*filter(None, [self.notice]), *overview.missing],
            overview=overview,
            selection=overview.selection,
            zone=overview.now.tzinfo,
            periods=PERIODS,
            agents=_names(self.agents, overview.agents, overview.selection.agent),
            models=_names(self.models, overview.models, overview.selection.model),
        )

    def run(self, found: Run | ChatRuns, zone: tzinfo) -> str:
        """The page of a run, step by step, or the list of a chat's runs, at `/admin/usage/runs/ID`."""
        template = "chat.html" if isinstance(found, ChatRuns) else "run.html"
        return self._render(template, RUN, found=found, zone=zone)

    def error(self, sentence: str, place: Place) -> str:
        """What is wrong, and the way to all figures."""
        return self._render("error.html", place, sentence=sentence)

    def _render(self, template: str, place: Place, **values: object) -> str:
        return _templates.get_template(template).render(pages=self, place=place, **values)


def _names(of_file: Sequence[str], of_ledger: Report, selected: str) -> list[str]:
    """What a filter offers, in order: also what the ledger alone knows, or the address alone."""
    told = [name for (name,), _ in of_ledger.groups if name]
    return sorted({*of_file, *told, *filter(None, [selected])}, key=str.casefold)
