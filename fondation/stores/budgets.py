"""The contract of a budget store: counters of what calls cost, and money that is set aside before a call is sent.

The ledger's rows are the truth; a counter is their sum, kept at hand. Amounts are integers, in millionths of a
millionth of a dollar, as the ledger adds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from fondation.calls import Purpose
from fondation.errors import FondationError

Column: TypeAlias = Literal["run_id", "session_id", "user_id", "agent_name", "requested_model"]


class BudgetStoreError(FondationError):
    """Counters cannot be read or written now; the text says why, and is for the log."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a counter adds up."""

    matches: Mapping[Column, tuple[str | None, ...]] = field(default_factory=dict)
    """Column -> the values that it may have, None for none at all."""
    starts: float | None = None
    """Unix seconds; None is since ever."""
    ends: float | None = None
    """Unix seconds, not included; None is for ever."""


@dataclass(frozen=True, slots=True)
class Counter:
    """What one bucket of a budget spends in one period."""

    key: str
    """Its name in the database; a budget with another scope makes other keys."""
    budget: str
    bucket: str
    scope: Scope
    kept_for: float
    """Seconds after its last use, or after its end, in which it is not forgotten."""

    def kept_until(self, now: float) -> float:
        return (now if self.scope.ends is None else self.scope.ends) + self.kept_for


class Claim(NamedTuple):
    """What a call asks of one counter."""

    counter: Counter
    amount: int
    """To set aside."""
    least: int
    """Enough where nobody else has anything set aside; the first call of all needs not even that."""
    limit: int | None
    """None where it is counted and not checked."""
    warn_at: int | None = None
    """The spent amount that is worth a warning, once."""
    held: int = 0
    """What stays set aside of it where the call has ended, and what it cost is not known, or not known yet."""

    def granted(self, spent: int, reserved: int) -> int | None:
        """How much is set aside, where so much is spent and reserved by others; None where nothing can be."""
        if self.limit is None:
            return self.amount
        left = self.limit - spent - reserved
        if spent >= self.limit:
            return None
        if self.amount <= left:
            return self.amount
        is_enough = spent == 0 or self.least <= left
        return left if reserved == 0 and is_enough else None

    def may_fit_later(self, spent: int, reserved: int) -> bool:
        """Whether it could be granted once others have settled."""
        return self.limit is not None and reserved > 0 and spent < self.limit


class Standing(NamedTuple):
    """A counter as it was when it was asked, before anything was set aside."""

    spent: int
    reserved: int
    warned: bool = False
    """Whether somebody was warned in this period."""
    held: int = 0
    """What stays set aside for calls that have ended without telling their cost: nobody waits for that."""

    @property
    def used(self) -> int:
        """What no call that is under way can free."""
        return self.spent + self.held


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of claims, which are granted all or none."""

    standings: Mapping[str, Standing]
    """Of every claimed counter, by its key."""
    granted: Mapping[str, int]
    """Counter key -> what is set aside; empty where the claims were refused."""
    refused: tuple[str, ...] = ()
    """The keys of the counters that refused."""
    crossed: tuple[str, ...] = ()
    """Those that were found beyond their `warn_at` for the first time, by this asker alone."""


def decide(claims: Sequence[Claim], standings: Mapping[str, Standing], crossed: tuple[str, ...] = ()) -> Decision:
    """What becomes of claims where the counters stand so."""
    granted: dict[str, int] = {}
    refused: list[str] = []
    for claim in claims:
        key = claim.counter.key
        standing = standings[key]
        amount = claim.granted(standing.used, standing.reserved)
        if amount is None:
            refused.append(key)
        else:
            granted[key] = amount
    return Decision(standings, {} if refused else granted, tuple(refused), crossed)


def may_fit_later(claims: Sequence[Claim], decision: Decision) -> bool:
    """Whether claims that were refused could be granted once others have settled."""
    standings = decision.standings
    refusing = [(claim, standings[claim.counter.key]) for claim in claims if claim.counter.key in decision.refused]
    return all(claim.may_fit_later(standing.used, standing.reserved) for claim, standing in refusing)


class Crossing(NamedTuple):
    """A counter that may be beyond a `warn_at`."""

    key: str
    warn_at: int
    costs: Mapping[str, int]
    """Token -> what a call has cost that ended lately: it counts as long as its row is not written."""


class BudgetStore(Protocol):
    """Counts for several processes at once. Called on an event loop, it never blocks it."""

    async def reserve(self, token: str, claims: Sequence[Claim], lease: float, patience: float) -> Decision:
        """Set the claims aside under a token, all or none, for at most `lease` seconds.

        What others may free is waited for, `patience` seconds at most. Raises `BudgetStoreError`; then, and when it is
        cancelled, nothing stays set aside.
        """
        ...

    def amend(self, token: str, amount: int) -> None:
        """A call has cost so much: that is set aside until its row is written, for all who ask from now on."""

    def release(self, token: str) -> None:
        """Free what a call that was never sent has set aside. That of others is freed with their row."""

    async def warn(self, crossings: Sequence[Crossing]) -> Mapping[str, int]:
        """What is spent at the counters among these that are beyond their `warn_at`, and that nobody was warned of
        before; now somebody is. Raises `BudgetStoreError`.
        """
        ...

    async def costs(self, agent: str, model: str, purpose: Purpose, most: int) -> Sequence[int]:
        """What the newest calls of an agent to a model cost, the newest last. Raises `BudgetStoreError`."""
        ...

    async def tidy(self) -> None:
        """Compare counters with their rows, and forget what is over. Raises `BudgetStoreError`."""
        ...

    def close(self) -> None:
        """Let go of the database. Blocks, for some seconds at most."""
