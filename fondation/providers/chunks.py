"""The chunks of a chat-completions stream: only the fields that are used, and no trust in their types."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from fondation.messages import mend


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the answer; of a complete answer, its message. `Any`: servers differ."""

    content: Any = None
    refusal: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    tool_calls: Any = None
    annotations: Any = None
    images: Any = None


class Choice(msgspec.Struct, gc=False):
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    native_finish_reason: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    id: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(Chunk).decode


def decode_chunk(data: bytes) -> Chunk:
    """Raises ValueError where `data` is no JSON object."""
    try:
        return _decode(data)
    except ValueError:
        return _decode_leniently(data)


def _decode_leniently(data: bytes) -> Chunk:
    """For broken UTF-8, lone surrogates, bare control characters and fields of another shape."""
    value = mend(json.loads(data.decode("utf-8", "replace"), strict=False))
    if not isinstance(value, dict):
        raise ValueError("a chunk that is no JSON object")  # noqa: TRY004
    choices = value.get("choices")
    value["choices"] = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    for choice in value["choices"]:
        for key in ("delta", "message"):
            if not isinstance(choice.get(key), dict):
                choice[key] = None
    return msgspec.convert(value, Chunk)
