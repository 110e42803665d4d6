"""A run and its readers: late ones, slow ones, and none."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from typing import Any

import pytest

from fondation import events
from fondation.events import Batch
from fondation.providers.base import AnswerEnd, TextPiece
from fondation.server import live
from fondation.server.live import Departure, LiveRun, Telling
from fondation.stores.chats import ChatKey
from tests.support.scripted import Answer, Player, ScriptedProvider, build_route, build_run
from tests.support.stepped import Clock

KEY = ChatKey("user:u1", "c1")


def encode(batch: Batch) -> bytes:
    """The text alone, so that tests can read it."""
    return "".join(event.text for event in batch if isinstance(event, events.TextDelta)).encode()


class Gate:
    """Holds the model back until it is opened."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def open(self) -> None:
        self._event.set()

    async def __call__(self) -> None:
        await self._event.wait()


def start(answer: Answer, departure: Departure, **options: Any) -> tuple[LiveRun, ScriptedProvider]:
    provider = ScriptedProvider([answer])
    run = build_run(build_route(provider, {"A": Player()}))
    return LiveRun(KEY, run, run.events(), Telling(encode), departure, **options), provider


async def read_all(run: LiveRun) -> bytes:
    with run.reader() as reader:
        return b"".join([data async for data in reader.frames()])


async def grown(run: LiveRun, size: int) -> None:
    """Wait until the run has told so many bytes."""
    async with asyncio.timeout(5):
        while run.log.size < size:
            await run.log.more()


async def test_two_readers_and_a_late_one_get_everything() -> None:
    gate = Gate()
    run, _ = start([[TextPiece("a")], gate, [TextPiece("b")], [AnswerEnd("stop")]], Departure(None))
    first, second = asyncio.create_task(read_all(run)), asyncio.create_task(read_all(run))
    await asyncio.sleep(0.01)
    gate.open()
    assert list(await asyncio.gather(first, second)) == [b"ab", b"ab"]
    assert await read_all(run) == b"ab"


async def test_a_run_ends_with_its_last_reader() -> None:
    run, provider = start([[TextPiece("a")], Gate(), [AnswerEnd("stop")]], Departure(0.0))
    with run.reader() as one:
        with run.reader():
            assert await anext(one.frames()) == b"a"
        await asyncio.sleep(0.01)
        assert not run.task.done(), "one reader is left"
    assert await run.ended(5.0)
    assert provider.closed == 1
    assert run.deadline.reason == "left"


async def test_a_run_may_go_on_without_readers() -> None:
    gate = Gate()
    run, _ = start([[TextPiece("a")], gate, [TextPiece("b")], [AnswerEnd("stop")]], Departure(None))
    with run.reader() as reader:
        await anext(reader.frames())
    gate.open()
    assert await run.ended(5.0)
    assert await read_all(run) == b"ab"


async def test_a_reader_that_returns_in_time_finds_its_run() -> None:
    gate = Gate()
    run, _ = start([[TextPiece("a")], gate, [TextPiece("b")], [AnswerEnd("stop")]], Departure(30.0))
    clock = Clock()
    with clock.running():
        with run.reader() as reader:
            await anext(reader.frames())
        clock.pass_by(20)
        again = asyncio.create_task(read_all(run))
        await asyncio.sleep(0.01)
        clock.pass_by(20)
        await asyncio.sleep(0.01)
        gate.open()
        assert await again == b"ab"


async def test_a_run_whose_grace_is_over_ends() -> None:
    run, _ = start([[TextPiece("a")], Gate(), [AnswerEnd("stop")]], Departure(0.02))
    with run.reader() as reader:
        await anext(reader.frames())
    assert await run.ended(5.0)


async def test_a_stopped_run_tells_its_readers_the_end() -> None:
    run, provider = start([[TextPiece("a")], Gate(), [AnswerEnd("stop")]], Departure(None))
    reading = asyncio.create_task(read_all(run))
    await grown(run, 1)
    run.end("stopped")
    assert await asyncio.wait_for(reading, 5) == b"a"
    assert provider.closed == 1


async def test_the_only_reader_slows_its_run_and_two_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEHIND", 10)
    many: Answer = [*([TextPiece("x" * 8)] for _ in range(50)), [AnswerEnd("stop")]]
    run, _ = start(many, Departure(0.0))
    with run.reader() as slow:
        await asyncio.sleep(0.02)
        assert run.log.size < 40
        frames = slow.frames()
        read = len(await anext(frames))
        await grown(run, read + 8)
        await asyncio.sleep(0.02)
        assert run.log.size < read + 40
        with run.reader():
            slow.offset += 1
            run.caught_up()
            assert await run.ended(5.0)
    assert run.log.size == 400


async def test_a_slow_reader_that_leaves_lets_its_run_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEHIND", 10)
    many: Answer = [*([TextPiece("x" * 8)] for _ in range(50)), [AnswerEnd("stop")]]
    run, provider = start(many, Departure(0.0))
    with run.reader(), contextlib.suppress(TimeoutError):
        await asyncio.sleep(0.02)
    assert await run.ended(5.0)
    assert provider.closed == 1


async def test_a_stream_that_cannot_be_told_on_ends_as_broken(caplog: pytest.LogCaptureFixture) -> None:
    def fail_at_b(batch: Batch) -> bytes:
        told = encode(batch)
        if told == b"b":
            raise ValueError("no such thing")
        return told

    provider = ScriptedProvider([[[TextPiece("a")], [TextPiece("b")], [AnswerEnd("stop")]]])
    run = build_run(build_route(provider, {"A": Player()}))
    broken = LiveRun(KEY, run, run.events(), Telling(fail_at_b, broken=b"[broken]"), Departure(None))
    assert await asyncio.wait_for(read_all(broken), 5) == b"a[broken]"
    assert broken.is_broken
    assert provider.closed == 1
    assert "the stream broke" in caplog.text


async def test_a_run_that_is_broken_off_before_it_began_ends_its_stream() -> None:
    provider = ScriptedProvider([])
    run = build_run(build_route(provider, {"A": Player()}))
    never = LiveRun(KEY, run, run.events(), Telling(encode, broken=b"[broken]"), Departure(None))
    never.task.cancel()
    assert await asyncio.wait_for(read_all(never), 5) == b"[broken]"


async def test_of_a_run_that_has_ended_nothing_is_kept_but_its_bytes() -> None:
    run, _ = start([[TextPiece("a")], [AnswerEnd("stop")]], Departure(None))
    conversation = weakref.ref(run._run)
    assert await run.ended(5.0)
    await asyncio.sleep(0)
    gc.collect()
    assert conversation() is None
    assert await read_all(run) == b"a"


async def test_who_stops_waiting_for_readers_to_leave_leaves_no_task_behind() -> None:
    run, _ = start([[TextPiece("a")], Gate(), [AnswerEnd("stop")]], Departure(None))
    with run.reader():
        before = asyncio.all_tasks()
        waiting = asyncio.create_task(run.deserted(60))
        staying = asyncio.create_task(run.deserted(60))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert asyncio.all_tasks() == {*before, staying}
    assert await asyncio.wait_for(staying, 5)
    assert await run.deserted(60), "nobody is there"
    run.end("stopped")
    assert await run.ended(5.0)
