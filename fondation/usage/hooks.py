"""The project's own functions that are told what each model call cost: beside the answers, one event at a time.

A hook that is slow or fails holds up no answer and no row; events that wait are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from abc import ABC, abstractmethod
from functools import partial
from inspect import isawaitable
from typing import Any, Generic, TypedDict, TypeVar

from fondation.entry_points import Function, is_async, load_hook
from fondation.stores.rows import UNKNOWN_COSTS, Row
from fondation.threads import in_thread

E = TypeVar("E")

log = logging.getLogger("fondation.usage")

MOST_EVENTS = 1_000
"""Events that wait for the hook; further ones are dropped, and counted in the log."""
HOOK_SECONDS = 30.0
"""The longest a hook may take for one event."""
DRAIN_SECONDS = 5.0
"""How long the events that wait at the end may still take."""


class TokenCounts(TypedDict):
    """None is unknown."""

    promptTokens: int | None
    completionTokens: int | None
    totalTokens: int | None
    cachedTokens: int | None
    cacheWriteTokens: int | None
    reasoningTokens: int | None


class UsageEvent(TypedDict):
    """What `usage.on_usage` is given once for each model call, when it is known what it cost, or that nobody knows.

    The event holds nothing of what was said.
    """

    agentName: str
    sessionId: str | None
    userId: str | None
    context: dict[str, str | None]
    """`userId` once more."""
    runId: str | None
    chatId: str | None
    method: str
    """stream or generate."""
    status: str
    """done, refused, error, aborted or lost."""
    errorType: str | None
    finishReason: str | None
    usage: TokenCounts
    cost: float | None
    """US dollars; None where nobody knows, and for a simulated call."""
    costSource: str
    """billed, priced, estimated, none, simulated or unknown."""
    costNote: str | None
    """Why the cost is unknown."""
    model: str | None
    """The model that answered."""
    requestedModel: str | None
    provider: str | None
    generationId: str | None
    providerMetadata: dict[str, Any]
    """`{PROVIDER: {usage: {cost, isByok, costDetails: {upstreamInferenceCost}, ...}}}`."""
    duration: int | None
    """Milliseconds until the last byte; None where its process died."""
    timeToFirstToken: int | None
    """Milliseconds."""
    handoffChain: list[str]
    round: int | None
    step: int | None
    attempt: int | None
    timestamp: int
    """When the call began, in unix seconds."""


def open_hooks(on_usage: str | None, on_error: str | None) -> Hooks | None:
    """The hooks of these entry points; None where nobody is to be told. Raises `EntryPointError`."""
    if on_usage is None:
        return None
    failed = None if on_error is None else load_hook(on_error, "error", "event")
    return Hooks(load_hook(on_usage, "event"), failed)


class HookQueue(ABC, Generic[E]):
    """Events that wait for functions of the project, one at a time."""

    def __init__(self, name: str) -> None:
        """`name` is what the log calls the functions."""
        self._name = name
        self._events: asyncio.Queue[E] = asyncio.Queue(MOST_EVENTS)
        self._dropped = 0

    def put(self, event: E) -> None:
        """Queue an event, unless too many wait."""
        if not self._events.full():
            self._events.put_nowait(event)
            return
        self._dropped += 1
        if self._dropped == 1:
            log.error("%s is too slow: %d events wait, further ones are dropped", self._name, MOST_EVENTS)

    async def run(self) -> None:
        """Hand over events for ever, in their order."""
        while True:
            event = await self._events.get()
            try:
                await self._hand_over(event)
            finally:
                self._events.task_done()
            if self._dropped and self._events.empty():
                log.error("%s was too slow: %d events were dropped", self._name, self._dropped)
                self._dropped = 0

    async def drain(self) -> None:
        """Wait for the events that are left, for some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._events.join()
                return
        log.error("%s did not take %d events before the end", self._name, self._events.qsize() + 1)

    @abstractmethod
    async def _hand_over(self, event: E) -> None:
        """Call what is to be called, and contain what it raises."""


class Hooks(HookQueue[UsageEvent]):
    """Hands events to `on_usage(event)`, and what that raises to `on_error(error, event)`."""

    def __init__(self, on_usage: Function, on_error: Function | None) -> None:
        super().__init__("usage.on_usage")
        self._on_usage = on_usage
        self._on_error = on_error

    def tell(self, row: Row) -> None:
        """Queue the event of a settled row."""
        self.put(event_of(row))

    async def _hand_over(self, event: UsageEvent) -> None:
        error = await call_hook(self._on_usage, event)
        if error is None:
            return
        about = f"the call of {event['agentName']} in run {event['runId']}"
        log.error("usage.on_usage failed for %s", about, exc_info=error)
        if self._on_error is not None and (failure := await call_hook(self._on_error, error, event)) is not None:
            log.error("usage.on_error failed for %s", about, exc_info=failure)


async def call_hook(hook: Function, *given: object) -> BaseException | None:
    """Call a hook; returns what it raised. A plain function has a thread of its own, an async one the event loop."""
    task = asyncio.current_task()
    assert task is not None
    try:
        async with asyncio.timeout(HOOK_SECONDS):
            called: Any = hook(*given) if is_async(hook) else in_thread(partial(hook, *given))
            result = await called
            if isawaitable(result):  # of a plain function around an async one
                await result
    except BaseException as error:  # also sys.exit(), which would end the server
        if isinstance(error, asyncio.CancelledError) and task.cancelling():
            raise
        return error
    return None


def event_of(row: Row) -> UsageEvent:
    """The event of a settled row."""
    values: dict[str, Any] = row
    provider = values["provider"]
    usage = _token_counts(values)
    cost = None if values["cost_source"] in UNKNOWN_COSTS else values["cost"]
    details = {"cost": cost, "isByok": None if values["is_byok"] is None else bool(values["is_byok"])}
    upstream = {"costDetails": {"upstreamInferenceCost": values["upstream_cost"]}}
    return {
        "agentName": values["agent_name"],
        "sessionId": values["session_id"],
        "userId": values["user_id"],
        "context": {"userId": values["user_id"]},
        "runId": values["run_id"],
        "chatId": values["chat_id"],
        "method": values["method"],
        "status": values["status"],
        "errorType": values["error_type"],
        "finishReason": values["finish_reason"],
        "usage": usage,
        "cost": cost,
        "costSource": values["cost_source"],
        "costNote": values["cost_note"],
        "model": values["model"],
        "requestedModel": values["requested_model"],
        "provider": provider,
        "generationId": values["generation_id"],
        "providerMetadata": {provider: {"usage": {**usage, **details, **upstream}}},
        "duration": values["duration"],
        "timeToFirstToken": values["time_to_first_token"],
        "handoffChain": json.loads(values["handoff_chain"] or "[]"),
        "round": values["round"],
        "step": values["step"],
        "attempt": values["attempt"],
        "timestamp": values["timestamp"],
    }


def _token_counts(values: dict[str, Any]) -> TokenCounts:
    prompt, completion = values["prompt_tokens"], values["completion_tokens"]
    is_known = bool(values["total_tokens"]) or prompt is not None or completion is not None
    return {
        "promptTokens": prompt,
        "completionTokens": completion,
        "totalTokens": values["total_tokens"] if is_known else None,
        "cachedTokens": values["cached_tokens"],
        "cacheWriteTokens": values["cache_write_tokens"],
        "reasoningTokens": values["reasoning_tokens"],
    }
