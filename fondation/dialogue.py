"""The messages of a run: those that came with it, those that it makes, and which of them a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fondation.handoffs import TOOL_NAME
from fondation.messages import AssistantMessage, Message, SystemMessage, ToolResult, UserMessage


class Dialogue:
    """A conversation that grows. Each tool result stands behind its call, whatever is left out."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self._given = len(self._messages)
        self.dropped = 0
        """Messages that models do not read any more, because the whole did not fit."""

    def for_model(self, system: SystemMessage, last: int | None = None) -> list[Message]:
        """What a model reads: `last` limits the messages of earlier turns."""
        messages = self._messages[self.dropped :]
        if last is not None:
            messages = window(messages, last)
        return [system, *messages]

    def add(self, message: AssistantMessage, results: Mapping[str, ToolResult]) -> None:
        """A model turn, with the results of its calls in the model's order. A call that waits has none yet."""
        self._messages.append(message)
        self.add_results([results[call.id] for call in message.tool_calls if call.id in results])

    def add_results(self, results: Sequence[ToolResult]) -> None:
        """Results of calls that stand at the end of the conversation."""
        self._messages.extend(results)

    def shrink(self) -> bool:
        """Leave out the older half of the turns that models still read; False where only the newest is left."""
        starts = [
            place
            for place, message in enumerate(self._messages)
            if isinstance(message, UserMessage) and place >= self.dropped
        ]
        if len(starts) < 2:
            return False
        self.dropped = starts[(len(starts) + 1) // 2]
        return True

    @property
    def produced(self) -> tuple[Message, ...]:
        """What this run added, without its handoffs: those are not kept between turns."""
        kept = (_without_handoffs(message) for message in self._messages[self._given :])
        return tuple(message for message in kept if message is not None)


def window(messages: Sequence[Message], last: int) -> list[Message]:
    """The last messages, about `last` of them: it begins with a message of the user, and the newest turn is whole."""
    starts = [place for place, message in enumerate(messages) if isinstance(message, UserMessage)]
    fitting = [place for place in starts if len(messages) - place <= last]
    begin = fitting[0] if fitting else (starts[-1] if starts else 0)
    return list(messages[begin:])


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
