"""A request meets the chat that is kept: which messages stay, which go, and what the model reads of them.

The server's record is the truth. Of a body count its newest user message and its answers to calls that wait; what it
says of earlier messages is believed only where the server has no such chat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fondation.errors import RequestError
from fondation.messages import ConversationSummary, Message, UserMessage
from fondation.protocols.conversation import (
    LONGEST_ID,
    NO_MESSAGE,
    ApprovalAnswer,
    Conversation,
    SentMessage,
    ToolOutput,
    is_id,
    unfit_id,
)
from fondation.protocols.ui_message_stream.assemble import settled
from fondation.protocols.ui_message_stream.parts import (
    assistant_messages,
    close_calls,
    read_parts,
    text_of,
    user_parts,
)
from fondation.stores.chats import StoredChat, StoredMessage, StoredSummary
from fondation.tool_results import UNANSWERED


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What a request does to its chat: save `put`, drop from `drop_from` on, and let a run write `message_id`."""

    kept: tuple[StoredMessage, ...]
    """The chat's messages up to the run's own, its question included, as they shall be."""
    drop_from: str | None
    """The stored message from which on the chat is dropped, before anything is put."""
    put: tuple[StoredMessage, ...]
    """Those of `kept` that are new or not as they were."""
    messages: tuple[Message, ...]
    """The conversation for the model. Each result stands behind its call; where a message is continued, its last calls
    may lack theirs.
    """
    sources: tuple[str, ...]
    """Of each of `messages` the id of the kept message with which it begins."""
    text: str
    """The user's newest message."""
    message_id: str
    """The id of the assistant message to write."""
    continued: StoredMessage | None = None
    """That message as it is, where the run goes on with one."""
    made_id: str | None = None
    """The id of the user's message, where it was made here."""
    last_agent: str | None = None
    """The agent that answered last."""
    approvals: tuple[ApprovalAnswer, ...] = ()
    tool_outputs: tuple[ToolOutput, ...] = ()
    """Answers that a continued message may wait for. A plan without `continued` leaves every waiting call of the chat
    unanswered for good.
    """
    summary: ConversationSummary | None = None
    """Of the first of `messages`, where an earlier run made one that still holds."""

    def stored_summary(self, summary: ConversationSummary) -> StoredSummary | None:
        """A summary of the first of `messages` as the chat keeps it; None where it stands for nothing."""
        next = _find(self.kept, self.sources[summary.messages])
        return StoredSummary(summary.text, self.kept[next - 1].id) if next else None


def plan_turn(stored: StoredChat | None, conversation: Conversation, now: float, new_id: Callable[[], str]) -> TurnPlan:
    """What the request says to the chat; `now` in Unix seconds, `new_id` makes ids of messages.

    Raises `RequestError`: 409 for a message that the chat does not have, 400 for a request that asks nothing.
    """
    if _goes_on(conversation):
        return _continue(stored, conversation)
    return _ask(stored, conversation, now, new_id)


def brings_all(conversation: Conversation) -> bool:
    """Whether a body can be answered by itself: it has the conversation, and no answer that only the chat can check."""
    return conversation.is_whole and not _goes_on(conversation)


def _goes_on(conversation: Conversation) -> bool:
    """Whether the request continues an answer instead of asking for one."""
    if conversation.regenerates:
        return False
    if not conversation.sent or conversation.sent[-1].role == "assistant":
        return True
    if conversation.approvals or conversation.tool_outputs:
        raise RequestError(400, "Send a message, or answers to waiting calls, not both")
    return False


def _continue(stored: StoredChat | None, conversation: Conversation) -> TurnPlan:
    known = stored.messages if stored is not None else ()
    last = known[-1] if known else None
    wanted = conversation.message_id or conversation.continues or (last.id if last else None)
    place = _find(known, wanted)
    if stored is None or last is None or place is None:
        raise _unknown(wanted)
    if known[place].role != "assistant":
        raise RequestError(409, f"Message {wanted!r} is no answer: there is nothing to go on with")
    if known[place] is not last:
        raise RequestError(409, f"The chat has gone on since message {wanted!r}: load the chat again")
    messages, sources = _conversation(known, continued=True)
    return TurnPlan(
        kept=known,
        drop_from=None,
        put=(),
        messages=messages,
        sources=sources,
        text=_last_text(known),
        message_id=last.id,
        continued=last,
        last_agent=_last_agent(known, stored, conversation),
        approvals=conversation.approvals,
        tool_outputs=conversation.tool_outputs,
        summary=_summary(stored, known, messages, sources),
    )


