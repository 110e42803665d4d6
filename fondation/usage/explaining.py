"""One run, step by step: which agent called which model, what it cost, what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby, pairwise
from typing import Any, Literal, NamedTuple

from fondation.config.words import printable, shown
from fondation.errors import FondationError
from fondation.stores.sqlite.chats_tools import answer_of_run
from fondation.usage.calls import Call, calls_where
from fondation.usage.figures import Figures
from fondation.usage.filters import Filters
from fondation.usage.reading import calls_of, one_moment
from fondation.usage.reports import report
from fondation.usage.run_times import begins_of, end_of

_LISTED_AT_MOST = 10
_OF_CHAT = "(chat_id = :chat AND session_id = :chat) OR (chat_id = :chat AND chat_id IS NOT session_id)"
"""In two parts: the index of sessions has the one, that of chats which are no sessions has the other."""
_AFTER_ALL = "\U0010ffff"


class NoSuchRun(FondationError):
    """No run, or no single one, is meant; the text says what to type."""


@dataclass(frozen=True, slots=True)
class Step:
    """A model turn: its attempts, and what the model asked for."""

    number: int | None
    """Counted through the run; None for a call beside the answer, or of another program."""
    calls: Sequence[Call]
    tools: Sequence[str] | None
    """None where they are not known: the chat is not kept."""
    handoff_to: str | None


class Owner(NamedTuple):
    """Whose a chat is. Several may have chosen the same id for theirs."""

    kind: Literal["user", "session"]
    name: str | None


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    steps: Sequence[Step]
    total: Figures

    @property
    def calls(self) -> list[Call]:
        return [call for step in self.steps for call in step.calls]

    @property
    def first(self) -> Mapping[str, Any]:
        """The row of its first call, which says whose the run is."""
        return self.calls[0].row

    @property
    def agents(self) -> list[str]:
        """Each tenure of an agent, in order."""
        answering = [call.row["agent_name"] for call in self.calls if call.purpose is None]
        return [agent for agent, _ in groupby(answering)]

    @property
    def owner(self) -> Owner:
        """Whose it is, as chats are owned."""
        user, session = self.first["user_id"], self.first["session_id"]
        return Owner("user", user) if user else Owner("session", session)

    @property
    def is_running(self) -> bool:
        return any(call.is_running for call in self.calls)

    @property
    def took_ms(self) -> int | None:
        """From the beginning of its first call to the end of its last; None where nobody knows, or one still runs.

        It is right to a second where calls began in different ones; what was between calls of one second is not in it.
        """
        return end_of(begins_of(self.calls))

    def tokens(self, column: str) -> int | None:
        """All that its calls told of a `TOKEN_COLUMNS`, also simulated ones; None where none told any."""
        told = [call.tokens(column) for call in self.calls]
        known = [count for count in told if count is not None]
        return sum(known) if known else None


def find_run(connection: sqlite3.Connection, typed: str) -> str | None:
    """The id of the run that is meant: its id, or as much of its beginning as no other has; None for a chat's id.

    Raises `NoSuchRun`.
    """
    query = (
        f"SELECT DISTINCT run_id FROM {calls_of(connection)} WHERE run_id >= :typed AND run_id < :after "
        f"ORDER BY run_id LIMIT {_LISTED_AT_MOST + 1}"
    )
    ends = {"typed": typed, "after": typed + _AFTER_ALL}
    found: list[str] = [run for (run,) in connection.execute(query, ends)] if typed else []
    if found and (len(found) == 1 or found[0] == typed):
        return found[0]
    if connection.execute(f"SELECT 1 FROM {calls_of(connection)} WHERE {_OF_CHAT} LIMIT 1", {"chat": typed}).fetchone():
        return None
    if not found:
        raise NoSuchRun(
            f"no run or chat with a model call is called {shown(typed)}: type the x-run-id of an answer, or its "
            "beginning, or a chat's id. What a budget stopped before its first call left no row"
        )
    listed = [f"  {printable(run)}" for run in found[:_LISTED_AT_MOST]] + ["  ..."] * (len(found) > _LISTED_AT_MOST)
    raise NoSuchRun("\n".join([f"several runs begin with {shown(typed)}: type more of one of", *listed]))


def read_run(connection: sqlite3.Connection, run_id: str) -> Run:
    """The run with this id, of which there is a call."""
    with one_moment(connection):
        calls = calls_where(connection, "run_id = ? ORDER BY id", (run_id,))
        answer = answer_of_run(connection, calls[0].row["chat_id"], run_id)
        tools = answer.tools[_steps_made(connection, answer.before) :]
    total = report(connection, Filters(run=run_id), ("agent",), UTC).total
    return Run(run_id, steps_of(calls, tools), total)


def runs_of_chat(connection: sqlite3.Connection, chat_id: str) -> list[Run]:
    """The runs of all chats of this id, the first one first; none where no call of one is known."""
    query = (
        f"SELECT run_id FROM {calls_of(connection)} WHERE ({_OF_CHAT}) AND run_id IS NOT NULL "
        "GROUP BY run_id ORDER BY MIN(id)"
    )
    return [read_run(connection, run_id) for (run_id,) in connection.execute(query, {"chat": chat_id}).fetchall()]


def by_owner(runs: Sequence[Run]) -> dict[Owner, list[Run]]:
    """The runs of each chat, where several owners have one of the same id."""
    owned: dict[Owner, list[Run]] = {}
    for run in runs:
        owned.setdefault(run.owner, []).append(run)
    return owned


def steps_of(calls: Sequence[Call], tools: Sequence[Sequence[str]]) -> list[Step]:
    """The steps of the answer, then the calls beside it."""
    beside = [Step(None, (call,), None, None) for call in calls if call.purpose is not None]
    turns: dict[object, list[Call]] = {}
    for call in calls:
        if call.purpose is None:
            turns.setdefault(call.row["step"] or call, []).append(call)
    known = dict(enumerate(tools, start=1)) if tools else None
    answers = list(turns.values())
    handoffs = [_handoff(turn[-1].row, after[0].row) for turn, after in pairwise(answers)]
    steps = [
        Step(turn[0].row["step"], turn, None if known is None else known.get(turn[0].row["step"], ()), handoff_to)
        for turn, handoff_to in zip(answers, [*handoffs, None], strict=False)
    ]
    return steps + beside


def _steps_made(connection: sqlite3.Connection, run_ids: Sequence[str]) -> int:
    """How many steps these runs made together."""
    query = f"SELECT COALESCE(MAX(step), 0) FROM {calls_of(connection)} WHERE run_id = ?"
    return sum(connection.execute(query, (run_id,)).fetchone()[0] for run_id in run_ids)


def _handoff(row: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The agent that the conversation was passed to between two steps."""
    if None in (row["round"], after["round"]) or row["round"] == after["round"]:
        return None
    agent: str = after["agent_name"]
    return agent
