"""The window of an agent: whole messages of the chat, and never fewer than it asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fondation.dialogue import window
from fondation.messages import AssistantMessage, Message, TextPart, ToolCall, ToolResult, UserMessage

QUESTION: Message = UserMessage((TextPart("?"),))


def answer(*calls: int) -> list[Message]:
    """An answer that took a model turn for each of `calls`, which says how many calls it made; and a last one."""
    made: list[Message] = []
    for turn, count in enumerate(calls):
        ids = [f"{turn}.{number}" for number in range(count)]
        made.append(AssistantMessage("", tuple(ToolCall(id, "look", "{}") for id in ids)))
        made += [ToolResult(id, "look", "seen") for id in ids]
    return [*made, AssistantMessage("!")]


def test_an_answer_is_one_message_with_its_calls_and_results() -> None:
    messages = [QUESTION, *answer(2), QUESTION]
    assert window(messages, 3) == messages


def test_an_answer_comes_with_its_question() -> None:
    turn = [QUESTION, *answer(1)]
    assert window([*turn, *turn, QUESTION], 2) == [*turn, QUESTION]


def test_the_answer_that_is_written_does_not_count() -> None:
    earlier, newest = [QUESTION, *answer()], [QUESTION, *answer(1)[:-1]]
    assert window([*earlier, *newest], 1) == newest
    assert window([*earlier, *earlier, *newest], 3) == [*earlier, *newest]


def test_a_conversation_without_a_question_is_whole() -> None:
    assert window(answer(1), 1) == answer(1)
    assert window([], 1) == []


ANSWERS = st.lists(st.integers(1, 3), max_size=3).map(lambda calls: answer(*calls))
TURNS = st.lists(st.tuples(st.integers(1, 2), ANSWERS), max_size=6)


@given(TURNS, st.integers(1, 2), ANSWERS | st.just([]), st.integers(1, 15))
def test_a_window_is_whole_messages_and_as_many_as_asked_for(
    turns: list[tuple[int, list[Message]]], asked: int, begun: list[Message], last: int
) -> None:
    units: list[list[Message]] = []
    for questions, answered in turns:
        units += [[QUESTION]] * questions + [answered]
    units += [[QUESTION]] * asked
    read = window([message for unit in units for message in unit] + begun, last)
    kept = units[-last:] if len(units) > last else units
    exactly = [message for unit in kept for message in unit] + begun
    assert isinstance(read[0], UserMessage)
    assert read == exactly if isinstance(exactly[0], UserMessage) else read == [QUESTION, *exactly]
