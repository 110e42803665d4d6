"""Calling the project's own functions: async ones on the loop, others in a thread of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pydantic

from fondation.context import RunContext
from fondation.entry_points import describe, load_entry_point
from fondation.errors import ToolError
from fondation.messages import Json
from fondation.threads import in_thread


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
