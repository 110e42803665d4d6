"""Which calls of a tool wait for a person's yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fondation.context import RunContext
from fondation.messages import Json
from fondation.tools.base import Wait
from fondation.tools.function import ProjectFunction

if TYPE_CHECKING:
    from fondation.config.tools import Approval


class ApprovalRule:
    """A tool's `approval`, ready to be asked."""

    def __init__(self, config: Approval) -> None:
        self._wait = Wait("approval", tuple(config.by), config.expires)
        self._when = None if config.when is None else ProjectFunction(config.when)

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        """What the call waits for; None where it may run at once.

        The function of `when` is given those of the arguments that it has parameters for. Whatever it raises is
        raised here: a call that cannot be judged does not run.
        """
        if self._when is None:
            return self._wait
        known = self._when.signature.parameters["properties"]
        keywords = self._when.check({name: value for name, value in arguments.items() if name in known})
        return self._wait if await self._when.call(keywords, context) else None
