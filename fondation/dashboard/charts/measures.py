"""What a chart shows: sums that may miss something, how they read, and their axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from fondation.config.words import counted
from fondation.dashboard.charts.ticks import Number, Ticks, count_ticks, dollar_ticks
from fondation.usage.money import TOTAL_PLACES, sum_text


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum over calls."""

    known: Number | None = 0
    """None where nothing of it is known, which is not zero."""
    unknown: int = 0
    """Calls that it misses."""

    @property
    def drawn(self) -> Number:
        """Its length: what is known of it, never below zero."""
        return max(self.known or 0, 0)


def total(amounts: Iterable[Amount]) -> Amount:
    """All of them together; zero of none."""
    every = list(amounts)
    known = [amount.known for amount in every if amount.known is not None]
    return Amount(sum(known) if known or not every else None, sum(amount.unknown for amount in every))


@dataclass(frozen=True, slots=True)
class Measure:
    """What amounts are of."""

    ticks: Callable[[Number], Ticks]
    words: Callable[[Amount], str]
    """An amount, and what it misses."""

    def brief(self, amount: Amount) -> str:
        """The same in a table of many: `$0.1727 + ?`."""
        if amount.known is None:
            return "unknown"
        known = self.words(Amount(amount.known))
        return f"{known} + ?" if amount.unknown else known


def counts(noun: str) -> Measure:
    """Things that are counted, such as `token`."""
    return Measure(count_ticks, lambda amount: _count_text(amount, noun))


def _count_text(amount: Amount, noun: str) -> str:
    missing = f"{counted(amount.unknown, 'call')} of unknown {noun}s"
    if amount.known is None:
        return f"unknown ({counted(amount.unknown, 'call')})"
    known = f"{amount.known:,} {noun if amount.known == 1 else f'{noun}s'}"
    return f"{known} + {missing}" if amount.unknown else known


def _cost_text(amount: Amount) -> str:
    """With four places, or as many as show two digits."""
    cost = None if amount.known is None else Decimal(amount.known)
    places = max(TOTAL_PLACES, 1 - cost.adjusted()) if cost else TOTAL_PLACES
    return sum_text(cost, amount.unknown, places)


COST = Measure(dollar_ticks, _cost_text)
"""US dollars."""
