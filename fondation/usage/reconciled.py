"""A comparison of the ledger with a provider's books, as text: for people tables, for programs JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any, get_args

from fondation.config.words import counted
from fondation.usage.layout import lay_out
from fondation.usage.money import from_pico
from fondation.usage.reconciling import Difference, Entry, Kind, Reconciliation, Sums
from fondation.usage.table import name_text, span

LISTED_AT_MOST = 20
"""Lines of each kind of difference; JSON has them all."""


def reconciliation_table(found: Reconciliation, zone: tzinfo, room: int | None = None) -> Iterator[str]:
    """The lines: the sums of both, then what differs, kind by kind. `room` is the terminal's width."""
    whose = name_text(found.provider) if found.provider else "the provider"
    each = "call by call" if found.per_call else "by day (UTC) and model"
    yield f"Ledger and {whose} {span(found.period)} (UTC), {each}"
    yield ""
    rows = [["Export", *_sums(found.export)], ["Ledger", *_sums(found.ledger)]]
    footer = ["Difference", _more(found.export.calls, found.ledger.calls), _exact(found.pico), ""]
    yield from lay_out(("", "Calls", "Cost", "Of unknown cost"), rows, footer, names=1, room=room)
    for kind in get_args(Kind):
        differences = [difference for difference in found.differences if difference.kind == kind]
        if differences:
            yield ""
            yield from _section(kind, differences, found.per_call, zone, room)
    yield ""
    yield "They agree." if found.agrees else f"They do not agree: {counted(len(found.differences), 'difference')}."


def reconciliation_json(found: Reconciliation) -> dict[str, Any]:
    """The comparison as JSON: times in UTC, dollars as decimal text, to the last digit."""
    assert found.period.since is not None
    assert found.period.until is not None
    return {
        "provider": found.provider,
        "since": found.period.since.isoformat(),
        "until": found.period.until.isoformat(),
        "per_call": found.per_call,
        "agrees": found.agrees,
        "export": _sums_json(found.export),
        "ledger": _sums_json(found.ledger),
        "difference": _plain(found.pico),
        "differences": [
            {"kind": item.kind, "export": _entry_json(item.export), "ledger": _entry_json(item.ledger)}
            for item in found.differences
        ],
    }


def _section(
    kind: Kind, differences: Sequence[Difference], per_call: bool, zone: tzinfo, room: int | None
) -> Iterator[str]:
    yield f"{kind.capitalize()}: {len(differences):,}"
    yield ""
    titles = ["Began", "Model", "Generation", "Run"] if per_call else ["Day", "Model"]
    rows = [
        [
            *(_call_names if per_call else _day_names)(difference, zone),
            *map(_cost, (difference.export, difference.ledger)),
        ]
        for difference in differences[:LISTED_AT_MOST]
    ]
    together = [
        _exact(sum(entry.pico for entry in side if entry))
        for side in zip(*((difference.export, difference.ledger) for difference in differences), strict=True)
    ]
    footer = ["Together", *[""] * (len(titles) - 1), *together]
    yield from lay_out([*titles, "Export", "Ledger"], rows, footer, names=len(titles), room=room)
    if len(differences) > LISTED_AT_MOST:
        yield f"and {len(differences) - LISTED_AT_MOST:,} more: --format json has them all"


def _call_names(difference: Difference, zone: tzinfo) -> list[str]:
    entry = difference.ledger or difference.export
    assert entry is not None
    generation = (difference.export and difference.export.id) or entry.id
    began = f"{difference.time.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return [began, _model(entry), name_text(generation), name_text(entry.run_id)]


def _day_names(difference: Difference, zone: tzinfo) -> list[str]:
    entry = difference.export or difference.ledger
    assert entry is not None
    return [f"{entry.time:%Y-%m-%d}", _model(entry) if entry.models else "(all)"]


def _model(entry: Entry) -> str:
    return name_text(entry.models[0] if entry.models else None)


def _cost(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    calls = "" if entry.calls in (None, 1) else f" ({entry.calls:,} calls)"
    if not entry.unknown_cost_calls:
        return f"{_exact(entry.pico)}{calls}"
    if entry.unknown_cost_calls == entry.calls:
        return f"unknown{calls}"
    return f"{_exact(entry.pico)} + {entry.unknown_cost_calls:,} unknown{calls}"


def _sums(sums: Sums) -> list[str]:
    calls = "-" if sums.calls is None else f"{sums.calls:,}"
    return [calls, _exact(sums.pico), f"{sums.unknown_cost_calls:,}"]


def _more(export: int | None, ledger: int | None) -> str:
    return "-" if export is None or ledger is None else f"{export - ledger:,}"


def _plain(pico: int) -> str:
    """Dollars to the last digit, with two decimals at least: 0.0505635."""
    whole, _, decimals = f"{from_pico(pico):.12f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _exact(pico: int) -> str:
    whole, _, decimals = _plain(abs(pico)).partition(".")
    return f"{'-' if pico < 0 else ''}${int(whole):,}.{decimals}"


def _sums_json(sums: Sums) -> dict[str, Any]:
    return {"calls": sums.calls, "cost": _plain(sums.pico), "unknown_cost_calls": sums.unknown_cost_calls}


def _entry_json(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {
        "time": entry.time.isoformat(),
        "models": list(entry.models),
        "generation_id": entry.id,
        "run_id": entry.run_id,
        "calls": entry.calls,
        "cost": None if entry.unknown_cost_calls and entry.unknown_cost_calls == entry.calls else _plain(entry.pico),
        "unknown_cost_calls": entry.unknown_cost_calls,
    }
