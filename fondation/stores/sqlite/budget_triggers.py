"""What keeps the counters of budgets with the ledger's rows: triggers, so that a cost is counted and its reservation
freed in the transaction that writes the row, whichever process does.

Rows that belong to no budget pay nothing. Where a call has ended and its cost is not known, or not known yet, a part of
its reservation is held, as long as its counter is kept or until the cost is known: who breaks answers off is not free.
A call that failed by itself, or whose process died, holds nothing once nobody can tell any more.
"""

from __future__ import annotations

from fondation.stores.rows import IS_MONEY

_IS_COUNTED = "{row}.budgets IS NOT NULL AND json_valid({row}.budgets)"
_HAS_CHANGED = "(NEW.cost IS NOT OLD.cost OR NEW.cost_source IS NOT OLD.cost_source OR NEW.status IS NOT OLD.status)"
_ADD = (
    "UPDATE usage_budgets SET spent_pico = spent_pico + ({cost}) "
    "WHERE key IN (SELECT value FROM json_each({row}.budgets))"
)
_COST = f"CASE WHEN {{row}}.{IS_MONEY} THEN {{row}}.cost_pico ELSE 0 END"
_FREE = "DELETE FROM usage_reservations WHERE token = {row}.reservation"
_IS_HELD = (
    "CASE NEW.cost_source WHEN 'pending' THEN NEW.status IN ('aborted', 'error', 'done') "
    "WHEN 'unknown' THEN NEW.status IN ('aborted', 'done') ELSE FALSE END"
)
_HOLD = (
    "UPDATE usage_reservations SET amount_pico = held_pico, is_held = TRUE, "
    "lease_until = COALESCE((SELECT MAX(kept_until, lease_until) FROM usage_budgets WHERE key = counter), lease_until) "
    f"WHERE token = NEW.reservation AND held_pico > 0 AND {_IS_HELD}"
)
_FREE_IF_FINAL = (
    f"{_HOLD}; DELETE FROM usage_reservations WHERE token = NEW.reservation AND NEW.cost_source IS NOT 'pending' "
    f"AND NOT (held_pico > 0 AND {_IS_HELD})"
)


def budget_triggers() -> tuple[str, ...]:
    """The statements that make them. They have shipped: a change is a new migration."""
    return (
        _trigger("INSERT", "NEW", _IS_COUNTED, _COST.format(row="NEW"), _FREE_IF_FINAL),
        _trigger(
            "UPDATE OF cost, cost_source, status",
            "NEW",
            f"{_IS_COUNTED} AND {_HAS_CHANGED}",
            f"{_COST.format(row='NEW')} - {_COST.format(row='OLD')}",
            _FREE_IF_FINAL,
        ),
        _trigger("DELETE", "OLD", _IS_COUNTED, f"- {_COST.format(row='OLD')}", _FREE),
    )


def _trigger(change: str, row: str, when: str, cost: str, free: str) -> str:
    kind = change.partition(" ")[0].lower()
    return (
        f"CREATE TRIGGER usage_tracking_budgets_{kind} AFTER {change} ON usage_tracking WHEN {when.format(row=row)} "
        f"BEGIN {_ADD.format(row=row, cost=cost)}; {free.format(row=row)}; END"
    )
