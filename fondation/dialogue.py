"""The messages of a run: those that came with it, those that it makes, and which of them a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fondation.handoffs import TOOL_NAME
from fondation.messages import (
    AssistantMessage,
    ConversationSummary,
    Message,
    SystemMessage,
    TextPart,
    ToolResult,
    UserMessage,
)

_SUMMARY = "[The conversation before this message, in short]\n{text}\n[The message]"


class Dialogue:
    """A conversation that grows. Each tool result stands behind its call, whatever is left out."""

    def __init__(self, messages: Sequence[Message], summary: ConversationSummary | None = None) -> None:
        self._messages = list(messages)
        self._given = len(self._messages)
        self.dropped = 0
        """The oldest messages that models do not read any more, because the whole did not fit."""
        self.summary = summary
        """Read instead of the messages that it stands for, by agents that summarize."""
        self.summarized = 0
        """How many messages some model read as a summary."""

    def for_model(self, system: SystemMessage, last: int | None = None, summarized: bool = False) -> list[Message]:
        """What a model reads: `last` limits the messages of earlier turns; where `summarized`, with the summary."""
        messages = self._messages[self._begin(summarized) :]
        if last is not None:
            messages = window(messages, last)
        if summarized and self.summary is not None:
            self.summarized = self.summary.messages
            messages[:1] = [_behind(self.summary, message) for message in messages[:1]]
        return [system, *messages]

    def add(self, message: AssistantMessage, results: Mapping[str, ToolResult]) -> None:
        """A model turn, with the results of its calls in the model's order. A call that waits has none yet."""
        self._messages.append(message)
        self.add_results([results[call.id] for call in message.tool_calls if call.id in results])

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Results of calls that stand at the end of the conversation."""
        self._messages.extend(results)

    def can_shrink(self, summarized: bool) -> bool:
        """Whether more than the newest turn is read."""
        return bool(self.older_half(summarized)) or (summarized and self.summary is not None)

    def older_half(self, summarized: bool) -> Sequence[Message]:
        """The older half of the turns that are read as they are; empty where only the newest is left."""
        begin = self._begin(summarized)
        starts = [
            place for place, message in enumerate(self._messages) if isinstance(message, UserMessage) and place >= begin
        ]
        return self._messages[begin : starts[(len(starts) + 1) // 2]] if len(starts) > 1 else ()

    def drop(self, messages: int, summarized: bool) -> None:
        """Leave out the oldest of the messages that are read as they are."""
        self.dropped = self._begin(summarized) + messages

    def summarize(self, messages: int, text: str) -> ConversationSummary:
        """Put a summary in the place of the oldest of them, and of the summary before."""
        self.summary = ConversationSummary(text, self._begin(True) + messages)
        return self.summary

    def drop_summary(self) -> None:
        """Leave out the summary too, with all that it stands for."""
        self.dropped, self.summary, self.summarized = self._begin(True), None, 0

    @property
    def left_out(self) -> int:
        """How many messages models were not told, not even in a summary."""
        return max(0, self.dropped - self.summarized)

    def _begin(self, summarized: bool) -> int:
        """The first message that is read as it is."""
        reach = self.summary.messages if summarized and self.summary is not None else 0
        return max(self.dropped, reach)

    @property
    def produced(self) -> tuple[Message, ...]:
        """What this run added, without its handoffs: those are not kept between turns."""
        kept = (_without_handoffs(message) for message in self._messages[self._given :])
        return tuple(message for message in kept if message is not None)


def window(messages: Sequence[Message], last: int) -> list[Message]:
    """The newest `last` messages of the chat, where an answer is one with its calls and results.

    What already stands behind the newest message of the user is whole and does not count, so that a run reads the same
    window in all its steps. An answer comes with its question: the window begins with a message of the user where the
    conversation does.
    """
    counted = len(messages) - len(answer_so_far(messages))
    begins = [place for place in range(counted) if _begins_message(messages, place)]
    if len(begins) <= last:
        return list(messages)
    begin = begins[-last] if isinstance(messages[begins[-last]], UserMessage) else begins[-last - 1]
    return list(messages[begin:])


def _begins_message(messages: Sequence[Message], place: int) -> bool:
    """Whether a message of the chat begins there: one of the user, or the first of those that are an answer."""
    return isinstance(messages[place], UserMessage) or place == 0 or isinstance(messages[place - 1], UserMessage)


def answer_so_far(messages: Sequence[Message]) -> Sequence[Message]:
    """What stands behind the newest message of the user: the answer to it, as far as there is one."""
    newest = next((place for place, message in enumerate(reversed(messages)) if isinstance(message, UserMessage)), 0)
    return messages[len(messages) - newest :]


def _behind(summary: ConversationSummary, message: Message) -> Message:
    """The message with the summary before it: one message of the user, since many models want turns to alternate."""
    if not isinstance(message, UserMessage):
        return message
    return replace(message, parts=(TextPart(_SUMMARY.format(text=summary.text)), *message.parts))


def _without_handoffs(message: Message) -> Message | None:
    match message:
        case ToolResult(name=name) if name == TOOL_NAME:
            return None
        case AssistantMessage(text=text, tool_calls=calls) if any(call.name == TOOL_NAME for call in calls):
            kept = tuple(call for call in calls if call.name != TOOL_NAME)
            if not text and not kept:
                return None
            return AssistantMessage(text, kept, message.model)  # its reasoning led to the handoff
        case _:
            return message
