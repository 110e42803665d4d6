"""What the driver is going to do: scenes of one or two requests, every fault and every way to leave among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Literal, TypeAlias

from .answers import GOOD
from .faults import FAULTS

Conduct: TypeAlias = Literal[
    "reads",
    "asks for JSON",
    "leaves at once",
    "leaves after headers",
    "leaves mid text",
    "leaves mid call",
    "leaves while a tool runs",
    "leaves at the last byte",
    "stops",
    "comes back",
    "answers",
    "goes on",
]
"""What the page does. `stops`: leaves, then posts to the stop route. `comes back`: leaves, and reads the rest.
`answers`: a waiting call, in a second request. `goes on`: sends another message when the first is answered.
"""


@dataclass(frozen=True, slots=True)
class Scene:
    number: int
    route: str
    plays: tuple[str, ...]
    """How the upstream answers the calls of the first request, in their order."""
    asides: tuple[str, ...]
    conduct: Conduct
    user: str | None

    @property
    def chat(self) -> str:
        return f"proof-{self.number}"

    def message(self, turn: int) -> str:
        """What the user writes, with what the upstream is to play; a second turn is answered with text."""
        plays, asides = (self.plays, self.asides) if turn == 1 else ((), ())
        return f"scene={self.number} turn={turn} plays={','.join(plays)} asides={','.join(asides)}"


@dataclass(frozen=True, slots=True)
class _Kind:
    route: str
    plays: tuple[str, ...]
    conducts: tuple[Conduct, ...] = ("reads", "asks for JSON", "leaves mid text", "leaves after headers", "goes on")


_TEXT = ("text",)
_LEAVING: tuple[Conduct, ...] = (
    "leaves at once",
    "leaves after headers",
    "leaves mid text",
    "leaves mid call",
    "leaves while a tool runs",
    "leaves at the last byte",
)
_KINDS = (
    _Kind("/api/triage", ("hand_off:Billing", "call:quick", "text"), ("reads", "goes on", "asks for JSON", *_LEAVING)),
    _Kind("/api/work", ("call:quick+slow+failing", "text"), ("reads", *_LEAVING)),
    _Kind("/api/careful", _TEXT),
    _Kind(
        "/api/saver", ("call:quick", "text"), ("reads", "asks for JSON", "leaves mid text", "leaves at the last byte")
    ),
    _Kind("/api/talk", _TEXT, ("reads", "reads", "asks for JSON", "leaves mid text", "goes on")),
    _Kind(
        "/api/triage", ("hand_off:Support", "hand_off:Billing", "call:quick", "hand_off:Support", "call:slow", "text")
    ),
    _Kind("/api/stranger", _TEXT),
    _Kind("/api/desk", ("call:locate", "text"), ("answers",)),
    _Kind("/api/keeps-on", ("call:slow", "long_text"), ("stops", "comes back", "leaves mid text", "reads")),
    _Kind("/api/guess", ("reasons",), ("reads", "asks for JSON")),
    _Kind("/api/desk", ("call:refund+locate", "text"), ("answers",)),
    _Kind("/api/work4", ("call:slow+quick", "text"), ("reads", "leaves after headers")),
    _Kind("/api/long", ("too_long", "text", "text"), ("reads",)),
    _Kind("/api/work", ("long_text",), _LEAVING),
    _Kind("/api/played", (), ("reads", "leaves after headers")),
)
CALLS_OF_A_SCENE = 1.8
"""On the average, as seen."""


def plan(calls: int, seed: int) -> list[Scene]:
    """Scenes that lead to about so many calls, in an order of chance."""
    random = Random(seed)
    count = max(round(calls / CALLS_OF_A_SCENE), len(FAULTS) * 2)
    scenes = list(_scenes(count, random))
    random.shuffle(scenes)
    return scenes


def _scenes(count: int, random: Random) -> Iterator[Scene]:
    kinds, faults, goods = cycle(_KINDS), cycle(FAULTS), cycle(GOOD)
    conducts = {kind: cycle(kind.conducts) for kind in _KINDS}
    for number in range(count):
        kind = next(kinds)
        plays = [next(goods) if play == "text" else play for play in kind.plays]
        asides: list[str] = []
        if plays and number % 5 < 3:
            plays.insert(random.randrange(len(plays)), next(faults))
        if kind.route == "/api/talk" and random.random() < 0.4:
            asides.append(next(faults))
        user = None if number % 11 == 0 else f"user-{number % 7}"
        yield Scene(number, kind.route, tuple(plays), tuple(asides), next(conducts[kind]), user)