def _ask(stored: StoredChat | None, conversation: Conversation, now: float, new_id: Callable[[], str]) -> TurnPlan:
    asked, before = _question(conversation.sent)
    known = stored.messages if stored is not None else tuple(_adopted(before, now, new_id))
    wanted, regenerates = _wanted(known, conversation, asked, is_new=stored is None), conversation.regenerates
    if wanted is None and stored is not None:
        wanted, regenerates = _named(known, conversation, asked)
    if regenerates:
        place, asked = _regenerate(known, wanted, asked, is_new=stored is None)
    else:
        place = _submit(known, wanted, asked)
    stays = tuple(_passed(message) for message in known[:place])
    question = _stored_question(asked, conversation, stays, now, new_id)
    kept = stays if question is None else (*stays, question)
    if not any(message.role == "user" for message in kept):
        raise RequestError(400, NO_MESSAGE)
    messages, sources = _conversation(kept)
    return TurnPlan(
        kept=kept,
        drop_from=known[place].id if stored is not None and place < len(known) else None,
        put=_changed(kept, stored),
        messages=messages,
        sources=sources,
        text=_last_text(kept),
        message_id=new_id(),
        made_id=question.id if question is not None and question.id not in _clients_ids(conversation) else None,
        last_agent=_last_agent(stays, stored, conversation),
        summary=_summary(stored, stays, messages, sources),
    )


def _question(sent: Sequence[SentMessage]) -> tuple[SentMessage | None, Sequence[SentMessage]]:
    """The body's newest message of the user, and what stands before it."""
    for place in reversed(range(len(sent))):
        if sent[place].role == "user":
            return sent[place], sent[:place]
    return None, ()


def _adopted(sent: Iterable[SentMessage], now: float, new_id: Callable[[], str]) -> Iterator[StoredMessage]:
    """What a client tells of a chat that the server does not have."""
    taken: set[str] = set()
    for message in sent:
        if not message.parts:
            continue
        id = message.id if message.id is not None and is_id(message.id) and message.id not in taken else new_id()
        taken.add(id)
        yield StoredMessage(id, message.role, message.parts, created_at=now)


def _wanted(
    known: Sequence[StoredMessage], conversation: Conversation, asked: SentMessage | None, *, is_new: bool
) -> int | None:
    """The place of the message that the request names; None where it names none, or its own first one."""
    id = conversation.message_id
    place = _find(known, id)
    if id is not None and place is None and not (is_new and asked is not None and asked.id == id):
        raise _unknown(id)
    return place


def _named(
    known: Sequence[StoredMessage], conversation: Conversation, asked: SentMessage | None
) -> tuple[int | None, bool]:
    """The place that a page means which gives its messages no ids and sends them all, and whether it wants an answer
    anew: it sends an earlier message of the user once more or otherwise, and what stands before it.

    One message alone may be all that its sender ever sends: it means the chat's end, unless all of it is the same.
    """
    if not conversation.is_whole or conversation.message_id or any(message.id for message in conversation.sent):
        return None, conversation.regenerates
    places = [place for place, message in enumerate(known) if message.role == "user"]
    stored = [known[place].parts for place in places]
    sent = [message.parts for message in conversation.sent if message.role == "user"]
    is_earlier = 0 < len(sent) <= len(stored) and sent[:-1] == stored[: len(sent) - 1]
    if asked is None or not is_earlier or (len(sent) == 1 and sent != stored):
        return None, conversation.regenerates
    is_same = asked.parts == stored[len(sent) - 1]
    return places[len(sent) - 1], is_same or conversation.regenerates


def _submit(known: Sequence[StoredMessage], wanted: int | None, asked: SentMessage | None) -> int:
    """Where the user's message stands: in place of the one it edits, or that has its id, else at the end."""
    place = _find(known, asked.id) if wanted is None and asked is not None else wanted
    if place is None:
        return len(known)
    if known[place].role != "user":
        raise RequestError(409, f"Message {known[place].id!r} is an answer: a user's message cannot replace it")
    return place


