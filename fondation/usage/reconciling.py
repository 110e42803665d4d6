"""The ledger against a provider's own books: what only one of them has, and what costs differently in the other.

A call is known by its generation id; what is left is paired by model and tokens, begun within a minute of each other,
because the id on the wire is not always the one on the bill. An export that has sums only is compared by day (UTC) and
model. Dollars are compared to a millionth of a millionth, in which the ledger keeps them.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from fondation.stores.rows import IS_MONEY
from fondation.usage.exports import Charge, Export
from fondation.usage.money import to_pico
from fondation.usage.parts import KNOWN
from fondation.usage.periods import Period
from fondation.usage.reading import calls_of

Kind: TypeAlias = Literal[
    "missing in the ledger",
    "twice in the export",
    "missing in the export",
    "cost unknown in the ledger",
    "other cost",
    "other calls",
]

SLACK = timedelta(minutes=1)
"""How far apart the clocks of both may be."""

_EACH = (
    "timestamp, model, requested_model, cost_pico, 1, cost_source, status, generation_id, prompt_tokens, "
    "completion_tokens, run_id"
)
_IN_ORDER = "ORDER BY id"
_SUMMED = (
    "MIN(timestamp), model, requested_model, SUM(cost_pico), COUNT(*), cost_source, status, MAX(generation_id), "
    "NULL, NULL, NULL"
)
_GROUPED = (
    "GROUP BY CAST(timestamp AS INTEGER) / 86400, model, requested_model, cost_source, status, generation_id > '', "
    f"cost > 0, cost < 0, {IS_MONEY}"
)
"""By all that decides whether a call is charged, and whether its cost is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A call in one of the books, or all calls of a day and model."""

    time: datetime
    models: tuple[str, ...]
    """The names that its model goes by; none where all models are one sum."""
    pico: int
    """What is known of its cost, in millionths of a millionth of a dollar."""
    calls: int | None = 1
    """None where the export does not count them."""
    unknown_cost_calls: int = 0
    id: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    run_id: str | None = None
    is_charged: bool = True
    """Whether the provider must have it in its books too."""
    is_repeated: bool = False
    """Whether an earlier line of the export has its id."""


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    export: Entry | None
    ledger: Entry | None

    @property
    def time(self) -> datetime:
        entry = self.export or self.ledger
        assert entry is not None
        return entry.time


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of one side."""

    calls: int | None
    pico: int
    unknown_cost_calls: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    provider: str | None
    period: Period
    """What was compared: the time that the export covers, or less of it."""
    per_call: bool
    export: Sums
    ledger: Sums
    differences: Sequence[Difference]

    @property
    def pico(self) -> int:
        """What the export has more than the ledger."""
        return self.export.pico - self.ledger.pico

    @property
    def agrees(self) -> bool:
        return not self.differences and not self.pico


Pair: TypeAlias = tuple[Entry | None, Entry | None]
"""An entry of the export, and that of the ledger."""


def reconcile(
    connection: sqlite3.Connection, export: Export, period: Period, provider: str | None = None
) -> Reconciliation:
    """Compare the calls of a period, by default of the time that the export covers; the export must have a charge.

    `provider` is whose calls of the ledger are meant, where the export does not tell.
    """
    provider = provider or export.provider
    covered = _covered(export, period)
    calls = list(_calls(connection, covered, provider, per_call=export.per_call))
    charges = list(_entries(export))
    pairs = _matched(charges, calls) if export.per_call else _by_day_and_model(charges, calls, covered)
    compared = [(charge, call) for charge, call in pairs if _within(covered, charge or call)]
    found = [Difference(kind, charge, call) for charge, call in compared if (kind := _difference(charge, call))]
    counted = [pair for pair in compared if pair[0] or (pair[1] and _may_cost(pair[1]))]
    return Reconciliation(
        provider,
        covered,
        export.per_call,
        export=_sums(charge for charge, _ in counted),
        ledger=_sums(call for _, call in counted),
        differences=sorted(found, key=_by_time),
    )


def _by_time(difference: Difference) -> tuple[datetime, tuple[str, ...]]:
    entry = difference.export or difference.ledger
    assert entry is not None
    return entry.time, entry.models


def _covered(export: Export, period: Period) -> Period:
    times = [charge.time for charge in export.charges]
    unit = timedelta(seconds=1) if export.per_call else timedelta(days=1)
    first, last = min(times), max(times) + unit
    if export.per_call:
        first, last = first.replace(microsecond=0), last.replace(microsecond=0)
    return Period(max(first, period.since or first), min(last, period.until or last))


def _calls(connection: sqlite3.Connection, period: Period, provider: str | None, *, per_call: bool) -> Iterator[Entry]:
    """The calls of a period; or sums over calls of a day (UTC) and model that are charged alike."""
    assert period.since is not None
    assert period.until is not None
    slack = SLACK if per_call else timedelta()
    ends = ((period.since - slack).timestamp(), (period.until + slack).timestamp())
    for row in connection.execute(
        f"SELECT {_EACH if per_call else _SUMMED} FROM {calls_of(connection)} WHERE timestamp >= ? AND timestamp < ? "
        f"AND cost_source IS NOT 'simulated' AND (provider = ? OR ? IS NULL) {_IN_ORDER if per_call else _GROUPED}",
        (*ends, provider, provider),
    ):
        moment, model, requested, pico, calls, source, status, generation, prompt, completion, run_id = row
        is_known = pico is not None and (source in (*KNOWN, "none") or (source is None and pico))
        yield Entry(
            time=datetime.fromtimestamp(moment, UTC),
            models=tuple(dict.fromkeys(filter(None, (model, requested)))),
            pico=pico or 0,
            calls=calls,
            unknown_cost_calls=0 if is_known else calls,
            id=generation,
            prompt_tokens=prompt,
            completion_tokens=completion,
            run_id=run_id,
            # what runs is not charged yet; what never had an id may never have reached the provider
            is_charged=source in KNOWN or bool(pico) or bool(generation and status != "running" and source != "none"),
        )


