"""The sums over some calls. Real and simulated calls are never in one sum.

Money is added as integers (`cost_pico`), so a total is the sum of its rows to the last digit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

import msgspec

from fondation.usage.money import from_pico

KNOWN = ("billed", "priced", "estimated")
UNKNOWN = ("unknown", "pending")

_FEW = 100_000
"""Times; of more than these many are alike, and it is faster to sort the different ones."""


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
    def cost(self) -> Decimal | None:
        """US dollars; None where no call's cost is known, which is not zero."""
        if self.unknown_cost_calls and not self.known_cost_calls:
            return None
        return from_pico(self.cost_pico)

    @property
    def cached_share(self) -> float | None:
        """The part of the prompt tokens that a cache answered, from 0 to 1; None where there are none."""
        return round(min(self.cached_tokens / self.prompt_tokens, 1.0), 4) if self.prompt_tokens else None


class Part(NamedTuple):
    """Calls that count alike, as SQL sums them up."""

    status: str | None
    cost_source: str | int
    """Where another program wrote the row and does not say, whether there is a cost: 0 or 1."""
    calls: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_pico: int

    @property
    def is_simulated(self) -> bool:
        return self.cost_source == "simulated"

    @property
    def is_answered(self) -> bool:
        return self.status in ("done", None)

    @property
    def is_known(self) -> bool:
        """Whether the cost is known. Where another program wrote the row, what costs nothing may cost anything."""
        return self.cost_source in (*KNOWN, 1)

    @property
    def is_unknown(self) -> bool:
        """Whether there may be a cost that is not known. What was refused is neither."""
        return self.cost_source in (*UNKNOWN, 0)


class Tally:
    """The calls of a group, part by part, with what of them cannot be added up."""

    __slots__ = ("_durations", "_first_tokens", "_parts", "_runs", "_simulated_runs")

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._runs: set[str | int] = set()
        self._simulated_runs: set[str | int] = set()
        self._durations: list[int] = []
        self._first_tokens: list[int] = []

    def add(self, part: Part, run_ids: str, durations: str, first_tokens: str) -> None:
        """Count a part in. The last three are JSON arrays: in SQL each would be another sort of all calls."""
        self._parts.append(part)
        (self._simulated_runs if part.is_simulated else self._runs).update(msgspec.json.decode(run_ids))
        if part.is_answered and not part.is_simulated:
            self._durations += msgspec.json.decode(durations)
            self._first_tokens += msgspec.json.decode(first_tokens)

    def merge(self, other: Tally) -> None:
        """Count in all that another has."""
        self._parts += other._parts
        self._runs |= other._runs
        self._simulated_runs |= other._simulated_runs
        self._durations += other._durations
        self._first_tokens += other._first_tokens

    def figures(self) -> Figures:
        real = [part for part in self._parts if not part.is_simulated]
        simulated = [part for part in self._parts if part.is_simulated]
        p50, p95 = _percentiles(self._durations, 50, 95)
        first_p50, first_p95 = _percentiles(self._first_tokens, 50, 95)
        return Figures(
            runs=len(self._runs),
            calls=sum(part.calls for part in real if part.status != "refused"),
            refused=sum(part.calls for part in real if part.status == "refused"),
            prompt_tokens=sum(part.prompt_tokens for part in real),
            completion_tokens=sum(part.completion_tokens for part in real),
            total_tokens=sum(part.total_tokens for part in real),
            cached_tokens=sum(part.cached_tokens for part in real),
            cache_write_tokens=sum(part.cache_write_tokens for part in real),
            reasoning_tokens=sum(part.reasoning_tokens for part in real),
            cost_pico=sum(part.cost_pico for part in real),
            known_cost_calls=sum(part.calls for part in real if part.is_known),
            unknown_cost_calls=sum(part.calls for part in real if part.is_unknown),
            p50_ms=p50,
            p95_ms=p95,
            first_token_p50_ms=first_p50,
            first_token_p95_ms=first_p95,
            simulated_runs=len(self._simulated_runs),
            simulated=sum(part.calls for part in simulated),
            simulated_tokens=sum(part.total_tokens for part in simulated),
        )


def merged(tallies: Iterable[Tally]) -> Tally:
    """One of all of them."""
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def _percentiles(times: Sequence[int], *shares: int) -> list[int | None]:
    """For each share, in percent, the least time that this share of them does not exceed."""
    if not times:
        return [None] * len(shares)
    ranks = [-(-len(times) * share // 100) for share in shares]
    if len(times) < _FEW:
        ordered = sorted(times)
        return [ordered[rank - 1] for rank in ranks]
    counts = Counter(times)
    different = sorted(counts)
    passed = list(accumulate(counts[time] for time in different))
    return [different[bisect_left(passed, rank)] for rank in ranks]
