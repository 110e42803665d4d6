"""How a run is told to a client: stream protocols, and one JSON answer."""

from __future__ import annotations

from fondation.protocols.base import Encode, StreamProtocol
from fondation.protocols.data_stream import DATA_STREAM
from fondation.protocols.ui_message_stream import UI_MESSAGE_STREAM, UI_MESSAGE_STREAM_WITH_APPROVALS

__all__ = ["PROTOCOLS", "Encode", "StreamProtocol"]

PROTOCOLS: dict[int, StreamProtocol] = {
    4: DATA_STREAM,
    5: UI_MESSAGE_STREAM,
    6: UI_MESSAGE_STREAM_WITH_APPROVALS,
    7: UI_MESSAGE_STREAM_WITH_APPROVALS,
}
"""By the major of the AI SDK that a route's pages use: its `client`."""
