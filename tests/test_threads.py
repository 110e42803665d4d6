from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from fondation.threads import in_thread

name: contextvars.ContextVar[str] = contextvars.ContextVar("name")


async def test_a_function_runs_in_a_daemon_thread_and_its_result_comes_back() -> None:
    assert await in_thread(lambda: 7) == 7
    thread: threading.Thread = await in_thread(threading.current_thread)
    assert thread is not threading.main_thread()
    assert thread.daemon


async def test_it_sees_the_context_of_its_caller() -> None:
    name.set("Ann")
    assert await in_thread(name.get) == "Ann"


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
async def test_what_it_raises_is_raised(error: BaseException) -> None:
    def fail() -> Any:
        raise error

    with pytest.raises(type(error)):
        await in_thread(fail)


async def test_the_one_exception_that_no_future_holds_is_told_as_another() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_thread(lambda: next(iter([])))


async def test_one_that_nobody_waits_for_any_more_harms_nobody() -> None:
    released = threading.Event()
    waiting = asyncio.create_task(in_thread(released.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    released.set()
    assert await in_thread(lambda: "well") == "well"
