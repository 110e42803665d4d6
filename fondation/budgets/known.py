"""What a process knows of the counters by itself: it decides where the database cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fondation.calls import Reservation
from fondation.stores.budgets import Claim, Decision, Standing, decide

MOST_COUNTERS = 10_000
"""The oldest are forgotten."""
MOST_ENDED = 1_000
"""So many calls that ended last are known by their cost: the rows of older ones are written."""


@dataclass(slots=True)
class _Known:
    spent: int = 0
    reserved: int = 0
    warned: bool = False


class LastKnown:
    """As the database told last, with what this process has reserved and spent since."""

    def __init__(self) -> None:
        self._counters: dict[str, _Known] = {}
        self._reserved: dict[str, dict[str, int]] = {}
        """Token -> counter key -> amount."""
        self._ended: dict[str, tuple[Reservation, int]] = {}
        """Token -> what it was for, and the call's cost."""

    def learn(self, token: str, decision: Decision) -> None:
        """The database has told."""
        for key, standing in decision.standings.items():
            self._counters.pop(key, None)
            self._counters[key] = _Known(standing.used, standing.reserved, standing.warned)
        self._reserve(token, decision)
        while len(self._counters) > MOST_COUNTERS:
            del self._counters[next(iter(self._counters))]

    def decide(self, token: str, claims: Sequence[Claim]) -> Decision:
        """What becomes of claims that the database cannot be told of."""
        standings: dict[str, Standing] = {}
        crossed = []
        for claim in claims:
            key = claim.counter.key
            known = self._counters.setdefault(key, _Known())
            if claim.warn_at is not None and known.spent >= claim.warn_at and not known.warned:
                known.warned = True
                crossed.append(key)
            standings[key] = Standing(known.spent, known.reserved, known.warned)
        decision = decide(claims, standings, tuple(crossed))
        self._reserve(token, decision)
        return decision

    def settle(self, reservation: Reservation, cost: int) -> None:
        """A call has ended."""
        self.release(reservation.token)
        self._ended[reservation.token] = reservation, cost
        if len(self._ended) > MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        for key in reservation.counters:
            if (known := self._counters.get(key)) is not None:
                known.spent += cost

    def release(self, token: str) -> None:
        """A call is not sent."""
        for key, amount in self._reserved.pop(token, {}).items():
            if (known := self._counters.get(key)) is not None:
                known.reserved = max(0, known.reserved - amount)

    def total(self, key: str) -> int:
        """What is spent and reserved at a counter."""
        known = self._counters.get(key)
        return 0 if known is None else known.spent + known.reserved

    def costs_since(self, key: str) -> dict[str, int]:
        """What calls have cost that ended last here, by their tokens: their rows may not be written yet."""
        return {token: cost for token, (reservation, cost) in self._ended.items() if key in reservation.counters}

    def _reserve(self, token: str, decision: Decision) -> None:
        if decision.granted:
            self._reserved[token] = dict(decision.granted)
        for key, amount in decision.granted.items():
            self._counters[key].reserved += amount
