"""What the server needs of a stream protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fondation.events import Batch
from fondation.protocols.conversation import Conversation

Encode: TypeAlias = Callable[[Batch], bytes]
"""The bytes of a batch; empty where it holds nothing for the page."""


@dataclass(frozen=True, slots=True)
class StreamProtocol:
    """One way to talk with a page: its requests in, a run's events out."""

    name: str
    headers: Mapping[str, str]
    """Of the answer."""
    keepalive: bytes
    """A sign of life that changes nothing, to be written between two batches."""
    encoder: Callable[[], Encode]
    """Makes the encoder of one run, which is given all of its batches in their order."""
    broken: Callable[[str], bytes]
    """The end of a stream whose run, by its id, cannot be told on: a bug of ours."""
    frame_end: bytes
    """The last bytes of every frame."""
    decode: Callable[[bytes], Conversation]
    """Reads a request's body. Raises `RequestError` (400) with what is wrong and where."""
