from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from fondation.calls import CallStatus, ModelCall, RunInfo, TokenUsage
from fondation.errors import RateLimited
from fondation.events import Batch, Batches, CallAccepted, CallEnded, CallStarted, TextDelta
from fondation.stores.base import Outcome, Unsettled
from fondation.stores.rows import Row
from fondation.usage import record

RUN = RunInfo("run_1", "s1")


@dataclass
class Diary:
    """A store that writes down what it is told."""

    entries: list[str] = field(default_factory=list)
    failing: bool = False
    seconds: float = 0.0

    def _write(self, what: str, call: ModelCall) -> None:
        self.entries.append(f"{what} {call.step} {call.status}")
        if self.failing:
            raise OSError("the disk is gone")

    def begin(self, call: ModelCall, run: RunInfo) -> asyncio.Future[None]:
        self._write("begin", call)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(self.seconds, _resolve, kept)
        return kept

    def hurry(self) -> None:
        self.entries.append("hurry")

    def note(self, call: ModelCall) -> None:
        self._write("note", call)

    def settle(self, call: ModelCall) -> None:
        self._write("settle", call)

    def withdraw(self, call: ModelCall) -> None:
        self._write("withdraw", call)

    async def unsettled(self, most: int) -> Unsettled:
        return Unsettled()

    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[Row]:
        return ()

    async def calls(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[ModelCall]]:
        return {}

    def close(self) -> None:
        """Nothing to close."""


def _resolve(kept: asyncio.Future[None]) -> None:
    if not kept.done():
        kept.set_result(None)


def new_call(step: int = 1, **fields: Any) -> ModelCall:
    return ModelCall("Billing", "openrouter", "acme/one", ("Billing",), step=step, **fields)


def done(call: ModelCall, **fields: Any) -> CallEnded:
    call.status = "done"
    for name, value in fields.items():
        setattr(call, name, value)
    return CallEnded(call)


async def stream(batches: Iterable[Batch | Callable[[], object]]) -> Batches:
    """Yield batches; what can be called is called where it stands."""
    for batch in batches:
        if callable(batch):
            batch()
        else:
            yield batch


async def drain(batches: Batches) -> list[Batch]:
    return [batch async for batch in batches]


async def test_batches_pass_unchanged() -> None:
    call = new_call()
    batches: list[Batch] = [[CallStarted(call)], [TextDelta("0", "a"), TextDelta("0", "b")], [done(call)]]
    passed = await drain(record(stream(batches), Diary(), RUN))
    assert all(one is other for one, other in zip(passed, batches, strict=True))


async def test_a_call_is_begun_noted_and_settled() -> None:
    call = new_call()
    diary = Diary()
    batches: list[Any] = [[CallStarted(call)], [CallAccepted(call)], lambda: done(call), [CallEnded(call)]]
    await drain(record(stream(batches), diary, RUN))
    assert diary.entries == ["begin 1 running", "note 1 running", "settle 1 done"]


async def test_the_row_is_kept_before_the_call_is_sent() -> None:
    call = new_call()
    diary = Diary(seconds=0.02)
    sent: list[float] = []
    started = time.perf_counter()
    batches = stream([[CallStarted(call)], lambda: sent.append(time.perf_counter()), [done(call)]])
    await drain(record(batches, diary, RUN))
    assert sent[0] - started >= 0.02


async def test_a_slow_store_is_waited_for_a_quarter_of_a_second() -> None:
    call = new_call()
    started = time.perf_counter()
    diary = Diary(seconds=30)
    await drain(record(stream([[CallStarted(call)], [done(call)]]), diary, RUN))
    assert 0.2 < time.perf_counter() - started < 0.6
    assert diary.entries[1] == "hurry"


async def test_a_store_that_fails_never_reaches_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    call = new_call()
    batches: list[Batch] = [[CallStarted(call)], [CallAccepted(call)], [TextDelta("0", "a")], [done(call)]]
    assert await drain(record(stream(batches), Diary(failing=True), RUN)) == batches
    assert caplog.text.count("Failed to save usage") == 3


