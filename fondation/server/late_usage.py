"""The usage of kept answers that ended before their cost was known: read from the ledger, where it is settled later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fondation.calls import Spent
from fondation.messages import Json
from fondation.protocols.payloads import run_ids_of, usage_metadata
from fondation.stores.base import UsageStore
from fondation.stores.chats import StoredMessage
from fondation.summary import spent


async def with_late_usage(messages: Sequence[StoredMessage], ledger: UsageStore | None) -> list[StoredMessage]:
    """The messages, each with what is known by now of what it took. Without a ledger a cost that was to come stays
    unknown.
    """
    late = {message.id: _runs(message) for message in messages if _is_late(message)}
    if not late:
        return [*messages]
    if ledger is None:
        return [_without_hope(message) if message.id in late else message for message in messages]
    calls = await ledger.calls([run_id for run_ids in late.values() for run_id in run_ids])
    told: list[StoredMessage] = []
    for message in messages:
        made = [call for run_id in late.get(message.id, ()) for call in calls.get(run_id, ())]
        told.append(_retold(message, spent(made)) if made else message)
    return told


def _is_late(message: StoredMessage) -> bool:
    """Whether its end came before its cost, or was not told at all: then what is told is of earlier runs."""
    if message.role != "assistant" or message.status == "streaming":
        return False
    usage = message.metadata.get("usage")
    return usage is None or usage.get("costSource") == "pending" or message.status in ("cut", "stopped")


def _runs(message: StoredMessage) -> list[str]:
    """Those that wrote it; the last one may not have told its id."""
    return [*dict.fromkeys(filter(None, (*run_ids_of(message.metadata), message.run_id)))]


def _retold(message: StoredMessage, known: Spent) -> StoredMessage:
    """Rows may come to the ledger later than the message to its chat: what is open there says nothing new."""
    usage = message.metadata.get("usage")
    if known.cost_source == "pending" and usage is not None:
        return message
    return _with_usage(message, usage_metadata(*known))


def _without_hope(message: StoredMessage) -> StoredMessage:
    usage = message.metadata.get("usage")
    if usage is None or usage["costSource"] != "pending":
        return message
    return _with_usage(message, {**usage, "costSource": "unknown"})


def _with_usage(message: StoredMessage, usage: dict[str, Json]) -> StoredMessage:
    return replace(message, metadata={**message.metadata, "usage": usage})
