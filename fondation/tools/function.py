"""Calling the project's own functions: async ones on the loop, others in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pydantic

from fondation.context import RunContext
from fondation.entry_points import describe, load_entry_point
from fondation.errors import ToolError
from fondation.messages import Json


class ProjectFunction:
    """An entry point, described once."""

    def __init__(self, entry_point: str) -> None:
        self._function: Callable[..., Any] = load_entry_point(entry_point)
        self.signature = describe(self._function)

    def check(self, arguments: dict[str, Json]) -> dict[str, object]:
        """The keyword arguments for a call. Raises `ToolError` with what is wrong, in words for a model."""
        try:
            return self.signature.validate(arguments)
        except pydantic.ValidationError as error:
            raise ToolError(_complaint(error)) from None

    async def call(self, keywords: dict[str, object], context: RunContext) -> Any:
        """Whatever the function returns, awaited where it has to be."""
        if self.signature.context_parameter is not None:
            keywords = {**keywords, self.signature.context_parameter: context}
        bound = partial(self._function, **keywords)
        result = await (bound() if self.signature.is_async else in_thread(bound))
        if inspect.isawaitable(result):  # of a plain function around an async one
            result = await result
        return result


def _complaint(error: pydantic.ValidationError) -> str:
    """What is wrong with the arguments, in words that a model can act on."""
    problems = (
        f"{'.'.join(str(step) for step in problem['loc']) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return "Invalid arguments. " + "; ".join(problems)


async def in_thread(function: Callable[[], Any]) -> Any:
    """Call a blocking function in a daemon thread.

    Not in a pool: a tool that hangs past its timeout is abandoned there, and must neither starve the others nor hold
    up the end of the process.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def deliver(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = context.run(function)
        except StopIteration as stop:
            error = RuntimeError(f"the tool raised StopIteration: {stop}")  # a future cannot hold one
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    context = contextvars.copy_context()
    threading.Thread(target=work, name="fondation-tool", daemon=True).start()
    return await future
