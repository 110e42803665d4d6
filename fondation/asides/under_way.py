"""The questions of a process that are under way beside its runs, and outlive them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

from fondation.deadline import Deadline, Reason

T = TypeVar("T")

SECONDS = 30.0
"""How long a question may take, retries included."""
LAST_WORDS_SECONDS = 6.0
"""How long one that was told to end may take: a call without headers is awaited 5 s for its generation id."""


class Asides:
    """Each question is a task of its own, with a deadline of its own."""

    def __init__(self) -> None:
        self._deadlines: dict[asyncio.Task[Any], Deadline] = {}
        self._named: dict[Hashable, asyncio.Task[Any]] = {}

    def is_under_way(self, name: Hashable) -> bool:
        return name in self._named

    def begin(self, ask: Callable[[Deadline], Coroutine[Any, Any, T]], name: Hashable = None) -> asyncio.Task[T]:
        """Ask in the background. The task never needs to be awaited; by its `name` it is known to be under way."""
        deadline = Deadline(SECONDS)
        task = asyncio.create_task(ask(deadline))
        self._deadlines[task] = deadline
        if name is not None:
            self._named[name] = task
        task.add_done_callback(lambda _: self._forget(task, name))
        return task

    def end(self, task: asyncio.Task[Any], reason: Reason) -> None:
        """End what is under way of one question."""
        if (deadline := self._deadlines.get(task)) is not None:
            deadline.expire(reason)

    async def end_all(self) -> None:
        """End them all; those that do not in time are broken off."""
        tasks = [*self._deadlines]
        for task in tasks:
            self.end(task, "shutdown")
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=LAST_WORDS_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, task: asyncio.Task[Any], name: Hashable) -> None:
        self._deadlines.pop(task).close()
        self._named.pop(name, None)
