"""Model calls read back from the ledger, one by one."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fondation.stores.rows import TOKEN_COLUMNS
from fondation.usage.filters import Filters, conditions
from fondation.usage.parts import KNOWN, UNKNOWN
from fondation.usage.reading import calls_of, text_of

_NUMBERS = (*TOKEN_COLUMNS, "duration", "time_to_first_token")


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A model call, as its row has it."""

    row: Mapping[str, Any]

    @property
    def model(self) -> str | None:
        model: str | None = self.row["model"] or self.row["requested_model"]
        return model

    @property
    def cost_source(self) -> str:
        """As the row has it; where another program wrote it and does not say, `billed` or `unknown`."""
        source: str | None = self.row["cost_source"]
        if self.row["cost_pico"] is None and source not in ("pending", "simulated"):
            return "unknown"
        return source or ("billed" if self.row["cost_pico"] else "unknown")

    @property
    def is_cost_known(self) -> bool:
        return self.cost_source in (*KNOWN, "none")

    @property
    def is_running(self) -> bool:
        return bool(self.row["status"] == "running")

    def tokens(self, column: str) -> int | None:
        """What it told of a `TOKEN_COLUMNS`; None where it told nothing, for which the row's total has 0."""
        count: int | None = self.row[column]
        parts = self.row["prompt_tokens"], self.row["completion_tokens"]
        return None if column == "total_tokens" and not count and parts == (None, None) else count

    @property
    def purpose(self) -> str | None:
        """What it was for, where it is no part of the answer: a title, say."""
        purpose: str | None = self.row.get("purpose")
        return None if purpose == "answer" else purpose


@dataclass(frozen=True, slots=True)
class UnknownCosts:
    """Calls that may have cost money, and nobody knows how much."""

    note: str | None
    """Why: a `cost_note`, `pending` where the provider is still asked, None where the row does not say."""
    agent: str
    model: str | None
    calls: int
    newest_run: str | None


def calls_where(connection: sqlite3.Connection, rest: str, values: Sequence[Any] | Mapping[str, Any]) -> list[Call]:
    """The calls that pass; `rest` is what follows the WHERE of a query."""
    cursor = connection.execute(f"SELECT * FROM {calls_of(connection)} WHERE {rest}", values)
    names = [column[0] for column in cursor.description]
    return [Call(_mended(dict(zip(names, row, strict=True)))) for row in cursor]


def newest_calls(connection: sqlite3.Connection, filters: Filters, limit: int) -> list[Call]:
    """The newest first; of one second the one that was written last."""
    condition, values = _passing(filters)
    return calls_where(connection, f"{condition} ORDER BY timestamp DESC, id DESC LIMIT {limit}", values)


def unknown_costs(connection: sqlite3.Connection, filters: Filters) -> list[UnknownCosts]:
    """The calls of unknown cost, by the reason, agent and model; most calls first."""
    condition, values = _passing(filters)
    source = "COALESCE(cost_source, cost_pico <> 0, 0)"
    listed = ", ".join(f"'{name}'" for name in UNKNOWN)
    rows = connection.execute(
        f"SELECT CASE cost_source WHEN 'pending' THEN 'pending' ELSE cost_note END AS note, agent_name, "
        f"COALESCE(model, requested_model) AS model, COUNT(*), run_id, MAX(id) FROM {calls_of(connection)} "
        f"WHERE {condition} AND ({source} IN ({listed}, 0) OR (cost_pico IS NULL AND {source} IS NOT 'simulated')) "
        "GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
        values,
    )
    return [UnknownCosts(*map(_readable, row[:5])) for row in rows]


def _passing(filters: Filters) -> tuple[str, dict[str, str | float]]:
    """What a call must be, its period included, as SQL with its values."""
    needed, values = conditions(filters)
    since, until = filters.period.since, filters.period.until
    if since is not None:
        needed.append("timestamp >= :since")
        values["since"] = since.timestamp()
    if until is not None:
        needed.append("timestamp < :until")
        values["until"] = until.timestamp()
    return " AND ".join(needed) or "TRUE", values


def _mended(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what another program wrote where a number belongs; bytes are told as text."""
    odd = [name for name in _NUMBERS if not isinstance(row[name], int | float) or not math.isfinite(row[name])]
    return {name: _readable(value) for name, value in row.items()} | dict.fromkeys(odd)


def _readable(value: Any) -> Any:
    return text_of(value) if isinstance(value, bytes) else value
