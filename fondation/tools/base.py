"""The contract of a tool: something that a model may call, wherever it is implemented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from fondation.context import RunContext
from fondation.messages import Json, ToolSpec


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a call is not run at once."""

    kind: Literal["approval", "client"]
    by: tuple[str, ...] = ()
    expires: float | None = None
    """Seconds."""


class Tool(Protocol):
    name: str
    spec: ToolSpec
    """What the model is told of it."""
    timeout: float
    """Seconds until a call is given up."""
    max_calls: int | None
    """The most calls in one run, with those that wait; None is no limit."""

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        """What a call with these arguments must wait for; None where it may run. Raises like `call`."""
        ...

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        """Run it and return a JSON value.

        Raises `ToolError` with a text for the model (unfit arguments among them); any other exception is a
        failure whose text stays in the log.
        """
        ...
