"""Dollars as text, rounded half up on the exact value: 0.0078125 is $0.007813."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from fondation.calls import CostSource
from fondation.config.words import listed

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


def sum_text(cost: Decimal | None, unknown_calls: int, places: int = TOTAL_PLACES, *, pending_calls: int = 0) -> str:
    """A total for a line of text, which says what it misses: `$0.0506 + 2 calls of unknown cost`.

    Of pending calls nobody knows the cost yet; they are not among the unknown ones.
    """
    if not unknown_calls + pending_calls:
        return dollars(cost or 0, places)
    if cost is None:
        return ", ".join(f"{kind} ({_calls(number)})" for kind, number in _missing(unknown_calls, pending_calls))
    return f"{dollars(cost, places)} + {listed(missing_texts(unknown_calls, pending_calls), 'and')}"


def missing_texts(unknown_calls: int, pending_calls: int) -> list[str]:
    """What a total misses: `2 calls of unknown cost`, `1 call of pending cost`; nothing where it misses none."""
    return [f"{_calls(number)} of {kind} cost" for kind, number in _missing(unknown_calls, pending_calls)]


def brief_sum(cost: Decimal | None, missing_calls: int, places: int = ROW_PLACES) -> str:
    """A total for a table of many: `$0.050600 + ?` where it misses calls, `unknown` where it misses all."""
    if cost is None:
        return "unknown"
    return f"{dollars(cost, places)} + ?" if missing_calls else dollars(cost, places)


def _missing(unknown_calls: int, pending_calls: int) -> list[tuple[str, int]]:
    kinds = {"unknown": unknown_calls, "pending": pending_calls}
    return [(kind, number) for kind, number in kinds.items() if number]


def _calls(number: int) -> str:
    return f"{number:,} {'call' if number == 1 else 'calls'}"


def pico(cost: float) -> int:
    """A call's cost as its row adds up, `cost_pico`: the digits are those that SQLite's ROUND gives."""
    amount = cost * float(PICO_PER_DOLLAR)
    return int(amount + 0.5) if amount < _WHOLE else int(amount)


def to_pico(amount: Decimal) -> int:
    """Dollars as the ledger adds them: millionths of a millionth, rounded half up."""
    return int(_context.quantize(amount.scaleb(12), Decimal(1)))
