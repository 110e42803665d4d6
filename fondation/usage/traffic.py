"""How the conversations went: how often one agent passed them on to another, and what each of them took."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TypeAlias

import msgspec

from fondation.usage.figures import Figures
from fondation.usage.filters import Filters, conditions
from fondation.usage.periods import Span
from fondation.usage.reading import calls_of, has_index_by_time
from fondation.usage.reports import Report, report
from fondation.usage.sorting import Rows
from fondation.usage.tallies import rows_of, spans_of
from fondation.usage.together import spread, together

Handoffs: TypeAlias = Mapping[tuple[str, str], int]
"""From whom, to whom -> how often."""

_OF_AN_ANSWER = "COALESCE(purpose, 'answer') = 'answer'"
_AT_ONCE = 5_000
"""About so many rows are read in one go, so that a server's other threads do not wait for it."""
_MAY_BE_PASSED_ON = "handoff_chain LIKE '%,%'"


@dataclass(frozen=True, slots=True)
class Traffic:
    handoffs: Handoffs
    """How often each agent passed the conversation on to another, in real and in simulated runs."""
    agents: Mapping[str, Figures]
    """What the calls of each agent took: those for titles and the like are among them."""


def traffic(connection: sqlite3.Connection, filters: Filters) -> Traffic:
    """The handoffs and the agents' figures of the calls that pass the filters."""
    return traffic_of(connection, filters, report(connection, filters, ("agent",), UTC))


def traffic_of(connection: sqlite3.Connection, filters: Filters, by_agent: Report) -> Traffic:
    """The same where the report by agent is there already."""
    figures = {name: figures for (name,), figures in by_agent.groups if name is not None}
    return Traffic(count_handoffs(connection, filters), figures)


def count_handoffs(connection: sqlite3.Connection, filters: Filters) -> Handoffs:
    """How often each agent passed the conversation on to another.

    A handoff is counted once for each run and place in its chain of agents, by the calls that the next agent made in
    answering: a retry, a fallback or a second step is no second handoff. Where a row tells no run it is one of its
    own. The filters are about these calls; that of an agent is about either end of the handoff.
    """
    runs: defaultdict[tuple[str, ...], set[str | int]] = defaultdict(set)
    with together(connection) as connections:
        for found in spread(connections, _Search(connection, filters), _stretches(connection, filters)):
            for text, run_ids in found:
                runs[_chain(text)].update(msgspec.json.decode(run_ids))
    handoffs: Counter[tuple[str, str]] = Counter()
    for chain, in_runs in runs.items():
        if len(chain) > 1 and filters.agent in (None, *chain[-2:]):
            handoffs[chain[-2], chain[-1]] += len(in_runs)
    return handoffs


class _Search:
    """Finds the chains of agents in a stretch, each with its runs: both as JSON."""

    def __init__(self, connection: sqlite3.Connection, filters: Filters) -> None:
        needed, self._values = conditions(replace(filters, agent=None))
        self._query = (
            "SELECT CAST(handoff_chain AS BLOB), json_group_array(COALESCE(run_id, id)) FROM "
            f"{calls_of(connection)} WHERE {' AND '.join([*needed, _OF_AN_ANSWER, _MAY_BE_PASSED_ON])}"
        )

    def __call__(self, connection: sqlite3.Connection, stretch: Span | Rows) -> list[tuple[bytes, str]]:
        column = "id" if isinstance(stretch, Rows) else "timestamp"
        query = f"{self._query} AND {column} >= :begins AND {column} < :ends GROUP BY 1"
        return connection.execute(query, {**self._values, "begins": stretch.begins, "ends": stretch.ends}).fetchall()


def _stretches(connection: sqlite3.Connection, filters: Filters) -> Sequence[Span | Rows]:
    """Of rows where all are asked for, else of time."""
    largest: int | None = connection.execute("SELECT MAX(rowid) FROM usage_tracking").fetchone()[0]
    pieces = 1 + (largest or 0) // _AT_ONCE
    if filters == Filters() and pieces > 1:
        return rows_of(connection, "usage_tracking", pieces)
    is_slow = filters.are_of_few or not has_index_by_time(connection)
    return spans_of(connection, calls_of(connection), filters.period, None, 1 if is_slow else pieces)


def _chain(text: bytes) -> tuple[str, ...]:
    """The agents up to the one that made a call; nobody where another program wrote something else there."""
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except (ValueError, RecursionError):
        return ()