def _entries(export: Export) -> Iterator[Entry]:
    seen: set[str] = set()
    for charge in export.charges:
        yield _entry(charge, export.per_call, is_repeated=charge.id in seen)
        if charge.id is not None:
            seen.add(charge.id)


def _entry(charge: Charge, per_call: bool, *, is_repeated: bool) -> Entry:
    return Entry(
        time=charge.time,
        models=tuple(dict.fromkeys(filter(None, (charge.model, charge.other_model)))),
        pico=to_pico(charge.cost),
        calls=1 if per_call else charge.requests,
        id=charge.id,
        prompt_tokens=charge.prompt_tokens,
        completion_tokens=charge.completion_tokens,
        is_repeated=is_repeated,
    )


def _matched(charges: Sequence[Entry], calls: Sequence[Entry]) -> list[Pair]:
    by_id: dict[str | None, list[Entry]] = defaultdict(list)
    for call in reversed(calls):
        by_id[call.id].append(call)
    pairs: list[Pair] = []
    left: list[Entry] = []
    for charge in charges:
        if charge.id is not None and by_id[charge.id]:
            pairs.append((charge, by_id[charge.id].pop()))
        else:
            left.append(charge)
    taken = {id(call) for _, call in pairs}
    pairs += _alike(left, [call for call in calls if id(call) not in taken])
    return pairs


def _alike(charges: Sequence[Entry], calls: Sequence[Entry]) -> Iterator[Pair]:
    """Pairs of one model, with the same tokens, at about the same time; and what is left of both."""
    free: dict[tuple[int | None, int | None], list[Entry]] = defaultdict(list)
    for call in calls:
        free[call.prompt_tokens, call.completion_tokens].append(call)
    for charge in charges:
        same = free[charge.prompt_tokens, charge.completion_tokens]
        near = [(abs(call.time - charge.time), place) for place, call in enumerate(same) if _is_alike(charge, call)]
        yield charge, same.pop(min(near)[1]) if near else None
    for rest in free.values():
        yield from ((None, call) for call in rest)


def _is_alike(charge: Entry, call: Entry) -> bool:
    return (
        charge.prompt_tokens is not None
        and not set(charge.models).isdisjoint(call.models)
        and abs(call.time - charge.time) <= SLACK
    )


def _by_day_and_model(charges: Sequence[Entry], calls: Sequence[Entry], period: Period) -> list[Pair]:
    names = {name: charge.models[0] for charge in charges for name in charge.models}
    are_told_apart = all(charge.models for charge in charges)

    def group(entry: Entry) -> tuple[datetime, str | None]:
        day = entry.time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        known = [names[name] for name in entry.models if name in names] or entry.models
        return day, known[0] if known and are_told_apart else None

    theirs: dict[tuple[datetime, str | None], list[Entry]] = defaultdict(list)
    ours: dict[tuple[datetime, str | None], list[Entry]] = defaultdict(list)
    for charge in charges:
        if _within(period, charge):
            theirs[group(charge)].append(charge)
    for call in calls:
        if _within(period, call) and (call.is_charged or call.unknown_cost_calls):
            ours[group(call)].append(call)
    return [(_summed(key, theirs.get(key)), _summed(key, ours.get(key))) for key in theirs.keys() | ours.keys()]


def _summed(key: tuple[datetime, str | None], entries: Sequence[Entry] | None) -> Entry | None:
    if not entries:
        return None
    day, model = key
    sums = _sums(entries)
    is_charged = any(entry.is_charged for entry in entries)
    models = (model,) if model else ()
    return Entry(day, models, sums.pico, sums.calls, sums.unknown_cost_calls, is_charged=is_charged)


def _within(period: Period, entry: Entry | None) -> bool:
    assert entry is not None
    assert period.since is not None
    assert period.until is not None
    return period.since <= entry.time < period.until


def _difference(charge: Entry | None, call: Entry | None) -> Kind | None:
    if charge is None:
        return "missing in the export" if call is not None and call.is_charged and _may_cost(call) else None
    if call is None:
        return "twice in the export" if charge.is_repeated else "missing in the ledger"
    if call.pico != charge.pico:
        return "cost unknown in the ledger" if call.unknown_cost_calls else "other cost"
    if charge.calls is not None and charge.calls != call.calls:
        return "other calls"
    return None


def _may_cost(call: Entry) -> bool:
    """Whether it is missed in an export: not all of them list what cost nothing."""
    return bool(call.pico or call.unknown_cost_calls)


def _sums(entries: Iterable[Entry | None]) -> Sums:
    there = [entry for entry in entries if entry is not None]
    counts = [entry.calls for entry in there]
    return Sums(
        calls=None if None in counts else sum(count or 0 for count in counts),
        pico=sum(entry.pico for entry in there),
        unknown_cost_calls=sum(entry.unknown_cost_calls for entry in there),
    )
