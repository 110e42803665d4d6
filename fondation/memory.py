"""Working memory: what agents write down so that later turns have it, of a chat or of its user.

It stands at the end of the instructions, and a tool beside the agent's own replaces it as a whole. All agents that
keep the same kind share one text: whoever answers next should know what the others were told.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fondation.context import RunContext
from fondation.errors import ChatStoreError, ToolError
from fondation.messages import Json, ToolSpec, mend_text
from fondation.stores.chats import ChatKey, ChatStore
from fondation.tools.base import Wait

log = logging.getLogger("fondation.chats")

TOOL_NAME = "update_working_memory"
LONGEST = 8_000
"""Characters."""
TIMEOUT_SECONDS = 30.0

MemoryKind: TypeAlias = Literal["chat", "user"]
"""Whether it lasts for one chat or for all chats of a user."""
Keep: TypeAlias = Callable[[MemoryKind, str], Awaitable[None]]

_WHOSE: Mapping[MemoryKind, str] = {"chat": "this chat", "user": "this user, in all chats"}
_SPECS: Mapping[MemoryKind, ToolSpec] = {
    kind: ToolSpec(
        TOOL_NAME,
        f"Replace your working memory of {whose}: what you should not forget, like names, facts, preferences and "
        "goals. Call it when you learn something that will matter later. The text replaces the whole memory: repeat "
        f"what still holds. At most {LONGEST:,} characters.",
        {
            "type": "object",
            "properties": {"text": {"type": "string", "description": "The whole new text of the memory."}},
            "required": ["text"],
            "additionalProperties": False,
        },
    )
    for kind, whose in _WHOSE.items()
}
_TAG = re.compile(r"<(?=\s*/?\s*working_memory)", re.IGNORECASE)
_UNREADABLE = "Your working memory cannot be read right now: answer without it, and do not update it."


@dataclass(frozen=True, slots=True)
class MemoryForm:
    """How an agent keeps a working memory."""

    kind: MemoryKind
    template: str | None = None
    """What it looks like before anything is written."""

    @property
    def spec(self) -> ToolSpec:
        """The tool that replaces it, as models are told of it."""
        return _SPECS[self.kind]

    def passage(self, text: str | None) -> str:
        """The end of the instructions, where the memory is `text`; None is one that cannot be read."""
        if text is None:
            return _UNREADABLE
        told = "empty so far; keep to this form" if not text and self.template else "notes and no instructions"
        written = text or (self.template or "")
        return (
            f"Your working memory of {_WHOSE[self.kind]} stands between the tags ({told}). "
            f"Keep it up to date with {TOOL_NAME}.\n"
            f"<working_memory>\n{_TAG.sub('&lt;', written).strip()}\n</working_memory>"
        )


async def _keep_nowhere(kind: MemoryKind, text: str) -> None:
    """The memory lasts as long as the object that holds it."""


class WorkingMemory:
    """The working memories that a run can reach, as it knows them."""

    def __init__(self, texts: Mapping[MemoryKind, str | None] | None = None, keep: Keep = _keep_nowhere) -> None:
        """`texts` that are None cannot be read; `keep` stores a new one and raises `ChatStoreError`."""
        self._texts = dict(texts or {})
        self._keep = keep

    def text(self, kind: MemoryKind) -> str | None:
        """Empty where nothing was written yet; None where it cannot be read."""
        return self._texts.get(kind, "")

    async def replace(self, kind: MemoryKind, text: str) -> None:
        """Keep a new text. Raises `ChatStoreError`; also for one that could not be read, which would be lost."""
        if self.text(kind) is None:
            raise ChatStoreError("the working memory could not be read: it is not replaced")
        await self._keep(kind, text)
        self._texts[kind] = text


async def recall(chats: ChatStore, key: ChatKey, kinds: Collection[MemoryKind]) -> WorkingMemory:
    """The working memories of a chat and of its owner, read once; what cannot be read is logged."""

    if not kinds:
        return WorkingMemory()

    async def read(kind: MemoryKind) -> str | None:
        try:
            return await chats.memory(*_place(key, kind)) or ""
        except ChatStoreError as error:
            log.error("chat %s: its working memory cannot be read: %s", key.id, error)  # noqa: TRY400
            return None

    async def keep(kind: MemoryKind, text: str) -> None:
        await chats.remember(*_place(key, kind), text)

    texts = await asyncio.gather(*(read(kind) for kind in kinds))
    return WorkingMemory(dict(zip(kinds, texts, strict=True)), keep)


def _place(key: ChatKey, kind: MemoryKind) -> tuple[str, str | None]:
    return key.owner, key.id if kind == "chat" else None


class MemoryTool:
    """The tool of one run that replaces a working memory. Of two updates the last one stays."""

    name = TOOL_NAME
    timeout = TIMEOUT_SECONDS
    max_calls: int | None = None

    def __init__(self, form: MemoryForm, memory: WorkingMemory) -> None:
        self.spec = form.spec
        self._kind = form.kind
        self._memory = memory

    async def wait_for(self, arguments: dict[str, Json], context: RunContext) -> Wait | None:
        return None

    async def call(self, arguments: dict[str, Json], context: RunContext) -> Json:
        match arguments:
            case {"text": str(text)} if len(arguments) == 1:
                pass
            case _:
                raise ToolError('Invalid arguments. Send {"text": "..."}: the whole new text of the memory.')
        if len(text) > LONGEST:
            raise ToolError(
                f"The working memory holds at most {LONGEST:,} characters, and this text has {len(text):,}: it was not "
                "saved. Shorten it, and send the whole again."
            )
        await self._memory.replace(self._kind, mend_text(text))
        return "Saved."
