"""How the dashboard writes a value: the filters of its templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from fondation.config.words import counted
from fondation.svg import Element, as_text
from fondation.usage.calls import Call
from fondation.usage.cost_notes import why_unknown
from fondation.usage.figures import Figures
from fondation.usage.money import ROW_PLACES, TOTAL_PLACES, dollars, from_pico
from fondation.usage.periods import time_of
from fondation.usage.table import duration_text, name_text

_BETWEEN_WORDS = re.compile(r"(?<=[_/@:.-])(?=[^\W\d_])")
_SHORT = 40
"""Characters of a name that may stand as it is, for whoever searches the page's text."""
_LONG = 160
"""Characters of a name, beyond which not all of it is seen at once."""


def number(value: int | None) -> str:
    """`12,345`; empty where it is not known."""
    return "" if value is None else f"{value:,}"


def counted_with_commas(value: int, noun: str) -> str:
    """`1 call`, `12,345 calls`."""
    return counted(value, noun).replace(str(value), f"{value:,}", 1)


def card_cost(figures: Figures) -> str:
    """What is known of a cost with four places, as JavaScript's `toFixed` writes them."""
    return dollars(float(from_pico(figures.cost_pico)), TOTAL_PLACES).replace(",", "")


def call_cost(call: Call) -> str:
    """Six places, as `toFixed` writes them; `unknown` or `pending` where nobody knows it, or knows it yet."""
    if call.cost_source in ("unknown", "pending"):
        return call.cost_source
    is_money = call.row["cost_pico"] is not None  # what is none, another program wrote beside a simulated call
    return dollars(call.row["cost"] if is_money else 0, ROW_PLACES).replace(",", "")


def sum_cost(figures: Figures) -> str:
    """Of a group; `unknown` where no call's cost is known."""
    return "unknown" if figures.cost is None else dollars(figures.cost, ROW_PLACES)


def marks(call: Call) -> Iterator[str]:
    """What is unusual about a call, each in a word."""
    if call.row["status"] not in ("done", None):
        yield call.row["status"]
    if call.cost_source == "simulated":
        yield "simulated"
    if call.purpose is not None:
        yield call.purpose


def breakable(name: str) -> Markup:
    """A long name breaks, where it must, between its words; a very long one stands in a box, of which some is seen."""
    if len(name) <= _SHORT:
        return escape(name)
    text = Markup("<wbr>").join(_BETWEEN_WORDS.split(name))
    return text if len(name) <= _LONG else Markup('<span class="long" title="{}">{}</span>').format(name, text)


def share(value: float) -> str:
    """`42%`."""
    return f"{value:.0%}"


def moment(unix_seconds: float, zone: tzinfo) -> str:
    time = time_of(unix_seconds, zone)
    return "no date" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def utc(unix_seconds: float) -> str:
    """The same for programs, and for who points at it."""
    time = time_of(unix_seconds, UTC)
    return "" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}"


def segment(text: str) -> str:
    """A name as a part of an address."""
    return quote(text, safe="")


def svg(drawing: Element) -> Markup:
    """A picture's markup, in which every name is text already."""
    return Markup(as_text(drawing))


FILTERS: dict[str, Callable[..., Any]] = {
    "breakable": breakable,
    "call_cost": call_cost,
    "card_cost": card_cost,
    "counted": counted_with_commas,
    "duration": duration_text,
    "marks": marks,
    "moment": moment,
    "name": name_text,
    "number": number,
    "segment": segment,
    "share": share,
    "sum_cost": sum_cost,
    "svg": svg,
    "utc": utc,
    "why_unknown": why_unknown,
}