def _regenerate(
    known: Sequence[StoredMessage], wanted: int | None, asked: SentMessage | None, *, is_new: bool
) -> tuple[int, SentMessage | None]:
    """Where the new answer stands; or where its question does, where that never came here as the client has it."""
    if wanted is None and asked is not None and (asked.id is not None or is_new):
        wanted = _find(known, asked.id)
        if wanted is None:
            return len(known), asked
    if wanted is None:
        wanted = max((place for place, message in enumerate(known) if message.role == "user"), default=None)
    if wanted is None:
        return 0, None
    place = wanted if known[wanted].role == "assistant" else wanted + 1
    if asked is not None and place and known[place - 1].id == asked.id and known[place - 1].parts != asked.parts:
        return place - 1, asked
    return place, None


def _stored_question(
    asked: SentMessage | None,
    conversation: Conversation,
    stays: Sequence[StoredMessage],
    now: float,
    new_id: Callable[[], str],
) -> StoredMessage | None:
    if asked is None:
        return None
    id = asked.id or conversation.message_id or new_id()
    if not is_id(id):
        raise unfit_id("the message's id")
    if _find(stays, id) is not None:
        raise RequestError(409, f"The chat has another message {id!r} already")
    return StoredMessage(id, "user", asked.parts, created_at=now)


def _clients_ids(conversation: Conversation) -> set[str | None]:
    return {conversation.message_id, *(message.id for message in conversation.sent)}


def _changed(kept: Iterable[StoredMessage], stored: StoredChat | None) -> tuple[StoredMessage, ...]:
    """Those that the store does not have as they are."""
    known = {message.id: message for message in stored.messages} if stored is not None else {}
    return tuple(message for message in kept if known.get(message.id) is not message)


def _passed(message: StoredMessage) -> StoredMessage:
    """The same message; one that waits is told that the user went on."""
    if message.status != "waiting":
        return message
    return replace(
        message,
        parts=settled(message.parts, UNANSWERED),
        model_messages=tuple(close_calls(model_messages(message))),
        status="complete",
    )


def _conversation(
    messages: Sequence[StoredMessage], *, continued: bool = False
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """What the model reads, and the stored message with which each of it begins. Messages of the user that follow each
    other, the answer between them having failed, are one: many models want turns to alternate.
    """
    read: list[Message] = []
    sources: list[str] = []
    for message in messages:
        told = model_messages(message)
        is_open = continued and message is messages[-1]
        for each in told if is_open else close_calls(told):
            before = read[-1] if read else None
            if isinstance(each, UserMessage) and isinstance(before, UserMessage):
                read[-1] = UserMessage((*before.parts, *each.parts), each.id)
            else:
                read.append(each)
                sources.append(message.id)
    return tuple(read), tuple(sources)


def _summary(
    stored: StoredChat | None, stays: Sequence[StoredMessage], messages: Sequence[Message], sources: Sequence[str]
) -> ConversationSummary | None:
    """The chat's summary, where all that it stands for stays."""
    kept = stored.summary if stored is not None else None
    last = _find(stays, kept.through) if kept is not None else None
    if kept is None or last is None:
        return None
    covered = {message.id for message in stays[: last + 1]}
    count = sum(source in covered for source in sources)
    follows = count < len(messages) and isinstance(messages[count], UserMessage)
    return ConversationSummary(kept.text, count) if count and follows else None


def model_messages(message: StoredMessage) -> Iterable[Message]:
    """What a model reads of a message that is kept."""
    if message.model_messages is not None:
        return message.model_messages
    if message.role == "assistant":
        return assistant_messages(read_parts(message.parts if message.status == "waiting" else settled(message.parts)))
    of_user = user_parts(read_parts(message.parts))
    return [UserMessage(of_user, message.id)] if of_user else []


def _last_text(messages: Sequence[StoredMessage]) -> str:
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    return text_of(read_parts(last.parts)) if last is not None else ""


def _last_agent(messages: Sequence[StoredMessage], stored: StoredChat | None, conversation: Conversation) -> str | None:
    """Who answered the chat last, as far as its `messages` stay; of a new chat the client may know."""
    if stored is None:
        return conversation.last_agent
    if len(messages) == len(stored.messages) and stored.agent is not None:
        return stored.agent
    last = next((message for message in reversed(messages) if message.role == "assistant"), None)
    agent = last.metadata.get("agent") if last is not None else None
    return agent if isinstance(agent, str) else None


def _find(messages: Sequence[StoredMessage], id: str | None) -> int | None:
    return next((place for place, message in enumerate(messages) if message.id == id), None)


def _unknown(id: str | None) -> RequestError:
    if id is None:
        return RequestError(409, "The chat has no answer to go on with")
    return RequestError(409, f"The chat has no message {id[:LONGEST_ID]!r}: load the chat again")
