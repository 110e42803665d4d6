"""The sums over some calls. Real and simulated calls are never in one sum.

Money is added as integers (`cost_pico`), so a total is the sum of its rows to the last digit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any

import msgspec

from fondation.usage.money import from_pico, missing_texts
from fondation.usage.parts import Part

_SOME = 10_000
"""Calls, of which it is worth while to read the arrays at once."""
_MANY = 50_000
"""Times, of which it is worth while to count those that are alike."""
_AT_ONCE = 100_000
"""Characters of arrays that are read in one go: about a millisecond."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums over some calls: of real ones, but for those that say `simulated`."""

    runs: int
    """Runs with a real call in them."""
    calls: int
    """Model calls that were sent, without the refused ones."""
    refused: int
    """Calls that the provider refused before it charged anything."""
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    """Part of the prompt tokens."""
    cache_write_tokens: int
    """Part of the prompt tokens."""
    reasoning_tokens: int
    """Part of the completion tokens."""
    cost_pico: int
    """The sum of the costs that are known."""
    known_cost_calls: int
    unknown_cost_calls: int
    """Calls whose cost nobody knows, or nobody knows yet."""
    pending_cost_calls: int
    """Those of them whose cost nobody knows yet."""
    p50_ms: int | None
    """The median time until the last byte, over the calls that were answered, of all models together."""
    p95_ms: int | None
    first_token_p50_ms: int | None
    """The median time until the first token, over the same calls."""
    first_token_p95_ms: int | None
    simulated_runs: int
    """Runs with a simulated call in them."""
    simulated: int
    """Calls that no model answered and nobody pays for."""
    simulated_tokens: int

    @property
    def rows(self) -> int:
        """All calls that were recorded, real and simulated ones."""
        return self.calls + self.refused + self.simulated

    @property
    def are_simulated(self) -> bool:
        """Whether there are calls, and no real one among them."""
        return bool(self.simulated) and self.rows == self.simulated

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None where no call's cost is known, which is not zero."""
        if self.unknown_cost_calls and not self.known_cost_calls:
            return None
        return from_pico(self.cost_pico)

    @property
    def missing(self) -> list[str]:
        """The calls that the cost misses, in words."""
        return missing_texts(self.unknown_cost_calls - self.pending_cost_calls, self.pending_cost_calls)

    @property
    def cached_share(self) -> float | None:
        """The part of the prompt tokens that a cache answered, from 0 to 1; None where there are none."""
        return round(min(self.cached_tokens / self.prompt_tokens, 1.0), 4) if self.prompt_tokens else None


class Tally:
    """The calls of a group, part by part, with what of them cannot be added up."""

    __slots__ = ("_calls", "_counted", "_parts")

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._calls = 0
        self._counted: _Counted | None = None

    def add(self, part: Part) -> None:
        self._parts.append(part)
        self._calls += part.calls
        if self._calls >= _SOME:
            self._count()

    def merge(self, other: Tally) -> None:
        """Count in all that another has."""
        self._parts += other._parts
        self._calls += other._calls
        if other._counted is not None:
            if self._counted is None:
                self._counted = _Counted()
            self._counted.merge(other._counted)

    @property
    def price(self) -> tuple[int, int, int]:
        """The cost of the real calls, their tokens, and those of the simulated ones: by which groups are ordered."""
        parts = self._parts if self._counted is None else [*self._counted.parts, *self._parts]
        cost = tokens = simulated = 0
        for part in parts:
            if part.cost_source == "simulated":
                simulated += part.total_tokens
            else:
                cost += part.cost_pico
                tokens += part.total_tokens
        return cost, tokens, simulated

    def figures(self) -> Figures:
        counted = self._count()
        real = [part for part in counted.parts if not part.is_simulated]
        simulated = [part for part in counted.parts if part.is_simulated]
        p50, p95 = counted.durations.percentiles(50, 95)
        first_p50, first_p95 = counted.first_tokens.percentiles(50, 95)
        return Figures(
            runs=len(counted.runs),
            calls=sum(part.calls for part in real if part.status != "refused"),
            refused=sum(part.calls for part in real if part.status == "refused"),
            prompt_tokens=sum(part.prompt_tokens for part in real),
            completion_tokens=sum(part.completion_tokens for part in real),
            total_tokens=sum(part.total_tokens for part in real),
            cached_tokens=sum(part.cached_tokens for part in real),
            cache_write_tokens=sum(part.cache_write_tokens for part in real),
            reasoning_tokens=sum(part.reasoning_tokens for part in real),
            cost_pico=sum(part.cost_pico for part in real),
            known_cost_calls=sum(part.known_costs for part in real),
            unknown_cost_calls=sum(part.unknown_costs for part in real),
            pending_cost_calls=sum(part.calls for part in real if part.cost_source == "pending"),
            p50_ms=p50,
            p95_ms=p95,
            first_token_p50_ms=first_p50,
            first_token_p95_ms=first_p95,
            simulated_runs=len(counted.simulated_runs),
            simulated=sum(part.calls for part in simulated),
            simulated_tokens=sum(part.total_tokens for part in simulated),
        )

    def _count(self) -> _Counted:
        """Do it for many parts at once, or when the figures are asked for: most groups may never be shown."""
        if self._counted is None:
            self._counted = _Counted()
        if self._parts:
            self._counted.add(self._parts)
            self._parts, self._calls = [], 0
        return self._counted


