"""Tools that are Python functions of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.context import RunContext
from fondation.messages import Json, ToolSpec
from fondation.tools.approval import ApprovalRule
from fondation.tools.base import Wait
from fondation.tools.function import ProjectFunction
from fondation.tools.values import as_json

if TYPE_CHECKING:
    from fondation.config import ToolConfig


class PythonTool:
    """A function behind the tool contract. Its schema is made once, from hints and docstring."""

    def __init__(self, name: str, entry_point: str, config: ToolConfig) -> None:
        self.name = name
        self.timeout = config.timeout
        self.max_calls = config.max_calls
        self._function = ProjectFunction(entry_point)
        signature = self._function.signature
        self._approval = None if config.approval is None else ApprovalRule(config.approval, signature.defaults)
        self.spec = ToolSpec(name, config.description or signature.description, signature.parameters)

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        if self._approval is None:
            return None
        self._function.check(arguments)  # nobody is asked about a call that could not run
        return await self._approval.wait_for(arguments, context)

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        return as_json(await self._function.call(self._function.check(arguments), context))
