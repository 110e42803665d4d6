"""Short ways to say what a chat test needs."""

from __future__ import annotations

from typing import Any

from fondation.stores.chats import ChatKey, StoredMessage, WaitingCall

KEY = ChatKey("ada", "c1")


def user(id: str, text: str = "hello", **fields: Any) -> StoredMessage:
    return StoredMessage(id, "user", ({"type": "text", "text": text},), **fields)


def answer(id: str, text: str = "hello yourself", **fields: Any) -> StoredMessage:
    return StoredMessage(id, "assistant", ({"type": "text", "text": text},), **fields)


def call(id: str, message_id: str = "a1", **fields: Any) -> WaitingCall:
    return WaitingCall(id, message_id, f"call_{id}", "refund", '{"amount": 12}', "Billing", "approval", **fields)