class _Counted:
    """Parts whose arrays are read: the runs there are, and how often each time was taken."""

    __slots__ = ("durations", "first_tokens", "parts", "runs", "simulated_runs")

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.runs: set[str | int] = set()
        self.simulated_runs: set[str | int] = set()
        self.durations = _Times()
        self.first_tokens = _Times()

    def add(self, parts: Sequence[Part]) -> None:
        real = [part for part in parts if not part.is_simulated]
        answered = [part for part in real if part.is_answered]
        for arrays in _arrays(part.run_ids for part in real):
            self.runs.update(*arrays)
        for arrays in _arrays(part.run_ids for part in parts if part.is_simulated):
            self.simulated_runs.update(*arrays)
        for arrays in _arrays(part.durations for part in answered):
            self.durations.add(arrays)
        for arrays in _arrays(part.first_tokens for part in answered):
            self.first_tokens.add(arrays)
        self.parts += (Part(*part[:-3], "", "", "") for part in parts)

    def merge(self, other: _Counted) -> None:
        self.parts += other.parts
        self.runs |= other.runs
        self.simulated_runs |= other.simulated_runs
        self.durations.merge(other.durations)
        self.first_tokens.merge(other.first_tokens)


class _Times:
    """How long each of some calls took. Of many calls many took the same: to count those is faster than to sort all."""

    __slots__ = ("_counts", "_times")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._counts: Counter[int] = Counter()

    def add(self, arrays: Iterable[Iterable[int]]) -> None:
        for times in arrays:
            self._times += times
        if len(self._times) >= _MANY:
            self._counts.update(self._times)
            self._times = []

    def merge(self, other: _Times) -> None:
        self._counts.update(other._counts)
        self.add([other._times])

    def percentiles(self, *shares: int) -> list[int | None]:
        """For each share, in percent, the least time that this share of them does not exceed."""
        number = self._counts.total() + len(self._times)
        if not number:
            return [None] * len(shares)
        ranks = [-(-number * share // 100) for share in shares]
        if not self._counts:
            ordered = sorted(self._times)
            return [ordered[rank - 1] for rank in ranks]
        self._counts.update(self._times)
        self._times = []
        different = sorted(self._counts)
        passed = list(accumulate(map(self._counts.__getitem__, different)))
        return [different[bisect_left(passed, rank)] for rank in ranks]


def merged(tallies: Iterable[Tally]) -> Tally:
    """One of all of them."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def _arrays(texts: Iterable[str]) -> Iterator[list[list[Any]]]:
    """What is in these JSON arrays, many at once, and never so many that a server's other threads wait for it."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _AT_ONCE:
            yield msgspec.json.decode(f"[{','.join(waiting)}]")
            waiting, size = [], 0
    if waiting:
        yield msgspec.json.decode(f"[{','.join(waiting)}]")
