"""A provider's own account of what it charged: the CSV that its activity or cost page exports.

Known are OpenRouter's activity (a line per call, or per day and model) and OpenAI's costs (per day and line item); of
another provider every file will do whose columns have one of the names below.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fondation.config.words import listed, shown
from fondation.errors import FondationError

COLUMNS = {
    "id": ("generation_id", "id"),
    "time": ("created_at", "date", "timestamp", "time", "day", "start_time_iso", "start_time"),
    "model": ("model_permaslug", "model", "model_name", "line_item"),
    "other_model": ("model",),
    "cost": ("cost_total", "total_cost", "usage", "cost", "amount_value", "cost_usd", "amount", "spend"),
    "byok_cost": ("byok_usage_inference",),
    "currency": ("amount_currency", "currency"),
    "requests": ("requests", "num_model_requests", "num_requests"),
    "prompt_tokens": ("tokens_prompt", "prompt_tokens", "input_tokens"),
    "completion_tokens": ("tokens_completion", "completion_tokens", "output_tokens"),
}
"""What a line says -> the names that its column may have, in any case. The first that is there counts."""

NEEDED = ("time", "cost")
_OF_OPENROUTER = {"generation_id", "model_permaslug", "byok_usage_inference"}
_OF_OPENAI = {"amount_value", "line_item"}
_MIDNIGHT = (0, 0, 0, 0)


class UnreadableExport(FondationError):
    """The file is no such export; the text says what was found and what is needed."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of the export: a call, or all calls of a day and model."""

    line: int
    time: datetime
    """Aware; in UTC where the file does not say."""
    model: str | None
    other_model: str | None
    """Another name of the same model."""
    cost: Decimal
    """US dollars, with what the upstream charged to one's own key."""
    id: str | None
    requests: int | None
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, slots=True)
class Export:
    provider: str | None
    """Whose it is, where its columns tell."""
    per_call: bool
    """A line is a call; else it is a sum over a day."""
    charges: Sequence[Charge]


def read_export(path: Path) -> Export:
    """Read such a file. Raises `UnreadableExport`, whose text says what is wrong, and in which line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            head = [name.strip().lower().replace(" ", "_") for name in next(lines, [])]
            places = _places(head, path)
            charges = list(_charges(lines, places, path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableExport(f"{path} cannot be read: {error}") from error
    if not charges:
        raise UnreadableExport(f"{path} holds no charge")
    by_day = "requests" in places or all(_clock(charge.time) == _MIDNIGHT for charge in charges)
    return Export(_provider(set(head)), "id" in places or not by_day, charges)


def _places(head: Sequence[str], path: Path) -> dict[str, int]:
    places = {}
    for meaning, names in COLUMNS.items():
        name = next((name for name in names if name in head), None)
        if name is not None:
            places[meaning] = head.index(name)
    missing = [f"{meaning} ({listed(COLUMNS[meaning])})" for meaning in NEEDED if meaning not in places]
    if missing:
        found = ", ".join(shown(name) for name in head if name) or "none"
        raise UnreadableExport(
            f"{path} is no export of a provider's activity: it has no column for {' and '.join(missing)}.\n"
            f"Its columns are {found}"
        )
    return places


def _charges(lines: Iterator[list[str]], places: Mapping[str, int], path: Path) -> Iterator[Charge]:
    for number, line in enumerate(lines, start=2):
        cells = {name: line[place].strip() if place < len(line) else "" for name, place in places.items()}
        if not cells["cost"]:
            continue  # a day on which nothing was charged
        try:
            yield _charge(number, cells)
        except ValueError as error:
            raise UnreadableExport(f"{path}:{number}: {error}") from error


def _charge(number: int, cells: Mapping[str, str]) -> Charge:
    if (currency := cells.get("currency", "")).lower() not in ("", "usd"):
        raise ValueError(f"the ledger is in US dollars, and this in {shown(currency)}")
    return Charge(
        line=number,
        time=_time(cells["time"]),
        model=_model(cells.get("model", "")),
        other_model=_model(cells.get("other_model", "")),
        cost=_money(cells["cost"]) + _money(cells.get("byok_cost") or "0"),
        id=cells.get("id") or None,
        requests=_count(cells.get("requests", "")),
        prompt_tokens=_count(cells.get("prompt_tokens", "")),
        completion_tokens=_count(cells.get("completion_tokens", "")),
    )


def _time(text: str) -> datetime:
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{shown(text)} is no time like 2026-11-23 08:30:00") from None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text.replace("$", "").replace(",", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"{shown(text)} is no amount of dollars")
    return amount


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _model(text: str) -> str | None:
    """OpenAI's line items are a model and what of it: `gpt-5-nano, input_tokens`."""
    return text.partition(", ")[0] or None


def _provider(head: set[str]) -> str | None:
    return "openrouter" if head & _OF_OPENROUTER else "openai" if head & _OF_OPENAI else None


def _clock(time: datetime) -> tuple[int, int, int, int]:
    return time.hour, time.minute, time.second, time.microsecond
