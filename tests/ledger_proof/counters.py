"""The counters of budgets beside the books: what is spent is the sum of what the calls came to."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable

from .audit import Audit, Pair
from .run import Evidence

BUCKETS: dict[str, Callable[[Pair], str | None]] = {
    "everyone": lambda pair: "",
    "each-user": lambda pair: pair.row["user_id"] or "anonymous",
    "each-agent": lambda pair: pair.row["agent_name"],
    "each-model": lambda pair: pair.call.model,
    "thrifty": lambda pair: pair.row["session_id"] if pair.row["agent_name"] == "Worker" else None,
    "strict": lambda pair: pair.row["session_id"] if pair.row["agent_name"] == "Rememberer" else None,
}
"""Budget -> the bucket of a call; None where it does not count it."""


def counter_problems(evidence: Evidence, found: Audit) -> Iterable[str]:
    """Where a counter is not the books' sum, or money stays set aside for a call that has ended."""
    with contextlib.closing(sqlite3.connect(evidence.folder / "fondation.db")) as connection:
        for budget, bucket_of in BUCKETS.items():
            query = "SELECT bucket, SUM(spent_pico) FROM usage_budgets WHERE budget = ? GROUP BY bucket"
            spent = dict(connection.execute(query, (budget,)))
            wanted: Counter[str] = Counter()
            for pair in found.known:
                if (bucket := bucket_of(pair)) is not None:
                    wanted[bucket] += pair.call.charge
            if not spent:
                yield f"{budget} counts nothing"
            for bucket, pico in spent.items():  # one that was not asked for yet is added up when it is
                if pico != wanted[bucket]:
                    yield f"{budget} of {bucket!r} has spent {pico}, the books have {wanted[bucket]}"
        query = "SELECT t.* FROM usage_reservations r JOIN usage_tracking t ON t.reservation = r.token"
        for row in connection.execute(query):
            yield f"money is set aside for a call that has ended: {row}"
