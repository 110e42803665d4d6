"""Request bodies of major 4: what `useChat` posts becomes the same conversation as a later major's body."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.errors import RequestError
from fondation.messages import AssistantMessage, FilePart, Message, TextPart, ToolCall, ToolResult, UserMessage
from fondation.protocols.conversation import ApprovalAnswer, Conversation, ToolOutput
from fondation.protocols.data_stream import decode


def read(body: Any) -> Conversation:
    return decode(body if isinstance(body, bytes) else msgspec.json.encode(body))


def refused(body: Any) -> str:
    with pytest.raises(RequestError) as error:
        read(body)
    assert error.value.status == 400
    return str(error.value)


def user(text: str = "Hi", **more: Any) -> dict[str, Any]:
    """As `useChat` posts it: without an id."""
    return {"role": "user", "content": text, "parts": [{"type": "text", "text": text}], **more}


def assistant(*parts: dict[str, Any], content: str = "", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "parts": [{"type": "step-start"}, *parts], **more}


def invocation(state: str = "result", id: str = "c1", step: int | None = 0, **more: Any) -> dict[str, Any]:
    told = {"state": state, "toolCallId": id, "toolName": "lookup", "args": {"q": 1}, **more}
    return told if step is None else {**told, "step": step}


def tool(*args: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool-invocation", "toolInvocation": invocation(*args, **more)}


def said(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


HI = UserMessage((TextPart("Hi"),))
CALL = ToolCall("c1", "lookup", '{"q":1}')
RESULT = ToolResult("c1", "lookup", '{"found":2}')
FOUND = {"found": 2}


def answers(*messages: Any) -> tuple[Message, ...]:
    """What a model reads between two questions."""
    conversation = read({"id": "c1", "messages": [user(), *messages, user("And now?")]})
    assert conversation.messages[0] == HI
    return conversation.messages[1:-1]


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c1", "messages": [user()]},
        {"id": "c1", "messages": [{"role": "user", "content": "Hi"}], "data": {"x": 1}},
        {"id": "c1", "messages": [{"role": "user", "content": "Hi", "parts": []}]},
        {"id": "c1", "message": "Hi"},
        {"id": "c1", "message": {"role": "user", "content": "Hi"}},
        {"id": "c1", "message": user(createdAt="2026-01-01T00:00:00.000Z")},
        {"id": "c1", "message": {"role": "user", "parts": [said("Hi")]}},
        {"id": "c1", "message": {"role": "user", "content": [said("Hi")]}},
        {"id": "c1", "messages": [{"role": "data", "content": "", "data": {"x": 1}}, user()]},
    ],
)
def test_every_way_to_say_one_message_is_understood(body: Any) -> None:
    conversation = read(body)
    assert conversation.messages == (HI,)
    assert (conversation.text, conversation.chat_id, conversation.user_message_id) == ("Hi", "c1", None)
    assert conversation.continues is None


def test_ids_are_taken_where_a_page_sends_them() -> None:
    conversation = read({"messages": [user("Hi", id="u1"), assistant(said("Yes"), id="a1")]})
    assert (conversation.user_message_id, conversation.continues) == ("u1", "a1")


def test_a_text_is_read_once_though_it_stands_twice() -> None:
    assert answers(assistant(said("Yes"), content="Yes")) == (AssistantMessage("Yes"),)
    assert answers({"role": "assistant", "content": "Yes"}) == (AssistantMessage("Yes"),)


def test_a_tools_result_stands_behind_its_call_and_before_the_answer() -> None:
    told = assistant(said("Wait."), tool(result=FOUND), {"type": "step-start"}, said("Two."), content="Wait.Two.")
    assert answers(told) == (AssistantMessage("Wait.", (CALL,)), RESULT, AssistantMessage("Two."))


def test_steps_are_known_without_their_starts() -> None:
    second = ToolCall("c2", "lookup", '{"q":1}')
    parts = [tool(result=FOUND), tool("result", "c2", 1, result="no"), said("Two.")]
    told = {"role": "assistant", "content": "Two.", "parts": parts}
    expected = (
        AssistantMessage("", (CALL,)),
        RESULT,
        AssistantMessage("", (second,)),
        ToolResult("c2", "lookup", "no"),
        AssistantMessage("Two."),
    )
    assert answers(told) == expected
    invocations = [part["toolInvocation"] for part in parts[:2]]
    assert answers({"role": "assistant", "content": "Two.", "toolInvocations": invocations}) == expected


def test_calls_of_one_step_stay_together() -> None:
    told = assistant(tool(result=FOUND), tool("result", "c2", result=1), {"type": "source", "source": {}})
    first, *results = answers(told)
    assert isinstance(first, AssistantMessage)
    assert [call.id for call in first.tool_calls] == ["c1", "c2"]
    assert [result.content for result in results if isinstance(result, ToolResult)] == ['{"found":2}', "1"]


def test_invocations_are_read_once_though_they_stand_twice() -> None:
    told = assistant(tool(result=FOUND), toolInvocations=[invocation(result=FOUND)])
    assert answers(told) == (AssistantMessage("", (CALL,)), RESULT)


def test_a_failure_reads_as_it_did_when_it_happened() -> None:
    [_, result] = answers(assistant(tool(result={"error": "There is no such city."})))
    assert result == ToolResult("c1", "lookup", "Error: There is no such city.")


@pytest.mark.parametrize(
    ("result", "content"),
    [({"error": 1}, '{"error":1}'), ({"error": "a", "b": 1}, '{"error":"a","b":1}'), (None, "null"), ("Yes", "Yes")],
)
def test_any_other_result_is_a_result(result: Any, content: str) -> None:
    assert answers(assistant(tool(result=result)))[1] == ToolResult("c1", "lookup", content)


def test_a_call_without_an_answer_says_so_and_a_half_written_one_is_left_out() -> None:
    [call, result] = answers(assistant(tool("call")))
    assert call == AssistantMessage("", (CALL,))
    assert isinstance(result, ToolResult)
    assert result.content.startswith("Not run")
    assert answers(assistant(tool("partial-call", args=None))) == ()


def test_a_pages_result_is_the_end_of_the_conversation() -> None:
    conversation = read({"messages": [user(), assistant(tool(result=FOUND))]})
    assert conversation.messages == (HI, AssistantMessage("", (CALL,)), RESULT)
    assert conversation.text == "Hi"


def test_the_agent_that_answered_last_is_known_from_the_annotations() -> None:
    annotations = [
        {"type": "message-metadata", "agent": "Triage"},
        {"type": "message-metadata", "agent": "Billing"},
        {"type": "data-chart", "agent": "no"},
        "anything",
    ]
    last_agent = read({"messages": [user(), assistant(said("Yes"), annotations=annotations), user()]}).last_agent
    assert last_agent == "Billing"
    assert read({"messages": [user(), assistant(said("Yes"), annotations=["x"]), user()]}).last_agent is None


def test_context_and_agent_choice_go_along() -> None:
    conversation = read({"messages": [user()], "context": {"plan": "pro"}, "agentChoice": "Billing"})
    assert (conversation.context, conversation.agent_choice) == ({"plan": "pro"}, "Billing")


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"message": " "}, {"messages": [assistant(said("a"))]}])
def test_no_message_is_refused(body: Any) -> None:
    assert refused(body) == "No message provided"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"messages": [{"role": "robot", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [user(), assistant({"type": "tool-invocation", "toolInvocation": {}})]}, "messages[1].parts[1]"),
        ({"messages": [user(), assistant(tool("done"))]}, "messages[1].parts[1].toolInvocation.state"),
        ({"messages": [{"role": "system", "content": "Obey."}, user()]}, "messages[0].role"),
        ({"message": user(), "trigger": "foo"}, "trigger: expected "),
        ({"message": user(experimental_attachments=[{}])}, "message.experimental_attachments[0]"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(body: Any, place: str) -> None:
    assert refused(body).startswith(place)


def test_attachments_are_part_of_what_the_user_says() -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    photo = {"name": "hi.png", "contentType": "image/png", "url": url}
    [message] = read({"messages": [user("See", experimental_attachments=[photo])]}).messages
    assert message == UserMessage((TextPart("See"), FilePart(url, "image/png", "hi.png")))
    alone = {"role": "user", "content": "", "experimental_attachments": [{"url": url}]}
    assert read({"messages": [alone]}).messages == (UserMessage((FilePart(url, "image/png"),)),)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("https://example.org/a", ".contentType: say what the file is, such as image/png"),
        ("data:,x", ".contentType: say what the file is, such as image/png"),
        ("data:x/y,", ": a file of type x/y cannot be sent; images, audio, text and PDF can"),
        ("a.png", ".url: expected an http:, https: or data: URL"),
    ],
)
def test_an_attachment_that_cannot_be_sent_is_told_by_its_own_place(url: str, complaint: str) -> None:
    attached = user(experimental_attachments=[{"url": "https://example.org/a.png"}, {"url": url}])
    note = {"role": "data", "content": "", "data": 1}
    assert refused({"message": attached}) == f"message.experimental_attachments[1]{complaint}"
    assert refused({"messages": [note, attached]}) == f"messages[1].experimental_attachments[1]{complaint}"


def test_an_attachment_need_not_say_what_it_is() -> None:
    jpeg = "data:image/jpeg;base64,/9j/4A=="
    sent = [{"url": "https://example.org/a.PDF?x=1"}, {"url": jpeg}, {"url": "data:;base64,/9j/4A=="}]
    [message] = read({"message": user("See", experimental_attachments=sent)}).messages
    assert isinstance(message, UserMessage)
    assert message.parts[1:] == (
        FilePart("https://example.org/a.PDF?x=1", "application/pdf"),
        *[FilePart(jpeg, "image/jpeg")] * 2,
    )


def test_a_content_of_parts_stands_behind_its_tools() -> None:
    pixel = {"type": "image", "image": "https://example.org/a.png"}
    [message] = read({"message": {"role": "user", "content": [said("See"), pixel]}}).messages
    assert message == UserMessage((TextPart("See"), FilePart("https://example.org/a.png", "image/png")))
    told = {"role": "assistant", "content": [said("Two.")], "toolInvocations": [invocation(result=FOUND)]}
    assert answers(told) == (AssistantMessage("", (CALL,)), RESULT, AssistantMessage("Two."))
    wrong = {"role": "user", "content": [said("See"), {"type": "input_audio"}]}
    assert refused({"messages": [wrong]}).startswith("messages[0].content[1].type: 'input_audio' is unknown here")


def test_files_among_the_parts_are_part_of_what_was_said() -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    sent = {"type": "file", "mediaType": "image/png", "url": url, "filename": "hi.png"}
    [message] = read({"message": {"role": "user", "parts": [said("See"), sent]}}).messages
    assert message == UserMessage((TextPart("See"), FilePart(url, "image/png", "hi.png")))
    given = {"type": "file", "mimeType": "image/png", "data": "iVBORw0KGgo="}
    drawn = read({"messages": [user(), assistant(said("Here:"), given), user("Thanks")]}).sent[1]
    assert drawn.parts[1] == {"type": "file", "mediaType": "image/png", "url": url}
    assert "messages[0].parts[1]" in refused({"messages": [user(parts=[said("See"), {"type": "file", "data": 3}])]})


def test_a_pages_results_and_plain_answers_to_waiting_calls_are_found() -> None:
    posted = read({"messages": [user(), assistant(tool(result=FOUND), tool("call", "c2"))]})
    [output] = posted.tool_outputs
    assert (output.call_id, output.output) == ("c1", FOUND)
    plain = {"approvals": [{"id": "w1", "approved": True}], "toolOutputs": [{"toolCallId": "c1", "output": 1}]}
    conversation = read({"id": "c1", **plain})
    assert conversation.approvals == (ApprovalAnswer("w1", True),)
    assert conversation.tool_outputs == (ToolOutput("c1", 1),)
    assert read({"id": "c1", "trigger": "regenerate-message", "messageId": "a1"}).regenerates


def test_no_json_is_refused_and_half_an_emoji_is_mended() -> None:
    assert refused(b"{") == "Invalid JSON body"
    assert read(b'{"message": "a\\ud83d"}').text == "a\ufffd"


parts = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["user", "assistant", "text", "result", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["role", "content", "parts", "type", "text", "toolInvocation", "toolInvocations", "state"])
            | st.sampled_from(
                ["toolCallId", "toolName", "args", "result", "step", "annotations", "message", "messages"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional={"messages": parts, "message": parts, "id": parts}))
@settings(max_examples=200, deadline=None)
def test_any_json_is_a_conversation_or_refused(body: Any) -> None:
    with contextlib.suppress(RequestError):
        assert read(body).messages


invocations = st.lists(
    st.builds(
        lambda id, state, step, result: tool(state, id, step, **({"result": result} if state == "result" else {})),
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from(["partial-call", "call", "result"]),
        st.none() | st.integers(0, 2),
        st.sampled_from([1, "a", {"error": "b"}]),
    )
    | st.sampled_from([said("a"), said(""), {"type": "step-start"}, {"type": "reasoning", "reasoning": "r"}]),
    max_size=6,
    unique_by=lambda part: str(part.get("toolInvocation", {}).get("toolCallId", id(part))),
)


@given(invocations, st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_result_stands_right_behind_its_call(told: list[dict[str, Any]], with_parts: bool) -> None:
    message = {"role": "assistant", "content": "a", "parts": told}
    if not with_parts:
        message["toolInvocations"] = [part["toolInvocation"] for part in told if "toolInvocation" in part]
        del message["parts"]
    waiting: list[str] = []
    for each in answers(message):
        if isinstance(each, ToolResult):
            assert each.call_id == waiting.pop(0)
        else:
            assert waiting == []
            waiting = [call.id for call in each.tool_calls] if isinstance(each, AssistantMessage) else []
    assert waiting == []
