"""What a request body says, whichever protocol it came in."""

from __future__ import annotations

from dataclasses import dataclass

from fondation.messages import Json, Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a body says."""

    messages: tuple[Message, ...]
    text: str
    """The user's newest message."""
    chat_id: str | None
    user_message_id: str | None
    """The client's id of that message; None where it has none."""
    continues: str | None
    """The id of the assistant message that the answer goes on with; None for a new one."""
    last_agent: str | None
    """The agent that answered last, as the client remembers it."""
    context: dict[str, Json]
    agent_choice: str | None
