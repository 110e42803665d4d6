"""How the dashboard writes a value: the filters of its templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

from fondation.usage.calls import Call
from fondation.usage.figures import Figures
from fondation.usage.money import ROW_PLACES, TOTAL_PLACES, dollars, from_pico
from fondation.usage.periods import time_of
from fondation.usage.table import duration_text

_NO_DATE = "no date"


def number(value: int | None) -> str:
    """`12,345`; empty where it is not known."""
    return "" if value is None else f"{value:,}"


def card_cost(figures: Figures) -> str:
    """What is known of a cost with four places, as JavaScript's `toFixed` writes it."""
    return dollars(from_pico(figures.cost_pico), TOTAL_PLACES).replace(",", "")


def call_cost(call: Call) -> str:
    """Six places, as `toFixed` writes them; `unknown` or `pending` where nobody knows, or knows yet.

    Simulated calls cost nothing.
    """
    if call.cost_source in ("unknown", "pending"):
        return call.cost_source
    return dollars(from_pico(call.row["cost_pico"] or 0), ROW_PLACES).replace(",", "")


def sum_cost(figures: Figures) -> str:
    """The cost of a group; `unknown` where no call's is known."""
    return "unknown" if figures.cost is None else dollars(figures.cost, ROW_PLACES)


def share(value: float | None) -> str:
    """`42 %`; empty where there is nothing that it is a part of."""
    return "" if value is None else f"{value:.0%}"


def moment(unix_seconds: float, zone: tzinfo) -> str:
    time = time_of(unix_seconds, zone)
    return _NO_DATE if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def utc(unix_seconds: float) -> str:
    """The same for programs, and for who points at it."""
    time = time_of(unix_seconds, UTC)
    return "" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}"


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (number, card_cost, call_cost, sum_cost, share, moment, utc)
} | {"duration": duration_text}
