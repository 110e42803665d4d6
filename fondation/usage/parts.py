"""Calls that count alike, as SQL sums them up."""

from __future__ import annotations

from typing import NamedTuple

from fondation.stores.rows import COST_PICO, IS_MONEY, LARGEST, TOKEN_COLUMNS

KNOWN = ("billed", "priced", "estimated")
UNKNOWN = ("unknown", "pending")

COST_SOURCE = f"COALESCE(cost_source, {COST_PICO} <> 0, 0)"

_LISTED = ("duration", "time_to_first_token")

SUMMED = ", ".join(
    (
        "status",
        COST_SOURCE,
        "COUNT(*)",
        f"COUNT(*) FILTER (WHERE {IS_MONEY})",
        *(f"CAST(TOTAL({name}) AS INTEGER)" for name in TOKEN_COLUMNS),  # as exact up to 2^53, and it never overflows
        f"COALESCE(SUM({COST_PICO}), 0)",  # not the column of that name, which no index covers
        "json_group_array(COALESCE(run_id, id))",
        *(f"json_group_array({name}) FILTER (WHERE {name} <= {LARGEST})" for name in _LISTED),
    )
)
"""The columns of a `Part`, over calls with one status and one cost source."""


class Part(NamedTuple):
    """The sums over them."""

    status: str | None
    cost_source: str | int
    """Where another program wrote the row and does not say, whether there is a cost: 0 or 1."""
    calls: int
    with_cost: int
    """Those of them whose cost is an amount of money."""
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_pico: int
    run_ids: str
    """A JSON array, as are the next two: to count or to sort in SQL would be another sort of all calls."""
    durations: str
    first_tokens: str

    @property
    def is_simulated(self) -> bool:
        return self.cost_source == "simulated"

    @property
    def is_answered(self) -> bool:
        return self.status in ("done", None)

    @property
    def known_costs(self) -> int:
        """Calls whose cost is known. Where another program wrote the row, what costs nothing may cost anything."""
        return self.with_cost if self.cost_source in (*KNOWN, 1) else 0

    @property
    def unknown_costs(self) -> int:
        """Calls that may have a cost that is not known. What was refused is neither."""
        return self.calls if self.cost_source in (*UNKNOWN, 0) else self.calls - self.with_cost
