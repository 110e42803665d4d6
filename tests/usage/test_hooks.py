from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fondation.calls import ModelCall, RunInfo, TokenUsage
from fondation.errors import EntryPointError
from fondation.stores.rows import Row, row_of
from fondation.usage import hooks as hooks_module
from fondation.usage.hooks import Hooks, UsageEvent, event_of, open_hooks

RUN = RunInfo("run_1", "s1", user_id="ada", chat_id="c1")


def row(**fields: Any) -> Row:
    call = ModelCall("Billing", "openrouter", "acme/one", ("Triage", "Billing"), round=2, step=3)
    call.started_at, call.started, call.first_token, call.ended = 1_795_000_000.9, 10.0, 10.25, 11.5
    call.status, call.finish_reason, call.model, call.generation_id = "done", "stop", "acme/one-2026", "gen-1"
    call.usage = TokenUsage(100, 20, None, 10, None, 5, cost=0.25, upstream_cost=0.5, is_byok=True)
    call.cost, call.cost_source = 0.75, "billed"
    for name, value in fields.items():
        setattr(call, name, value)
    return row_of(call, RUN, "me")


@asynccontextmanager
async def running(hooks: Hooks) -> AsyncIterator[None]:
    """The hooks are called; at the end all that waits was."""
    task = asyncio.create_task(hooks.run())
    try:
        yield
        await hooks.drain()
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def tell(on_usage: Callable[..., Any], on_error: Callable[..., Any] | None = None, *, times: int = 1) -> None:
    hooks = Hooks(on_usage, on_error)
    async with running(hooks):
        for _ in range(times):
            hooks.tell(row())


def test_an_event_tells_all_of_a_call_but_what_was_said() -> None:
    tokens: dict[str, int | None] = {"promptTokens": 100, "completionTokens": 20, "totalTokens": 120}
    tokens |= {"cachedTokens": 10, "cacheWriteTokens": None, "reasoningTokens": 5}
    assert event_of(row()) == {
        "agentName": "Billing",
        "sessionId": "s1",
        "userId": "ada",
        "context": {"userId": "ada"},
        "runId": "run_1",
        "chatId": "c1",
        "method": "stream",
        "status": "done",
        "errorType": None,
        "finishReason": "stop",
        "usage": tokens,
        "cost": 0.75,
        "costSource": "billed",
        "costNote": None,
        "model": "acme/one-2026",
        "requestedModel": "acme/one",
        "provider": "openrouter",
        "generationId": "gen-1",
        "providerMetadata": {
            "openrouter": {
                "usage": {**tokens, "cost": 0.75, "isByok": True, "costDetails": {"upstreamInferenceCost": 0.5}}
            }
        },
        "duration": 1500,
        "timeToFirstToken": 250,
        "handoffChain": ["Triage", "Billing"],
        "round": 2,
        "step": 3,
        "attempt": 1,
        "timestamp": 1_795_000_000,
    }
    assert event_of(row()).keys() == UsageEvent.__annotations__.keys()


def test_what_is_unknown_is_none_and_what_is_free_is_nothing() -> None:
    unknown = event_of(row(usage=None, cost=None, cost_source="unknown", cost_note="no_usage"))
    assert (unknown["cost"], unknown["costNote"], unknown["usage"]["totalTokens"]) == (None, "no_usage", None)
    free = event_of(row(usage=TokenUsage(0, 0), cost=0.0, cost_source="billed"))
    assert (free["cost"], free["usage"]["totalTokens"]) == (0.0, 0)
    assert event_of(row(cost=None, cost_source="simulated"))["cost"] is None


async def test_an_async_hook_is_awaited_on_the_loop() -> None:
    told: list[tuple[str, object]] = []

    async def on_usage(event: UsageEvent) -> None:
        await asyncio.sleep(0)
        told.append((event["agentName"], asyncio.get_running_loop()))

    await tell(on_usage)
    assert told == [("Billing", asyncio.get_running_loop())]


async def test_a_plain_hook_has_a_thread_of_its_own() -> None:
    told: list[threading.Thread] = []
    await tell(lambda event: told.append(threading.current_thread()))
    assert told != [threading.main_thread()]
    assert len(told) == 1


