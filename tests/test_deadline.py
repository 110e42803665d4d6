"""A run's deadline: what it interrupts, and what it leaves alone."""

from __future__ import annotations

import asyncio

import pytest

from fondation.deadline import Deadline, DeadlineReached


async def _never() -> None:
    await asyncio.Event().wait()


async def test_what_is_ready_in_time_is_returned() -> None:
    deadline = Deadline(60)
    assert await deadline.wait(asyncio.sleep(0, "done")) == "done"
    deadline.close()


async def test_a_wait_ends_when_the_time_is_over() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(DeadlineReached) as reached:
        await deadline.wait(_never())
    assert reached.value.reason == "timeout"


async def test_the_server_can_end_a_wait_at_once() -> None:
    deadline = Deadline(60)
    asyncio.get_running_loop().call_soon(deadline.expire, "shutdown")
    with pytest.raises(DeadlineReached) as reached:
        await deadline.wait(_never())
    assert reached.value.reason == "shutdown"
    deadline.close()


async def test_the_first_reason_stays() -> None:
    deadline = Deadline(60)
    deadline.expire("shutdown")
    deadline.expire("timeout")
    with pytest.raises(DeadlineReached, match="shutdown"):
        await deadline.wait(_never())
    deadline.close()


async def test_every_later_wait_fails_without_beginning() -> None:
    deadline = Deadline(60)
    deadline.expire("timeout")
    for _ in range(2):
        with pytest.raises(DeadlineReached):
            await deadline.wait(_never())
    with pytest.raises(DeadlineReached):
        await deadline.wait(asyncio.get_running_loop().create_future())
    deadline.close()


async def test_it_leaves_alone_whoever_holds_the_run_between_two_waits() -> None:
    deadline = Deadline(60)
    await deadline.wait(asyncio.sleep(0))
    deadline.expire("timeout")
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    deadline.close()


async def test_after_it_interrupted_a_wait_the_task_is_not_being_cancelled() -> None:
    deadline = Deadline(0.01)
    with pytest.raises(DeadlineReached):
        await deadline.wait(_never())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    async with asyncio.timeout(1):
        await asyncio.sleep(0)


async def test_a_cancelled_task_is_cancelled_and_not_told_of_a_deadline() -> None:
    deadline = Deadline(60)
    task = asyncio.create_task(deadline.wait(_never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline.close()


async def test_a_task_cancelled_at_the_very_moment_of_the_deadline_is_cancelled() -> None:
    deadline = Deadline(60)
    task = asyncio.create_task(deadline.wait(_never()))
    await asyncio.sleep(0)
    deadline.expire("timeout")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    deadline.close()


async def test_an_error_of_what_is_awaited_comes_through() -> None:
    async def fail() -> None:
        raise ValueError("of its own")

    deadline = Deadline(60)
    with pytest.raises(ValueError, match="of its own"):
        await deadline.wait(fail())
    deadline.close()


async def test_a_closed_deadline_never_comes() -> None:
    deadline = Deadline(0.01)
    deadline.close()
    assert await deadline.wait(asyncio.sleep(0.03, "late")) == "late"
