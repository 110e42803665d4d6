"""What keeps the counters of budgets with the ledger's rows: triggers, so that a cost is counted and its reservation
freed in the transaction that writes the row, whichever process does.

Rows that belong to no budget pay nothing. A cost that is still to be asked for keeps its reservation.
"""

from __future__ import annotations

_IS_COUNTED = "{row}.budgets IS NOT NULL AND json_valid({row}.budgets)"
_HAS_CHANGED = "(NEW.cost IS NOT OLD.cost OR NEW.cost_source IS NOT OLD.cost_source)"
_ADD = (
    "UPDATE usage_budgets SET spent_pico = spent_pico + ({cost}) "
    "WHERE key IN (SELECT value FROM json_each({row}.budgets))"
)
_FREE = "DELETE FROM usage_reservations WHERE token = {row}.reservation"
_FREE_IF_FINAL = f"{_FREE} AND NEW.cost_source IS NOT 'pending'"


def budget_triggers() -> tuple[str, ...]:
    """The statements that make them. They have shipped: a change is a new migration."""
    return (
        _trigger("INSERT", "NEW", _IS_COUNTED, "NEW.cost_pico", _FREE_IF_FINAL),
        _trigger(
            "UPDATE OF cost, cost_source",
            "NEW",
            f"{_IS_COUNTED} AND {_HAS_CHANGED}",
            "NEW.cost_pico - OLD.cost_pico",
            _FREE_IF_FINAL,
        ),
        _trigger("DELETE", "OLD", _IS_COUNTED, "- OLD.cost_pico", _FREE),
    )


def _trigger(change: str, row: str, when: str, cost: str, free: str) -> str:
    kind = change.partition(" ")[0].lower()
    return (
        f"CREATE TRIGGER usage_tracking_budgets_{kind} AFTER {change} ON usage_tracking WHEN {when.format(row=row)} "
        f"BEGIN {_ADD.format(row=row, cost=cost)}; {free.format(row=row)}; END"
    )
