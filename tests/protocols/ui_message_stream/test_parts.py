"""What a model reads of parts, and that its calls are closed."""

from __future__ import annotations

from fondation.messages import AssistantMessage, Message, TextPart, ToolCall, ToolResult, UserMessage
from fondation.protocols.ui_message_stream.parts import assistant_messages, close_calls, read_parts
from fondation.tool_results import UNANSWERED

FIRST, SECOND = ToolCall("c1", "find", "{}"), ToolCall("c2", "find", "{}")
USER = UserMessage((TextPart("Hi"),))


def result(call_id: str, content: str = "ok") -> ToolResult:
    return ToolResult(call_id, "find", content)


def test_every_call_is_closed_right_behind_it_in_the_order_of_the_calls() -> None:
    asked = AssistantMessage("", (FIRST, SECOND))
    told: list[Message] = [asked, result("c2"), asked, USER, asked]
    assert [*close_calls(told)] == [
        *(asked, result("c1", UNANSWERED), result("c2")),
        *(asked, result("c1", UNANSWERED), result("c2", UNANSWERED)),
        USER,
        *(asked, result("c1", UNANSWERED), result("c2", UNANSWERED)),
    ]


def test_calls_of_the_same_id_have_a_result_each() -> None:
    asked = AssistantMessage("", (FIRST, FIRST))
    told: list[Message] = [asked, result("c1", "one"), result("c1", "two")]
    assert [*close_calls(told)] == told
    assert [*close_calls(told[:2])] == [*told[:2], result("c1", UNANSWERED)]


def test_a_result_without_its_call_is_left_out() -> None:
    assert [*close_calls([result("c0"), USER, result("c1")])] == [USER]


def test_a_call_without_an_outcome_has_no_result() -> None:
    parts = read_parts(
        [
            {"type": "tool-find", "toolCallId": "c1", "state": "input-available", "input": {}},
            {"type": "tool-find", "toolCallId": "c2", "state": "output-available", "input": {}, "output": "ok"},
        ]
    )
    assert [*assistant_messages(parts)] == [AssistantMessage("", (FIRST, SECOND)), result("c2")]
