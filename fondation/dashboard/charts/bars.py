"""Small bars that stand beside a number in a table: they repeat it, so a screen reader does not read them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from fondation.dashboard.charts.plane import box, title, upright
from fondation.dashboard.charts.ticks import Number
from fondation.svg import Element, element

HEIGHT = 12
_BAR, _MARGIN = 8, 2
_LEAST = 0.006
"""The share of what is not zero, so that it can be seen."""


def bar(share: float | None, css: str = "series-1", tip: str = "") -> Element:
    """A share of the greatest, from 0 to 1; None is unknown."""
    return _strip(tip, *_fill(share, css))


def part_bar(share: float | None, css: str = "series-1", tip: str = "") -> Element:
    """A part of a whole, from 0 to 1, on a track that is the whole; None is unknown."""
    return _strip(tip, *([_box(0, 1, "track")] if share is not None else []), *_fill(share, css))


def budget_bar(spent: Number, reserved: Number, limit: Number, warn: float | None = None, tip: str = "") -> Element:
    """What is spent of a limit, and what is set aside; beyond the limit the track goes on, and the limit is marked.

    `warn` is the share of the limit from which people are warned.
    """
    spent, reserved = max(spent, 0), max(reserved, 0)
    whole = max(limit, spent + reserved)
    if not whole:
        return _strip(tip, _box(0, 1, "track"))
    used, held, full = (float(Decimal(each) / whole) for each in (spent, reserved, limit))
    parts = [_box(0, 1, "track"), _box(0, _seen(used), _state(spent, reserved, limit, warn))]
    if held:
        parts.append(_box(used, held, "reserved"))
    if warn is not None and warn < 1:
        parts.append(_mark(full * warn, "warn-mark"))
    if full < 1:
        parts.append(_mark(full, "limit-mark"))
    return _strip(tip, *parts)


def budget_state(spent: Number, reserved: Number, limit: Number, warn: float | None = None) -> str:
    """`well`, `warned`, or `full` where nothing is left."""
    if spent + reserved >= limit:
        return "full"
    return "warned" if warn is not None and spent >= limit * Decimal(str(warn)) else "well"


def _state(spent: Number, reserved: Number, limit: Number, warn: float | None) -> str:
    return f"spent {budget_state(spent, reserved, limit, warn)}"


def _strip(tip: str, *content: Element) -> Element:
    named = [title(tip)] if tip else []
    return element(
        "svg",
        *named,
        *content,
        xmlns="http://www.w3.org/2000/svg",
        width="100%",
        height=HEIGHT,
        aria_hidden="true",
        class_="bar",
    )


def _fill(share: float | None, css: str) -> Iterator[Element]:
    if share is None:
        yield _box(0, 1, "unknown")
    elif share > 0:
        yield _box(0, _seen(share), css)


def _seen(share: float) -> float:
    return max(share, _LEAST) if share > 0 else 0


def _box(x: float, width: float, css: str) -> Element:
    return box(x, _MARGIN, width, _BAR, css)


def _mark(x: float, css: str) -> Element:
    return upright(x, 0, HEIGHT, css)
