"""What a request body says, whichever protocol it came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fondation.errors import RequestError
from fondation.messages import Json, Message

NO_MESSAGE = "No message provided"
LONGEST_ID = 128


def is_id(text: str) -> bool:
    """Whether a client may name something so."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def unfit_id(name: str) -> RequestError:
    """What is wrong with a text that is no id; `name` is that of its field."""
    return RequestError(400, f"{name}: at most {LONGEST_ID} printable characters")


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message of a body, as a chat would keep it."""

    role: Literal["user", "assistant"]
    id: str | None
    """The client's id; None where it has none."""
    parts: tuple[Json, ...]
    """The UI parts that a client is believed: text and files, and a user's data parts."""
    text: str = ""
    messages: tuple[Message, ...] = ()
    """What a model reads of these parts."""


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """A person's yes or no to a call that waits for it."""

    id: str
    """The approval's id."""
    approved: bool
    reason: str | None = None
    input: Json = None
    """The call's arguments, where the answer brought them along."""
    is_history: bool = False
    """Whether it was found in a posted answer, where those to calls of long ago stand too."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What a page's tool gave, or why it failed.

    Found in a posted answer, where a page sends back what the server ran too: only the call ids that wait tell which
    are meant.
    """

    call_id: str
    output: Json = None
    error: str | None = None
    input: Json = None
    """The call's arguments, where the output came with them."""
    is_history: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a body says."""

    messages: tuple[Message, ...]
    text: str
    """The user's newest message; empty where it is files only, or where the body brings none."""
    chat_id: str | None
    user_message_id: str | None
    """The client's id of that message; None where it has none."""
    continues: str | None
    """The id of the assistant message that the answer goes on with; None for a new one."""
    last_agent: str | None
    """The agent that answered last, as the client remembers it."""
    context: dict[str, Json]
    agent_choice: str | None
    sent: tuple[SentMessage, ...] = ()
    """The body's messages, in their order."""
    is_whole: bool = False
    """Whether they are a list, as of a page that sends all that it shows."""
    regenerates: bool = False
    """Whether an answer is to be given anew."""
    message_id: str | None = None
    """The message that an edit replaces, a regeneration drops, or an answer goes on with."""
    approvals: tuple[ApprovalAnswer, ...] = ()
    tool_outputs: tuple[ToolOutput, ...] = ()
