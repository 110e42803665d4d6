"""Reading JSON of which a server promises nothing: what is not of the wanted kind is empty."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fondation.messages import Json


def text_of(value: Json) -> str:
    return value if isinstance(value, str) else ""


def map_of(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def is_object(text: str) -> bool:
    """Whether `text` is one JSON object, whole; not where it is nested deeper than can be read."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (ValueError, RecursionError):
        return False
