"""What a proof found, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .audit import Audit
from .books import dollars
from .faults import FAULTS
from .run import Evidence, Size


def report(size: Size, evidence: Evidence, found: Audit) -> Iterator[str]:
    """The lines."""
    calls = evidence.books.calls
    sources = Counter(row["cost_source"] for _, row in found.pairs)
    statuses = Counter(row["status"] for _, row in found.pairs)
    plays = evidence.books.by_play()
    faults = {name: plays[name] for name in FAULTS if plays[name]}
    notes = Counter(f"{row['cost_note']} ({row['status']})" for _, row in found.unknown)
    unseen = sum(call.charge for call, _ in found.unknown)
    yield (
        f"seed {size.seed}: {len(evidence.scenes):,} scenes, {len(calls):,} calls received, "
        f"in {evidence.seconds:.0f} s by {size.processes} processes, {len(evidence.killed)} times killed "
        f"and {len(evidence.stopped)} times stopped"
    )
    yield f"rows by status: {_counts(statuses)}"
    yield f"rows by cost source: {_counts(sources)}"
    yield f"left by the caller: {sum(call.is_left for call in calls):,}"
    yield f"faults: {sum(faults.values()):,} of {len(faults)} kinds: {_counts(Counter(faults))}"
    yield (
        f"rows without a call: {len(found.simulated)} simulated, "
        f"{len(found.cut_off)} of processes killed before they sent it (unknown)"
    )
    yield f"calls without a row: {len(found.rowless)}"
    known = sum(call.charge for call, _ in found.known)
    yield f"known: {len(found.known):,} calls, ${dollars(known)}"
    yield f"unknown: {len(found.unknown):,} calls, ${dollars(unseen)} in the books, because {_counts(notes)}"
    yield f"difference: {found.difference} of 10^-12 dollars"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
