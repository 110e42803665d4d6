"""Dollars as text, rounded half up on the exact value: 0.0078125 is $0.007813."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from fondation.calls import CostSource

PICO_PER_DOLLAR = 10**12

TOTAL_PLACES = 4
ROW_PLACES = 6

_WHOLE = 2.0**52
"""From here on a float has no fraction."""

_context = Context(prec=60, rounding=ROUND_HALF_UP)


def dollars(amount: float | Decimal, places: int = TOTAL_PLACES) -> str:
    """`$1,234.5678`. A float is taken at its exact binary value."""
    return f"${_context.quantize(Decimal(amount), _unit(places)):,f}"


def shortest_dollars(amount: Decimal) -> str:
    """`$5.00`, `$0.003351`: with as many places as it takes, from two to six; more for less than they can tell."""
    rounded = _context.quantize(amount, _unit(ROW_PLACES)) or amount
    places = max(2, -int(_context.normalize(rounded).as_tuple().exponent))
    return dollars(rounded, places)


@cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def cost_text(cost: float | None, source: CostSource, places: int = TOTAL_PLACES) -> str:
    """A cost for a line of text: dollars, `simulated`, or `cost unknown`, which is not zero."""
    match source:
        case "simulated":
            return "simulated"
        case "unknown" | "pending":
            return "cost unknown"
        case _:
            return dollars(cost or 0.0, places)


def from_pico(pico: int) -> Decimal:
    """The dollars of a sum of `cost_pico`, exactly."""
    return _context.divide(Decimal(pico), Decimal(PICO_PER_DOLLAR))


def sum_text(cost: Decimal | None, unknown_calls: int, places: int = TOTAL_PLACES) -> str:
    """A total for a line of text, which says what it misses: `$0.0506 + 2 calls of unknown cost`."""
    if not unknown_calls:
        return dollars(cost or 0, places)
    calls = f"{unknown_calls:,} {'call' if unknown_calls == 1 else 'calls'}"
    return f"unknown ({calls})" if cost is None else f"{dollars(cost, places)} + {calls} of unknown cost"


def pico(cost: float) -> int:
    """A call's cost as its row adds up, `cost_pico`: the digits are those that SQLite's ROUND gives."""
    amount = cost * float(PICO_PER_DOLLAR)
    return int(amount + 0.5) if amount < _WHOLE else int(amount)


def to_pico(amount: Decimal) -> int:
    """Dollars as the ledger adds them: millionths of a millionth, rounded half up."""
    return int(_context.quantize(amount.scaleb(12), Decimal(1)))
