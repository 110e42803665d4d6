"""The counters of budgets beside the books: what is spent is the sum of what the calls came to."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from .audit import Audit, Pair
from .books import dollars
from .fleet import fondation
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
    wanted = {budget: _sums(found, bucket_of) for budget, bucket_of in BUCKETS.items()}
    for budget, spent in _shown(evidence.folder).items():
        for bucket in spent.keys() | wanted[budget].keys():
            if spent.get(bucket, 0.0) != dollars(wanted[budget][bucket]):
                yield f"{budget} of {bucket!r} shows {spent.get(bucket)}, the books have {wanted[budget][bucket]}"
    with contextlib.closing(sqlite3.connect(evidence.folder / "fondation.db")) as connection:
        counted = Counter[str]()  # a counter that was not asked for yet is added up when it is
        query = "SELECT budget, bucket, SUM(spent_pico) FROM usage_budgets GROUP BY budget, bucket"
        for budget, bucket, pico in connection.execute(query):
            counted[budget] += 1
            if pico != wanted[budget][bucket]:
                yield f"{budget} of {bucket!r} has counted {pico}, the books have {wanted[budget][bucket]}"
        yield from (f"{budget} has counted nothing" for budget in BUCKETS if not counted[budget])
        query = (
            "SELECT t.* FROM usage_reservations r JOIN usage_tracking t ON t.reservation = r.token "
            "WHERE NOT (is_held AND cost_source = 'unknown' AND status IN ('aborted', 'done'))"
        )
        for row in connection.execute(query):
            yield f"money is set aside for a call that has ended: {row}"


def _sums(found: Audit, bucket_of: Callable[[Pair], str | None]) -> Counter[str]:
    sums = Counter[str]()
    for pair in found.known:
        if (bucket := bucket_of(pair)) is not None:
            sums[bucket] += pair.call.charge
    return sums


def _shown(folder: Path) -> dict[str, dict[str, float]]:
    """What `fondation budgets` says is spent, bucket by bucket."""
    shown = json.loads(fondation(folder, "budgets", "--format", "json", "--top", "100000").stdout)
    return {
        budget["budget"]: {bucket["bucket"] or "": bucket["spent"] for bucket in budget["buckets"]}
        for budget in shown["budgets"]
    }