async def test_without_a_store_the_stream_is_itself(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    batches = stream([[done(new_call())]])
    assert record(batches, None, RUN) is batches
    await drain(batches)
    assert caplog.text == ""


async def test_a_closed_stream_settles_its_open_call_as_aborted() -> None:
    call = new_call(charged=None, usage=TokenUsage(cost=0.5))
    diary = Diary()
    recorded = record(stream([[CallStarted(call)], [TextDelta("0", "a")], []]), diary, RUN)
    await anext(recorded)
    await anext(recorded)
    await recorded.aclose()
    assert diary.entries == ["begin 1 running", "settle 1 aborted"]
    assert (call.cost, call.cost_source) == (0.5, "billed")
    assert call.ended is not None


async def test_an_aborted_call_without_usage_has_an_unknown_cost() -> None:
    call = new_call()
    recorded = record(stream([[CallStarted(call)], [CallAccepted(call)]]), Diary(), RUN)
    await anext(recorded)
    await anext(recorded)
    await recorded.aclose()
    assert (call.status, call.cost, call.cost_source) == ("aborted", None, "unknown")


async def test_a_cancelled_stream_settles_after_its_source_is_closed() -> None:
    call = new_call()
    diary = Diary()

    async def source() -> AsyncGenerator[Batch, None]:
        yield [CallStarted(call)]
        try:
            await asyncio.sleep(30)
        finally:
            diary.entries.append("source closed")

    async def read() -> None:
        async with contextlib.aclosing(record(source(), diary, RUN)) as recorded:
            async for _ in recorded:
                pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert diary.entries == ["begin 1 running", "source closed", "settle 1 aborted"]


@pytest.mark.parametrize(
    ("error", "error_type"), [(RuntimeError("a bug"), "internal"), (RateLimited("later"), "rate_limit")]
)
async def test_a_failing_stream_settles_its_open_call_as_an_error(error: Exception, error_type: str) -> None:
    call = new_call()
    diary = Diary()

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        await drain(record(stream([[CallStarted(call)], fail]), diary, RUN))
    assert diary.entries[-1] == "settle 1 error"
    assert call.error_type == error_type


async def test_what_the_source_says_of_a_call_while_it_closes_holds() -> None:
    call = new_call()
    diary = Diary()

    async def source() -> AsyncGenerator[Batch, None]:
        try:
            yield [CallStarted(call)]
            yield [TextDelta("0", "a")]
        finally:
            call.status, call.error_type = "error", "timeout"

    recorded = record(source(), diary, RUN)
    await anext(recorded)
    await anext(recorded)
    await recorded.aclose()
    assert (diary.entries[-1], call.error_type) == ("settle 1 error", "timeout")


async def test_a_call_that_was_never_sent_is_withdrawn() -> None:
    sent, unsent = new_call(1), new_call(2)
    diary = Diary()
    recorded = record(stream([[CallStarted(sent)], [CallStarted(unsent)], []]), diary, RUN)
    await anext(recorded)
    await anext(recorded)
    await recorded.aclose()
    assert diary.entries[2:] == ["settle 1 aborted", "withdraw 2 running"]


@pytest.mark.parametrize(
    ("status", "charged", "entry"),
    [
        ("aborted", False, "withdraw 1 aborted"),
        ("aborted", None, "settle 1 aborted"),
        ("refused", False, "settle 1 refused"),
    ],
)
async def test_a_call_that_surely_ended_before_it_was_sent_leaves_no_row(
    status: CallStatus, charged: bool | None, entry: str
) -> None:
    call, diary = new_call(), Diary()
    ended = CallEnded(call)
    call.status, call.charged = status, charged
    await drain(record(stream([[CallStarted(call)], [ended]]), diary, RUN))
    assert diary.entries[-1] == entry


async def test_a_call_cancelled_while_its_row_is_written_is_withdrawn() -> None:
    diary = Diary(seconds=0.2)
    task = asyncio.create_task(drain(record(stream([[CallStarted(new_call())], []]), diary, RUN)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert diary.entries == ["begin 1 running", "withdraw 1 running"]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"usage": TokenUsage(total_tokens=1234), "cost": 0.0042, "cost_source": "billed"},
            "[Usage] Billing: 1234 tokens, $0.0042",
        ),
        (
            {"usage": TokenUsage(prompt_tokens=3, completion_tokens=4), "cost": 0.00005, "cost_source": "priced"},
            "[Usage] Billing: 7 tokens, $0.0001",
        ),
        ({"usage": TokenUsage(total_tokens=12)}, "[Usage] Billing: 12 tokens, cost unknown"),
        ({}, "[Usage] Billing: unknown tokens, cost unknown"),
        ({"charged": False}, "[Usage] Billing: 0 tokens, $0.0000"),
        (
            {"provider": "simulated", "usage": TokenUsage(total_tokens=12)},
            "[Usage] Billing: 12 tokens, simulated",
        ),
    ],
)
async def test_every_call_leaves_its_line_in_the_log(
    fields: dict[str, Any], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fondation.usage")
    call = new_call()
    await drain(record(stream([[CallStarted(call)], [done(call, **fields)]]), Diary(), RUN))
    assert caplog.messages == [line]
