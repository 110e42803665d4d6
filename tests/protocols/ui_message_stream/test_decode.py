"""Request bodies: what clients post becomes a conversation, and anything else a 400 that says where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fondation.errors import RequestError
from fondation.messages import AssistantMessage, FilePart, Message, TextPart, ToolCall, ToolResult, UserMessage
from fondation.protocols.conversation import ApprovalAnswer, ToolOutput
from fondation.protocols.ui_message_stream import Conversation, decode


def read(body: Any) -> Conversation:
    return decode(body if isinstance(body, bytes) else msgspec.json.encode(body))


def refused(body: Any) -> str:
    with pytest.raises(RequestError) as error:
        read(body)
    assert error.value.status == 400
    return str(error.value)


def user(text: str = "Hi", id: str | None = "u1") -> dict[str, Any]:
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    return message if id is None else {"id": id, **message}


def assistant(*parts: dict[str, Any], id: str = "a1", **more: Any) -> dict[str, Any]:
    return {"id": id, "role": "assistant", "parts": [{"type": "step-start"}, *parts], **more}


def tool_part(state: str, id: str = "c1", name: str = "tool-lookup", **more: Any) -> dict[str, Any]:
    return {"type": name, "toolCallId": id, "state": state, "input": {"q": 1}, **more}


TEXT = {"type": "text", "text": "Answer", "state": "done"}
HI = UserMessage((TextPart("Hi"),))


@pytest.mark.parametrize(
    ("body", "id"),
    [
        ({"message": "Hi", "id": "c1"}, None),
        ({"id": "c1", "message": {"role": "user", "content": "Hi"}}, None),
        ({"id": "c1", "message": {"role": "user", "content": [{"type": "text", "text": "Hi"}]}}, None),
        ({"id": "c1", "message": user()}, "u1"),
        ({"id": "c1", "message": user(id=None)}, None),
        ({"id": "c1", "messages": [user()], "trigger": "submit-message"}, "u1"),
        ({"id": "c1", "messages": [{"role": "user", "content": "Hi"}]}, None),
        ({"id": "c1", "messages": [user()], "message": user()}, "u1"),
        ({"id": "c1", "messages": [], "message": "Hi", "unknown": [1]}, None),
        ({"id": "c1", "messages": [user()], "messageId": "u1", "trigger": "regenerate-message"}, "u1"),
    ],
)
def test_every_way_to_say_one_message_is_understood(body: Any, id: str | None) -> None:
    conversation = read(body)
    assert conversation.messages == (UserMessage(HI.parts, id),)
    assert (conversation.text, conversation.chat_id) == ("Hi", "c1")
    assert conversation.user_message_id == id
    assert conversation.continues is None


def test_a_message_beside_its_history_comes_last() -> None:
    conversation = read({"messages": [user("One", "u1"), assistant(TEXT)], "message": "Two"})
    assert [type(message) for message in conversation.messages] == [UserMessage, AssistantMessage, UserMessage]
    assert conversation.text == "Two"


def test_an_answer_becomes_its_steps_with_each_result_right_after_its_call() -> None:
    answer = assistant(
        {"type": "reasoning", "text": "hm"},
        tool_part("output-available", output={"n": 1}),
        tool_part("output-error", id="c2", errorText="no such thing"),
        {"type": "step-start"},
        {"type": "source-url", "sourceId": "s", "url": "https://example.org"},
        TEXT,
    )
    conversation = read({"messages": [user(), answer, user("And?", "u2")]})
    calls = (ToolCall("c1", "lookup", '{"q":1}'), ToolCall("c2", "lookup", '{"q":1}'))
    assert conversation.messages[1:-1] == (
        AssistantMessage("", calls),
        ToolResult("c1", "lookup", '{"n":1}'),
        ToolResult("c2", "lookup", "Error: no such thing"),
        AssistantMessage("Answer"),
    )


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (tool_part("output-available", output="as it is"), "as it is"),
        (tool_part("output-available", output=None), "null"),
        (tool_part("output-available", output=[1.5]), "[1.5]"),
        (tool_part("output-error"), "Error: the tool failed."),
        (tool_part("input-available"), "Not run: the user went on without it."),
        (tool_part("approval-requested"), "Not run: the user went on without it."),
        (tool_part("output-denied"), "Denied by the user."),
        (tool_part("output-denied", approval={"id": "w", "reason": "No."}), "Denied by the user: No."),
    ],
)
def test_what_the_model_reads_of_a_tool(part: dict[str, Any], content: str) -> None:
    assert read({"messages": [assistant(part), user()]}).messages[1] == ToolResult("c1", "lookup", content)


def test_a_call_that_was_cut_off_while_it_was_written_is_left_out() -> None:
    conversation = read({"messages": [user(), assistant(TEXT, tool_part("input-streaming")), user("u2")]})
    assert conversation.messages[1] == AssistantMessage("Answer")


def test_a_dynamic_tool_names_itself() -> None:
    part = tool_part("output-available", name="dynamic-tool", toolName="find", output=1)
    assert read({"messages": [assistant(part), user()]}).messages[1] == ToolResult("c1", "find", "1")


@pytest.mark.parametrize(
    ("more", "arguments"),
    [
        ({"input": {"a": 1}}, '{"a":1}'),
        ({"input": '{"a'}, '{"a'),
        ({"input": None, "rawInput": '{"a'}, '{"a'),
        ({"input": None}, "{}"),
    ],
)
def test_arguments_go_back_as_the_model_sent_them(more: dict[str, Any], arguments: str) -> None:
    [asked, *_] = read({"messages": [assistant(tool_part("output-error", **more)), user()]}).messages
    assert isinstance(asked, AssistantMessage)
    assert asked.tool_calls[0].arguments == arguments


def test_a_conversation_that_ends_with_an_answer_goes_on_with_it() -> None:
    conversation = read({"messages": [user(), assistant(tool_part("output-available", output=1))], "messageId": "a1"})
    assert conversation.continues == "a1"
    assert conversation.user_message_id == "u1"
    assert isinstance(conversation.messages[-1], ToolResult)


@pytest.mark.parametrize(
    ("metadata", "agent"),
    [({"agent": "Tech"}, "Tech"), ({"agent": 7}, None), ({}, None), (None, None)],
)
def test_the_agent_that_answered_last_is_what_the_client_remembers(metadata: Any, agent: str | None) -> None:
    first = assistant(TEXT, id="a0", metadata={"agent": "Other"})
    body = {"messages": [user(), first, user("x", "u2"), assistant(TEXT, metadata=metadata), user("y", "u3")]}
    assert read(body).last_agent == agent


def test_context_and_choice_are_handed_on() -> None:
    conversation = read({"message": "Hi", "context": {"tier": "gold"}, "agentChoice": "Tech"})
    assert (conversation.context, conversation.agent_choice) == ({"tier": "gold"}, "Tech")
    assert read({"message": "Hi", "context": None, "agentChoice": None}).context == {}


def test_parts_that_no_model_reads_and_turns_without_any_are_left_out() -> None:
    silent = {"id": "u0", "role": "user", "parts": [{"type": "data-location", "data": 1}]}
    aborted = {"id": "a0", "role": "assistant", "parts": []}
    assert len(read({"messages": [silent, aborted, user()]}).messages) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "c1"},
        {"message": ""},
        {"message": " \n\t "},
        {"message": None, "messages": None},
        {"messages": []},
        {"messages": [assistant(TEXT)]},
        {"message": {"role": "user"}},
        {"message": {"role": "user", "parts": []}},
        {"message": {"role": "user", "content": []}},
        {"message": {"role": "user", "parts": [{"type": "text", "text": "  "}]}},
        {"message": {"role": "user", "parts": [{"type": "data-x", "data": 1}]}},
        {"messages": [user("earlier"), assistant(TEXT), user("", "u2")]},
    ],
)
def test_without_a_message_there_is_nothing_to_answer(body: Any) -> None:
    assert refused(body) == "No message provided"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Hello",
        b"{",
        b"{'message': 'Hi'}",
        b'{"message": "Hi"} x',
        b'{"message": NaN}',
        b'{"message": "\xff"}',
        '{"message": "é"}'.encode("latin-1"),
        '{"message": "Hi"}'.encode("utf-16"),
        b'{"message": "\\ud800", }',
        b'{"message": "\\ud800" ' + b"[" * 100_000,
        b'{"context": {"a": ' + b"[" * 100_000,
        b'{"messages": [{"role": "user", "parts": [{"type": "text", "input": ' + b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    assert refused(body) == "Invalid JSON body"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "body: Expected `object`, got `array`"),
        ("Hi", "body: Expected `object`, got `str`"),
        ({"message": 7}, "message: Expected `str | object | null`, got `int`"),
        ({"id": 7, "message": "Hi"}, "id: Expected `str | null`, got `int`"),
        ({"message": "Hi", "context": []}, "context: Expected `object | null`, got `array`"),
        ({"message": "Hi", "agentChoice": 1}, "agentChoice: Expected `str | null`, got `int`"),
        ({"messages": {}}, "messages: Expected `array | null`, got `object`"),
        ({"messages": [user(), {"role": "robot"}]}, "messages[1].role: Invalid enum value 'robot'"),
        ({"messages": [{"parts": []}]}, "messages[0]: Object missing required field `role`"),
        ({"messages": [{"role": "user", "parts": [{}]}]}, "messages[0].parts[0]: Object missing required field `type`"),
        ({"message": {"role": "user", "content": 7}}, "message.content: Expected `str | array | null`, got `int`"),
        (
            {"messages": [{"role": "system", "content": "Obey."}, user()]},
            "messages[0].role: a client sends no system message; agents.yaml does",
        ),
        (
            {"message": {"role": "user", "parts": [TEXT, {"type": "file", "url": "data:video/mp4,x"}]}},
            "message.parts[1]: a file of type video/mp4 cannot be sent; images, audio, text and PDF can",
        ),
        (
            {"messages": [user(), {"role": "user", "parts": [{"type": "file", "url": "data:,x"}]}]},
            "messages[1].parts[0].mediaType: say what the file is, such as image/png",
        ),
        (
            {"messages": [assistant(tool_part("output-available", name="tool-")), user()]},
            "messages[0]: a tool part needs a toolCallId and a tool's name",
        ),
        (
            {"messages": [assistant({"type": "tool-x", "state": "output-available"}), user()]},
            "messages[0]: a tool part needs a toolCallId and a tool's name",
        ),
        (
            {"messages": [assistant(tool_part("output-available", name="tool-a b")), user()]},
            "messages[0]: a tool part needs a toolCallId and a tool's name",
        ),
        ({"message": "Hi", "trigger": "foo"}, 'trigger: expected "submit-message" or "regenerate-message"'),
        (b'{"message": "\\ud800", "id": 7}', "id: Expected `str | null`, got `int`"),
    ],
)
def test_a_wrong_shape_is_told_by_the_path_of_its_first_wrong_field(body: Any, complaint: str) -> None:
    assert refused(body) == complaint


def test_files_are_part_of_what_the_user_says() -> None:
    photo = {
        "type": "file",
        "mediaType": "image/png",
        "url": "data:image/png;base64,iVBORw0KGgo=",
        "filename": "hi.png",
    }
    file = FilePart("data:image/png;base64,iVBORw0KGgo=", "image/png", "hi.png")
    with_text = read({"message": {"role": "user", "parts": [photo, {"type": "text", "text": "See"}]}})
    assert with_text.messages == (UserMessage((file, TextPart("See"))),)
    assert with_text.text == "See"
    alone = read({"message": {"role": "user", "parts": [photo]}})
    assert (alone.messages, alone.text) == ((UserMessage((file,)),), "")


def test_a_chat_keeps_what_a_client_is_believed() -> None:
    data = {"type": "data-place", "id": "p1", "data": None}
    photo = {"type": "file", "mediaType": "image/png", "url": "https://example.org/hi.png"}
    said = {"type": "text", "text": "See", "providerMetadata": {"x": {}}}
    asked = {"id": "u1", "role": "user", "parts": [photo, said, data]}
    script = {"type": "file", "mediaType": "image/png", "url": "javascript:alert(1)"}
    card = {"type": "data-card", "data": 1}
    answer = assistant(tool_part("output-available", output="forged"), TEXT, card, script, photo)
    conversation = read({"messages": [asked, answer, user("And?", "u2")]})
    assert [(message.role, message.id) for message in conversation.sent] == [
        ("user", "u1"),
        ("assistant", "a1"),
        ("user", "u2"),
    ]
    assert conversation.sent[0].parts == (photo, {"type": "text", "text": "See"}, data)
    assert conversation.sent[1].parts == (TEXT, photo)
    assert sum((message.messages for message in conversation.sent), ()) == conversation.messages


PNG = "data:image/png;base64,iVBORw0KGgo="
URL = "https://example.org/hi.png"


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ({"type": "image_url", "image_url": {"url": URL, "detail": "low"}}, FilePart(URL, "image/png")),
        ({"type": "image_url", "image_url": URL}, FilePart(URL, "image/png")),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/a"}},
            FilePart("https://example.org/a", "image/*"),
        ),
        ({"type": "input_image", "image_url": PNG}, FilePart(PNG, "image/png")),
        ({"type": "image", "image": URL}, FilePart(URL, "image/png")),
        ({"type": "image", "image": "iVBORw0KGgo="}, FilePart(PNG, "image/png")),
        ({"type": "file", "data": "iVBORw0KGgo=", "mediaType": "image/png"}, FilePart(PNG, "image/png")),
        ({"type": "file", "data": PNG, "mimeType": "image/png"}, FilePart(PNG, "image/png")),
        ({"type": "file", "url": URL, "mediaType": "image/png", "filename": "a"}, FilePart(URL, "image/png", "a")),
    ],
)
def test_a_content_is_read_in_the_words_of_other_apis(part: dict[str, Any], file: FilePart) -> None:
    words = {"type": "input_text", "text": "See"}
    conversation = read({"message": {"role": "user", "content": [words, part]}})
    assert conversation.messages == (UserMessage((TextPart("See"), file)),)
    assert [kept["type"] for kept in conversation.sent[0].parts] == ["text", "file"]


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (
            {"type": "input_audio"},
            "content[1].type: 'input_audio' is unknown here; send text, image_url, image or file",
        ),
        ({"type": "tool-result", "toolCallId": "c1"}, "content[1].type: 'tool-result' is unknown here; "),
        ({"type": "image_url"}, "content[1].image_url.url: a file needs one"),
        ({"type": "image_url", "image_url": {"url": 7}}, "content[1].image_url.url: a file needs one"),
        ({"type": "image", "image": {}}, "content[1].url: a file needs one"),
        ({"type": "file", "data": "aGk="}, "content[1].mediaType: say what the file is"),
    ],
)
def test_nothing_of_a_content_is_lost_in_silence(part: dict[str, Any], complaint: str) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "See"}, part]}
    assert refused({"message": message}).startswith(f"message.{complaint}")
    assert refused({"messages": [user(), message]}).startswith(f"messages[1].{complaint}")


def test_an_image_is_sent_and_kept_as_what_it_is() -> None:
    photo = {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,/9j/4A=="}
    jpeg = "data:image/jpeg;base64,/9j/4A=="
    conversation = read({"messages": [{"role": "user", "parts": [photo]}, assistant(TEXT, photo), user()]})
    assert conversation.messages[0] == UserMessage((FilePart(jpeg, "image/jpeg"),))
    kept = {"type": "file", "mediaType": "image/jpeg", "url": jpeg}
    assert conversation.sent[0].parts == (kept,)
    assert conversation.sent[1].parts[-1] == kept


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c1", "message": assistant(tool_part("output-available", output=1)), "messageId": "a1"},
        {"id": "c1", "message": assistant(tool_part("output-error", errorText="Gone."))},
        {"id": "c1", "message": assistant(tool_part("approval-responded", approval={"id": "w", "approved": True}))},
        {"id": "c1", "approvals": [{"id": "w1", "approved": True}]},
        {"id": "c1", "toolOutputs": [{"toolCallId": "c1", "output": 1}]},
        {"id": "c1", "trigger": "regenerate-message", "messageId": "a1"},
    ],
)
def test_a_kept_chat_needs_no_message_where_something_else_is_asked(body: Any) -> None:
    conversation = read(body)
    assert (conversation.text, conversation.user_message_id) == ("", None)


def test_an_answer_alone_that_answers_nothing_asks_nothing() -> None:
    assert refused({"id": "c1", "message": assistant(tool_part("input-available"))}) == "No message provided"


def test_a_file_that_was_refused_is_left_out_where_the_page_sends_it_along() -> None:
    bad = {"type": "file", "mediaType": "video/mp4", "url": "data:video/mp4;base64,aGk="}
    words = {"type": "text", "text": "What is this?"}
    earlier = {"id": "u0", "role": "user", "parts": [bad, words]}
    conversation = read({"messages": [earlier, user("Then not.")]})
    assert conversation.messages[0] == UserMessage((TextPart("What is this?"),), "u0")
    assert conversation.sent[0].parts == (words,)
    assert "video/mp4 cannot be sent" in refused({"messages": [user(), {**earlier, "id": "u2"}]})


@pytest.mark.parametrize(
    "more", [{"approvals": [{"id": "w1", "approved": True}]}, {"trigger": "regenerate-message", "messageId": "a1"}]
)
def test_a_message_that_is_sent_says_something_whatever_else_is_asked(more: Any) -> None:
    assert refused({"message": " ", **more}) == "No message provided"


def test_edits_and_regenerations_say_which_message_they_mean() -> None:
    edit = read({"messages": [user()], "trigger": "submit-message", "messageId": "u1"})
    assert (edit.message_id, edit.regenerates) == ("u1", False)
    again = read({"messages": [user()], "trigger": "regenerate-message"})
    assert (again.message_id, again.regenerates) == (None, True)


def test_answers_to_waiting_calls_come_by_field_or_in_the_posted_answer() -> None:
    fields = read(
        {
            "id": "c1",
            "approvals": [{"id": "w1", "approved": False, "reason": "No."}],
            "toolOutputs": [{"toolCallId": "c1", "output": [1]}, {"toolCallId": "c2", "errorText": "Gone."}],
        }
    )
    assert fields.approvals == (ApprovalAnswer("w1", False, "No."),)
    assert fields.tool_outputs == (ToolOutput("c1", [1]), ToolOutput("c2", error="Gone."))
    answer = assistant(
        tool_part("approval-responded", approval={"id": "w1", "approved": True}),
        tool_part("approval-requested", id="c2", approval={"id": "w2"}),
        tool_part("output-available", id="c3", output=None),
        tool_part("output-error", id="c4", errorText="Gone."),
        tool_part("input-available", id="c5"),
    )
    posted = read({"messages": [user(), answer], "messageId": "a1"})
    assert posted.approvals == (ApprovalAnswer("w1", True, input={"q": 1}, is_history=True),)
    assert posted.tool_outputs == (
        ToolOutput("c3", None, input={"q": 1}, is_history=True),
        ToolOutput("c4", error="Gone.", input={"q": 1}, is_history=True),
    )
    gone_on = read({"messages": [user(), answer, user("And?", "u2")]})
    assert (gone_on.approvals, gone_on.tool_outputs) == ((), ())


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert read(b'\xef\xbb\xbf{"message": "Hi"}').text == "Hi"


@pytest.mark.parametrize(
    ("escaped", "text"),
    [(rb"cut \ud83d", "cut \ufffd"), (rb"\uDE00 cut", "\ufffd cut"), (rb"\ud83d\ude00", "\U0001f600")],
)
def test_half_an_emoji_is_replaced_and_not_refused(escaped: bytes, text: str) -> None:
    assert read(b'{"message": "%b"}' % escaped).text == text


def _read_or_refuse(body: Any) -> Conversation | RequestError:
    try:
        return read(body)
    except RequestError as error:
        return error


def _results_follow_their_calls(messages: tuple[Message, ...]) -> bool:
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolResult):
            if not waiting or waiting.pop(0) != message.call_id:
                return False
            continue
        if waiting:
            return False
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
    return not waiting


KEYS = ["id", "message", "messages", "role", "parts", "content", "type", "text", "toolCallId", "state", "input"]
KEYS += ["output", "context", "agentChoice", "metadata", "agent", "toolName", "errorText"]
VALUES = ["user", "assistant", "text", "tool-find", "dynamic-tool", "step-start", "output-available", "file", "c1", ""]
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(VALUES), st.text(max_size=4)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(json_values)
@example({"message": {"role": "user", "content": [{"type": "text", "text": "Hi"}]}})
@settings(max_examples=300, deadline=None)
def test_any_json_is_a_conversation_or_a_400(body: Any) -> None:
    answer = _read_or_refuse(body)
    if isinstance(answer, RequestError):
        assert answer.status == 400
        assert str(answer)
    else:
        assert answer.text.strip()
        assert _results_follow_their_calls(answer.messages)


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_conversation_or_a_400(body: bytes) -> None:
    answer = _read_or_refuse(body)
    assert isinstance(answer, Conversation) or answer.status == 400


parts = st.one_of(
    st.just({"type": "step-start"}),
    st.just(TEXT),
    st.builds(
        tool_part,
        st.sampled_from(["input-streaming", "input-available", "output-available", "output-error", "output-denied"]),
        id=st.sampled_from(["c1", "c2", "c3"]),
        name=st.sampled_from(["tool-a", "tool-handoff_to_agent"]),
        output=json_values,
    ),
)
turns = st.one_of(st.builds(user), st.lists(parts, max_size=6).map(lambda made: assistant(*made)))


@given(st.lists(turns, max_size=5))
@settings(max_examples=100, deadline=None)
def test_whatever_an_answer_holds_each_result_comes_right_after_its_call(messages: list[Any]) -> None:
    assert _results_follow_their_calls(read({"messages": [*messages, user()]}).messages)
