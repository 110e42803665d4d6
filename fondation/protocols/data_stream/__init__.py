"""The AI SDK's data stream, as major 4 reads it."""

from __future__ import annotations

from fondation.protocols.base import StreamProtocol
from fondation.protocols.data_stream.decode import decode
from fondation.protocols.data_stream.encode import HEADERS, KEEPALIVE, Encoder, broken

__all__ = ["DATA_STREAM", "HEADERS", "KEEPALIVE", "Encoder", "broken", "decode"]

DATA_STREAM = StreamProtocol("data-stream", HEADERS, KEEPALIVE, Encoder, broken, b"\n", decode)
