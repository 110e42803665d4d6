"""Which calls of a tool wait for a person's yes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fondation.context import RunContext
from fondation.errors import ToolError
from fondation.messages import Json
from fondation.tools.base import Wait
from fondation.tools.function import ProjectFunction

if TYPE_CHECKING:
    from fondation.config.tools import Approval

log = logging.getLogger("fondation.tools")


class ApprovalRule:
    """A tool's `approval`, ready to be asked."""

    def __init__(self, config: Approval, defaults: Mapping[str, object]) -> None:
        """`defaults` are what the tool takes for arguments that a call leaves out."""
        self._wait = Wait("approval", tuple(config.by), config.expires)
        self._entry_point = config.when
        self._defaults = defaults
        self._when = None if config.when is None else ProjectFunction(config.when)

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        """What the call waits for; None where it may run at once.

        The function of `when` is given those of the arguments that it has parameters for. Where it cannot be called or
        raises, this raises too: a call that cannot be judged does not run. No bool is no judgement: the call waits.
        """
        if self._when is None:
            return self._wait
        try:
            verdict = await self._when.call(self._keywords(self._when, arguments), context)
        except ToolError as error:  # its text is not for the model, which can mend nothing here
            raise RuntimeError(f"{self._entry_point} does not say whether a call must wait: {error}") from error
        if not isinstance(verdict, bool):
            log.error("%s returned %s, not True or False: the call waits", self._entry_point, type(verdict).__name__)
        return None if verdict is False else self._wait

    def _keywords(self, when: ProjectFunction, arguments: Mapping[str, Json]) -> dict[str, object]:
        """Those of a call's arguments that `when` has parameters for. Raises `ToolError` where they do not fit."""
        known = when.signature.parameters["properties"]
        given = {**self._defaults, **arguments}
        return when.check({name: value for name, value in given.items() if name in known})
