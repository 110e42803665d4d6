"""What a tool may know of the run that calls it, and what it may say to the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_PART_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _no_listener(name: str, data: Any, id: str | None, transient: bool) -> None:
    """Outside a run (a tool's own test) nobody reads data parts."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """The run around a tool call.

    A tool that declares one parameter of this type receives it; the model never sees that parameter.
    """

    run_id: str
    session_id: str
    agent: str
    """The name of the agent that called the tool."""
    user_id: str | None = None
    chat_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    """The route's declared context values, checked."""
    _emit: Callable[[str, Any, str | None, bool], None] = _no_listener

    def emit(self, name: str, data: Any, *, id: str | None = None, transient: bool = True) -> None:
        """Send a `data-NAME` part to the page, at once; safe from a thread too.

        `data` is sent as it is now: any JSON value, or what a tool may return. A transient part reaches `onData`
        only; a kept one (`transient=False`) becomes a part of the message, replaced by the next with the same `name`
        and `id`. Dropped where the tool's turn is over. Raises ValueError for a name that is none, and for data that
        is no JSON or larger than `limits.max_tool_result`.
        """
        if not _PART_NAME.fullmatch(name):
            raise ValueError(f"the name of a data part is letters, digits, _ and -, at most 64 of them, not {name!r}")
        self._emit(name, data, id, transient)