async def test_a_plain_hook_around_an_async_one_is_awaited() -> None:
    told: list[UsageEvent] = []

    async def keep(event: UsageEvent) -> None:
        told.append(event)

    await tell(lambda event: keep(event))
    assert len(told) == 1


async def test_events_come_one_by_one_in_their_order() -> None:
    told: list[int | None] = []
    at_once = 0

    async def on_usage(event: UsageEvent) -> None:
        nonlocal at_once
        at_once += 1
        assert at_once == 1
        await asyncio.sleep(0)
        at_once -= 1
        told.append(event["step"])

    hooks = Hooks(on_usage, None)
    async with running(hooks):
        for step in range(20):
            hooks.tell(row(step=step))
    assert told == list(range(20))


@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize("error", [RuntimeError("no"), SystemExit(3), asyncio.CancelledError(), StopIteration()])
async def test_what_a_hook_raises_goes_to_on_error_and_the_next_event_is_told(
    threaded: bool, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []
    failures: list[tuple[str, str]] = []

    def fail(event: UsageEvent) -> None:
        told.append(1)
        raise error

    async def fail_later(event: UsageEvent) -> None:
        fail(event)

    def on_error(error: BaseException, event: UsageEvent) -> None:
        failures.append((type(error).__name__, event["agentName"]))

    await tell(fail if threaded else fail_later, on_error, times=2)
    assert len(told) == 2
    expected = "RuntimeError" if isinstance(error, StopIteration) else type(error).__name__
    assert failures == [(expected, "Billing")] * 2
    assert caplog.text.count("usage.on_usage failed for the call of Billing in run run_1") == 2


async def test_a_failing_on_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(*given: object) -> None:
        raise RuntimeError("broken too" if len(given) == 2 else "broken")

    await tell(fail, fail)
    assert [record.message.split(" for ")[0] for record in caplog.records] == [
        "usage.on_usage failed",
        "usage.on_error failed",
    ]
    assert "broken too" in caplog.text


async def test_without_on_error_a_failure_is_logged_only(caplog: pytest.LogCaptureFixture) -> None:
    await tell(lambda event: 1 / 0)
    assert "ZeroDivisionError" in caplog.text


async def test_a_hook_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "HOOK_SECONDS", 0.01)
    failures: list[BaseException] = []
    released = threading.Event()

    async def hang(event: UsageEvent) -> None:
        await asyncio.Event().wait()

    await tell(hang, lambda error, event: failures.append(error))
    await tell(lambda event: released.wait(5), lambda error, event: failures.append(error))
    released.set()
    assert [type(error) for error in failures] == [TimeoutError, TimeoutError]


async def test_a_slow_hook_holds_nobody_up_and_what_is_too_much_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hooks_module, "MOST_EVENTS", 3)
    told: list[int | None] = []
    go_on = asyncio.Event()

    async def slow(event: UsageEvent) -> None:
        await go_on.wait()
        told.append(event["step"])

    hooks = Hooks(slow, None)
    async with running(hooks):
        for step in range(10):
            hooks.tell(row(step=step))
        go_on.set()
    assert told == [0, 1, 2]
    assert caplog.messages == [
        "usage.on_usage is too slow: 3 events wait, further ones are dropped",
        "usage.on_usage was too slow: 7 events were dropped",
    ]


async def test_the_end_waits_for_what_is_left_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hooks_module, "DRAIN_SECONDS", 0.05)

    async def hang(event: UsageEvent) -> None:
        await asyncio.Event().wait()

    caplog.set_level(logging.ERROR)
    await tell(hang, times=3)
    assert caplog.messages == ["usage.on_usage did not take 3 events before the end"]


def test_hooks_are_loaded_by_name(tmp_path: Any) -> None:
    (tmp_path / "sinks.py").write_text("def tell(event): ...\ndef report(error, event): ...\nasync def wrong(): ...\n")
    sys.path.insert(0, str(tmp_path))
    assert open_hooks(None, "sinks:report") is None
    assert open_hooks("sinks:tell", "sinks:report") is not None
    with pytest.raises(EntryPointError, match=r"wrong cannot be called with \(event\)"):
        open_hooks("sinks:wrong", None)
    with pytest.raises(EntryPointError, match=r"tell cannot be called with \(error, event\)"):
        open_hooks("sinks:tell", "sinks:tell")
