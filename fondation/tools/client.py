"""Tools that the page runs: the run waits for what it gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fondation.context import RunContext
from fondation.errors import ToolError
from fondation.messages import Json, ToolSpec
from fondation.tools.base import Wait

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from fondation.config import ToolConfig

MOST_COMPLAINTS = 5


class ClientTool:
    """A declaration behind the tool contract: arguments are checked here, and nothing is run."""

    def __init__(self, name: str, config: ToolConfig) -> None:
        from jsonschema import Draft202012Validator
        from referencing import Registry

        self.name = name
        self.timeout = config.timeout
        self.max_calls = config.max_calls
        parameters = config.parameters or {"type": "object", "properties": {}}
        self.spec = ToolSpec(name, config.description or "", parameters)
        # With a registry of its own: the default one would fetch a foreign $ref from the network.
        self._validator = Draft202012Validator(parameters, registry=Registry())

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        if errors := sorted(self._validator.iter_errors(arguments), key=lambda error: error.json_path):
            raise ToolError(_complaint(errors))
        return Wait("client")

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        raise ToolError("Only the page can run this tool.")


def _complaint(errors: Iterable[ValidationError]) -> str:
    """What is wrong with the arguments, in words that a model can act on."""
    problems = [f"{error.json_path.removeprefix('$').lstrip('.') or 'arguments'}: {error.message}" for error in errors]
    more = f"; and {len(problems) - MOST_COMPLAINTS} more" if len(problems) > MOST_COMPLAINTS else ""
    return f"Invalid arguments. {'; '.join(problems[:MOST_COMPLAINTS])}{more}"
