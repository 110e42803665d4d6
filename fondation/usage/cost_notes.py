"""Why nobody knows what a call cost, in words."""

from __future__ import annotations

_WHY_UNKNOWN = {
    "pending": "not known yet: its provider is asked",
    "no_usage": "its provider told no tokens, or not all, and keeps no receipts",
    "no_price": "its provider bills nothing on the wire, and no price of the model is known",
    "no_generation_id": "it ended before its provider gave it an id",
    "no_receipts": "its process died, and its provider keeps no receipts",
    "no_model": "no model of the file is at its provider any more",
    "not_found": "for a day its provider did not know it",
    "refused": "for a day its provider rejected the key",
    "unavailable": "for a day its provider did not answer",
}


def why_unknown(note: str | None) -> str:
    """The words for a row's `cost_note`, or for `pending`."""
    return "nobody said why" if note is None else _WHY_UNKNOWN.get(note, note)
