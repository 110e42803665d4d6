"""The contract of a tool: something that a model may call, wherever it is implemented."""

from __future__ import annotations

from typing import Protocol

from fondation.context import RunContext
from fondation.messages import Json, ToolSpec


class Tool(Protocol):
    name: str
    spec: ToolSpec
    """What the model is told of it."""
    timeout: float
    """Seconds until a call is given up."""
    max_calls: int | None
    """The most calls in one run; None is no limit."""

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        """Run it and return a JSON value.

        Raises `ToolError` with a text for the model (unfit arguments among them); any other exception is a
        failure whose text stays in the log.
        """
        ...
