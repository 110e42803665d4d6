"""The books of the test upstream: what each call that it received came to, in integers."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

import msgspec

Side: TypeAlias = Literal["router", "plain"]


class Call(msgspec.Struct):
    """A request for an answer, and what became of it. Money is in millionths of a millionth of a dollar."""

    serial: int
    scene: int
    """Of the driver, that led to it."""
    id: str
    """On the invoice."""
    side: Side
    model: str
    """That was asked for."""
    agent: str | None
    """Whose instructions it brought; None for a title and the like."""
    play: str
    """How it was answered."""
    arrived: float
    """Unix seconds."""
    generation_id: str | None = None
    """As the caller could read it."""
    answered_as: str | None = None
    """The model that the answer names."""
    status: int | None = None
    """Of the response; None where none was begun."""
    is_whole: bool = False
    """A good answer was sent, to its last byte."""
    is_left: bool = False
    """The caller went away before its end."""
    told: bool = False
    """Its tokens were written into the answer."""
    ended: float | None = None
    charge: int = 0
    """What the invoice says."""
    upstream_charge: int = 0
    """Of that, what another provider bills to the caller's own key."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    questions: int = 0
    """How often its receipt was asked for."""

    @property
    def is_refused(self) -> bool:
        return self.status is not None and self.status != 200 and self.status not in (408, 504, 524)


class Books(msgspec.Struct):
    calls: list[Call] = []

    def by_play(self) -> Counter[str]:
        return Counter(call.play for call in self.calls)


def dollars(pico: int) -> float:
    return float(f"{pico}e-12")
