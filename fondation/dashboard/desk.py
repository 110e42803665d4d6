"""Where the dashboard's figures come from: the ledger of a project, opened anew for each page."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from fondation.budgets import Budget
from fondation.dashboard.overview import Overview, Source, read_overview
from fondation.dashboard.selection import Selection
from fondation.graph import Graph
from fondation.usage.explaining import Run, find_run, read_run, runs_of_chat
from fondation.usage.reading import NoLedger, NothingRecorded, empty_ledger, open_to_read


@dataclass(frozen=True, slots=True)
class ChatRuns:
    """The runs of a chat, the first one first."""

    chat_id: str
    runs: Sequence[Run]


@dataclass(frozen=True, slots=True)
class Desk:
    """Each method reads while it blocks, and raises `NoLedger` where the file cannot be read."""

    ledger: Path
    zone: tzinfo
    budgets: Sequence[Budget]
    graph: Graph
    why_not_recorded: str | None = None
    """Why nothing is added to the ledger, and what to do about it; None where calls are recorded."""

    def overview(self, selection: Selection) -> Overview:
        """What is recorded and selected. Raises `BadSelection`."""
        with self.source(selection) as source:
            return read_overview(source, [self.why_not_recorded] if self.why_not_recorded else [])

    def run(self, typed: str) -> Run | ChatRuns:
        """The run of this id, or with this beginning; or the runs of the chat of this id. Raises `NoSuchRun`."""
        with self._opened() as connection:
            run_id = find_run(connection, typed)
            return ChatRuns(typed, runs_of_chat(connection, typed)) if run_id is None else read_run(connection, run_id)

    @contextlib.contextmanager
    def source(self, selection: Selection) -> Generator[Source, None, None]:
        """To read a part of it, while the block lasts."""
        with self._opened() as connection:
            yield Source(connection, selection, self.budgets, self.graph, datetime.now(self.zone))

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection, None, None]:
        try:
            connection: sqlite3.Connection = open_to_read(self.ledger)
        except NothingRecorded:
            connection = empty_ledger()
        with contextlib.closing(connection):
            try:
                yield connection
            except sqlite3.DatabaseError as error:
                raise NoLedger(f"{self.ledger} cannot be read: {error}") from error
