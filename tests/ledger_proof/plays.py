"""How the upstream answers a request: one of the `answers` or `faults`, by its name."""

from __future__ import annotations

from .answers import GOOD, Play, call
from .faults import FAULTS


def find_play(name: str) -> Play:
    """A play by its name; `call:TOOL`, `call:TOOL+TOOL` and `hand_off:AGENT` are answers that call tools."""
    name, _, about = name.partition(":")
    if name == "call":
        return lambda wire: call(wire, [(tool, {"what": "it"}) for tool in about.split("+")])
    if name == "hand_off":
        return lambda wire: call(wire, [("handoff_to_agent", {"targetAgent": about, "reason": "It asks for it."})])
    return GOOD.get(name) or FAULTS[name]
