"""Chats as they are kept: values, and the contract of a store for them.

A chat's key is its owner (the user, else the session) and its id. A message is kept twice over: as the page shows it
(UI parts), and as the model wrote it (with reasoning that goes back to it), where that is more than the parts tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

from fondation.errors import FondationError
from fondation.messages import Json, Message

MessageStatus: TypeAlias = Literal["complete", "streaming", "waiting", "stopped", "failed", "cut"]
"""`streaming` while a run writes it; `waiting` for approvals or client tools; `cut` when its process died."""
WaitingKind: TypeAlias = Literal["approval", "client"]
Answered: TypeAlias = Literal["approved", "denied", "answered", "expired", "passed"]
"""`passed`: the user went on without answering."""
RunState: TypeAlias = Literal["under way", "ended", "abandoned"]
"""`abandoned` when its process died."""


class ChatKey(NamedTuple):
    owner: str
    id: str
    """The client's id of the chat."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    id: str
    role: Literal["user", "assistant"]
    parts: tuple[Json, ...]
    """UI message parts, as `useChat` shows them."""
    metadata: dict[str, Json] = field(default_factory=dict)
    model_messages: tuple[Message, ...] | None = None
    """What the model reads of it; None is what the parts say."""
    run_id: str | None = None
    status: MessageStatus = "complete"
    created_at: float = 0.0
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """What models read instead of the oldest messages of a chat."""

    text: str
    through: str
    """The id of the last message that it stands for."""


@dataclass(frozen=True, slots=True)
class ChatRun:
    """The newest run of a chat, as the processes that share the store tell each other of it."""

    id: str
    state: RunState
    is_ours: bool
    """It is, or was, this process's."""
    address: str | None
    """The Unix socket on which its process listens to the others; None where it does not."""
    began_at: float
    """Unix seconds."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether another living process has the chat's turn."""
        return self.state == "under way" and not self.is_ours


class ChatElsewhere(FondationError):
    """Another process has the chat's turn, or had one since the chat was loaded."""

    def __init__(self, run: ChatRun) -> None:
        super().__init__(f"the chat is another process's: {run.id}, {run.state}")
        self.run = run


@dataclass(frozen=True, slots=True)
class StoredChat:
    key: ChatKey
    title: str | None
    agent: str | None
    """The agent that answered last."""
    created_at: float
    updated_at: float
    messages: tuple[StoredMessage, ...]
    run: ChatRun | None = None
    """Its newest run, while it goes on and for some time after."""
    summary: StoredSummary | None = None


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """A chat in a list."""

    id: str
    title: str | None
    agent: str | None
    created_at: float
    updated_at: float
    messages: int
    excerpt: str
    """The first words of the user's first message, or the place that a search found."""


@dataclass(frozen=True, slots=True)
class ChatPage:
    chats: tuple[ChatSummary, ...]
    next: str | None
    """The cursor of the next page; None at the end."""


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A tool call that waits for a person or for the page. The arguments that run are these, whatever comes back."""

    id: str
    """The approval's id, also of a client tool's call."""
    message_id: str
    call_id: str
    tool: str
    arguments: str
    """JSON text."""
    agent: str
    kind: WaitingKind
    by: tuple[str, ...] = ()
    """Roles that may answer besides the chat's owner."""
    expires_at: float | None = None
    """Unix seconds."""


class ChatStore(Protocol):
    """Keeps chats. Every method is awaited on an event loop and does its work in a thread of the store's own.

    They raise `ChatStoreError` for what cannot be done.
    """

    async def load(self, key: ChatKey) -> StoredChat | None:
        """The chat with all its messages, oldest first; None where the owner has none of that id."""

    async def save(
        self,
        key: ChatKey,
        messages: Sequence[StoredMessage] = (),
        *,
        drop_from: str | None = None,
        agent: str | None = None,
        title: str | None = None,
        summary: StoredSummary | None = None,
    ) -> None:
        """In one transaction: create the chat where there is none, drop `drop_from` and all behind it, put the
        messages.

        A message whose id the chat has is replaced where it stands; others are appended. `agent`, `title` and `summary`
        are set where given. A summary that stands for a dropped message goes with it. An answer that is not `streaming`
        any more ends the turn of its run. While the database fails it is kept for later, and `load` tells it already.
        """

    async def begin(
        self,
        key: ChatKey,
        run_id: str,
        messages: Sequence[StoredMessage] = (),
        *,
        drop_from: str | None = None,
        seen: str | None = None,
        answers: Mapping[str, Answered] | None = None,
    ) -> bool:
        """Save, answer calls that wait, and have the chat's turn from then on, in one transaction; `seen` is the run's
        id that `load` told, `answers` what became of calls by their ids.

        False, with nothing saved, where one of those calls waits no more: an answer counts once. Raises
        `ChatElsewhere`, with nothing saved, where the turn is another living process's, or was meanwhile. The turn ends
        with the answer, by `end`, or with this process. Where calls are answered nothing is kept for later.
        """

    def announce(self, key: ChatKey, run_id: str, began_at: float) -> None:
        """Tell of a run whose chat is not kept here, unless the chat's turn is another living process's; written soon,
        and nobody waits for it.
        """

    def end(self, key: ChatKey, run_id: str) -> None:
        """The run has ended, or never began: what it was writing is `stopped`. Written soon, later while the database
        fails, and nobody waits.
        """

    async def run_of(self, key: ChatKey) -> ChatRun | None:
        """The newest run of a chat, also of one that is not kept, while it goes on and for some time after."""

    async def list(
        self, owner: str, *, search: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> ChatPage:
        """The owner's chats, newest first; `search` looks in titles and texts."""

    async def rename(self, key: ChatKey, title: str) -> bool:
        """False where there is no such chat."""

    async def entitle(self, key: ChatKey, title: str) -> bool:
        """Give a chat its first title. False where it has one, or where there is no such chat."""

    async def delete(self, key: ChatKey) -> bool:
        """Remove the chat with all that belongs to it. False where there is none.

        Raises `ChatElsewhere`, with nothing removed, while another living process answers it.
        """

    async def wait(self, key: ChatKey, calls: Sequence[WaitingCall]) -> None:
        """Keep calls that wait for an answer; later, while the database fails."""

    async def waiting(self, key: ChatKey) -> tuple[WaitingCall, ...]:
        """The chat's calls whose state is `waiting`, in the order in which the model made them, expired ones among
        them.
        """

    async def memory(self, owner: str, chat: str | None) -> str | None:
        """The working memory of a chat, or of the owner where `chat` is None."""

    async def remember(self, owner: str, chat: str | None, text: str) -> None:
        """Replace it."""

    async def mark_cut(self) -> int:
        """Messages that are `streaming` and belong to a dead process become `cut`; returns how many."""

    def close(self) -> None:
        """Finish what is under way and let go of the file. Blocks, for some seconds at most."""
