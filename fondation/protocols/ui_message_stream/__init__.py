"""The AI SDK's UI message stream, as every release of the majors 5, 6 and 7 reads it."""

from __future__ import annotations

from fondation.protocols.base import StreamProtocol
from fondation.protocols.conversation import Conversation
from fondation.protocols.ui_message_stream.decode import decode
from fondation.protocols.ui_message_stream.encode import HEADERS, KEEPALIVE, broken, encode, encode_with_approvals

__all__ = [
    "HEADERS",
    "KEEPALIVE",
    "UI_MESSAGE_STREAM",
    "UI_MESSAGE_STREAM_WITH_APPROVALS",
    "Conversation",
    "broken",
    "decode",
    "encode",
    "encode_with_approvals",
]

UI_MESSAGE_STREAM = StreamProtocol("ui-message-stream", HEADERS, KEEPALIVE, lambda: encode, broken, b"\n\n", decode)
UI_MESSAGE_STREAM_WITH_APPROVALS = StreamProtocol(
    "ui-message-stream", HEADERS, KEEPALIVE, lambda: encode_with_approvals, broken, b"\n\n", decode
)
"""With the chunks of the majors 6 and 7 that ask for approval."""
