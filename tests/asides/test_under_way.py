"""Questions in the background: known by name, ended with the server."""

from __future__ import annotations

import asyncio

import pytest

from fondation.asides import under_way
from fondation.asides.under_way import Asides
from fondation.deadline import Deadline, DeadlineReached


async def reason_of(deadline: Deadline) -> str:
    """Waits until the deadline; says why it came."""
    try:
        await deadline.wait(asyncio.Event().wait())
    except DeadlineReached as reached:
        return reached.reason
    raise AssertionError("there is no end to wait for")


async def test_a_question_is_known_by_its_name_until_it_is_answered() -> None:
    asides, answered = Asides(), asyncio.Event()

    async def ask(deadline: Deadline) -> str:
        await answered.wait()
        return "yes"

    task = asides.begin(ask, "c1")
    assert (asides.is_under_way("c1"), asides.is_under_way("c2")) == (True, False)
    answered.set()
    assert await task == "yes"
    await asyncio.sleep(0)
    assert not asides.is_under_way("c1")


async def test_each_has_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "SECONDS", 0.01)
    assert await Asides().begin(reason_of) == "timeout"


async def test_one_is_ended() -> None:
    asides = Asides()
    one, other = asides.begin(reason_of), asides.begin(reason_of)
    await asyncio.sleep(0)
    asides.end(one, "stopped")
    assert await one == "stopped"
    assert not other.done()
    await asides.end_all()
    assert other.result() == "shutdown"
    asides.end(other, "stopped")


async def test_those_that_do_not_end_are_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "LAST_WORDS_SECONDS", 0.01)
    asides = Asides()

    async def never(deadline: Deadline) -> None:
        await asyncio.Event().wait()

    task = asides.begin(never)
    await asides.end_all()
    assert task.cancelled()
    await asides.end_all()
