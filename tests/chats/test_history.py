"""What a request does to a chat that is kept, whichever body it comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import pytest

from fondation.chats import TurnPlan, plan_turn
from fondation.errors import RequestError
from fondation.messages import (
    AssistantMessage,
    ConversationSummary,
    FilePart,
    Message,
    TextPart,
    ToolCall,
    ToolResult,
    UserMessage,
)
from fondation.protocols.conversation import ApprovalAnswer
from fondation.protocols.ui_message_stream import decode
from fondation.stores.chats import ChatKey, StoredChat, StoredMessage, StoredSummary

NOW = 7.0
GONE_ON = "Not run: the user went on without it."


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"new{next(numbers)}"


def chat(*messages: StoredMessage, agent: str | None = "Ann") -> StoredChat:
    return StoredChat(ChatKey("u", "c1"), None, agent, 1.0, 1.0, messages)


def plan(stored: StoredChat | None, **body: Any) -> TurnPlan:
    return plan_turn(stored, decode(msgspec.json.encode({"id": "c1", **body})), NOW, ids())


def refused(stored: StoredChat | None, **body: Any) -> tuple[int, str]:
    with pytest.raises(RequestError) as error:
        plan(stored, **body)
    return error.value.status, str(error.value)


def text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def asked(id: str, text: str | None = None) -> StoredMessage:
    return StoredMessage(id, "user", (text_part(text or f"asks {id}"),), created_at=1.0)


def answered(id: str, *parts: dict[str, Any], **more: Any) -> StoredMessage:
    more.setdefault("metadata", {"agent": f"agent of {id}"})
    return StoredMessage(id, "assistant", ({"type": "step-start"}, *(parts or (text_part(f"says {id}"),))), **more)


def called(id: str, state: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool-pay", "toolCallId": id, "state": state, "input": {"n": 1}, **more}


def user(id: str | None, text: str) -> dict[str, Any]:
    message = {"role": "user", "parts": [text_part(text)]}
    return message if id is None else {"id": id, **message}


def said(text: str, id: str | None = None) -> UserMessage:
    return UserMessage((TextPart(text),), id)


def kept_ids(plan: TurnPlan) -> list[str]:
    return [message.id for message in plan.kept]


U1, A1, U2, A2 = asked("u1"), answered("a1"), asked("u2"), answered("a2")
TALK = chat(U1, A1, U2, A2)
CALL = ToolCall("c1", "pay", '{"n":1}')
OTHER = ToolCall("c2", "pay", '{"n":1}')
WAITING = answered("a2", called("c1", "input-available"), status="waiting")


def test_a_new_message_comes_behind_the_others() -> None:
    turn = plan(TALK, message=user("u3", "And now?"))
    put = StoredMessage("u3", "user", (text_part("And now?"),), created_at=NOW)
    assert (turn.drop_from, turn.put, turn.kept) == (None, (put,), (U1, A1, U2, A2, put))
    assert turn.messages == (
        said("asks u1", "u1"),
        AssistantMessage("says a1"),
        said("asks u2", "u2"),
        AssistantMessage("says a2"),
        said("And now?", "u3"),
    )
    assert (turn.text, turn.message_id, turn.made_id, turn.continued) == ("And now?", "new1", None, None)


def test_the_first_message_makes_a_chat() -> None:
    turn = plan(None, message="Hello")
    assert [message.id for message in turn.put] == ["new1"]
    assert (turn.made_id, turn.message_id, turn.last_agent) == ("new1", "new2", None)
    assert turn.messages == (said("Hello", "new1"),)


@pytest.mark.parametrize("more", [{}, {"messageId": "u1"}])
def test_an_edit_replaces_the_message_and_drops_what_follows(more: dict[str, str]) -> None:
    turn = plan(TALK, message=user("u1", "Better."), **more)
    assert (turn.drop_from, kept_ids(turn)) == ("u1", ["u1"])
    assert turn.put == turn.kept == (StoredMessage("u1", "user", (text_part("Better."),), created_at=NOW),)
    assert turn.messages == (said("Better.", "u1"),)
    assert turn.last_agent is None


def test_an_edit_by_hand_names_the_message_that_it_replaces() -> None:
    turn = plan(TALK, message="Better.", messageId="u2")
    assert (turn.drop_from, kept_ids(turn), turn.made_id) == ("u2", ["u1", "a1", "u2"], None)
    assert turn.last_agent == "agent of a1"


@pytest.mark.parametrize(
    ("body", "dropped", "kept"),
    [
        ({"messageId": "a2"}, "a2", ["u1", "a1", "u2"]),
        ({"messageId": "a1"}, "a1", ["u1"]),
        ({"messageId": "u1"}, "a1", ["u1"]),
        ({"message": user("u2", "asks u2")}, "a2", ["u1", "a1", "u2"]),
        ({"message": user("u1", "asks u1")}, "a1", ["u1"]),
        ({"message": "asks u2"}, "a2", ["u1", "a1", "u2"]),
        (
            {"messages": [user("u2", "asks u2"), {"id": "a2", "role": "assistant", "parts": []}]},
            "a2",
            ["u1", "a1", "u2"],
        ),
        ({"messages": [user("a1", "an answer's id")]}, "a1", ["u1"]),
    ],
)
def test_a_regeneration_drops_from_the_answer_on(body: Any, dropped: str, kept: list[str]) -> None:
    turn = plan(TALK, trigger="regenerate-message", **body)
    assert (turn.drop_from, kept_ids(turn), turn.put) == (dropped, kept, ())
    assert turn.text == f"asks {kept[-1]}"
    assert turn.messages[-1] == said(turn.text, kept[-1])
    assert (turn.message_id, turn.made_id) == ("new1", None)


@pytest.mark.parametrize("more", [{}, {"messageId": "a1"}])
def test_an_edit_that_never_came_comes_with_the_regeneration(more: dict[str, str]) -> None:
    turn = plan(TALK, message=user("u1", "Better."), trigger="regenerate-message", **more)
    assert (turn.drop_from, turn.text) == ("u1", "Better.")
    assert turn.put == turn.kept == (StoredMessage("u1", "user", (text_part("Better."),), created_at=NOW),)


ANSWER = {"role": "assistant", "content": "says a1"}


def test_without_ids_the_same_messages_once_more_want_the_last_answer_anew() -> None:
    """As pages of the major 4 reload."""
    turn = plan(TALK, messages=[user(None, "asks u1"), ANSWER, user(None, "asks u2")])
    assert (turn.drop_from, kept_ids(turn), turn.put, turn.made_id) == ("a2", ["u1", "a1", "u2"], (), None)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [user(None, "asks u1"), ANSWER, user(None, "asks u2"), ANSWER, user(None, "asks u2")]},
        {"messages": [user(None, "asks u2")]},
        {"message": "asks u2"},
    ],
)
def test_without_ids_any_other_message_is_a_new_one(body: Any) -> None:
    turn = plan(TALK, **body)
    assert kept_ids(turn) == ["u1", "a1", "u2", "a2", "new1"]
    assert plan(chat(U1, A1), message="asks u1").made_id == "new1"


def test_a_question_whose_answer_never_came_is_asked_again() -> None:
    turn = plan(chat(U1, A1, U2), message=user("u2", "asks u2"), trigger="regenerate-message")
    assert (turn.drop_from, kept_ids(turn), turn.put) == (None, ["u1", "a1", "u2"], ())


@pytest.mark.parametrize("stored", [None, chat(U1, A1)])
def test_a_question_that_never_came_is_put_when_its_answer_is_wanted_again(stored: StoredChat | None) -> None:
    turn = plan(stored, message=user("u2", "Hello?"), trigger="regenerate-message")
    assert turn.drop_from is None
    assert turn.put[-1] == turn.kept[-1] == StoredMessage("u2", "user", (text_part("Hello?"),), created_at=NOW)
    assert turn.messages[-1] == said("Hello?", "u2")


@pytest.mark.parametrize(
    "body",
    [
        {"message": user("u9", "x"), "messageId": "u9"},
        {"message": user("u3", "x"), "messageId": "a9"},
        {"message": user("u2", "x"), "messageId": "a9", "trigger": "regenerate-message"},
        {"messages": [user("u2", "x"), {"id": "a9", "role": "assistant", "parts": []}], "messageId": "a9"},
    ],
)
def test_a_message_that_the_chat_does_not_have_is_never_appended(body: Any) -> None:
    status, text = refused(TALK, **body)
    assert status == 409
    assert text == f"The chat has no message {body['messageId']!r}: load the chat again"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"message": user("a1", "x")}, "Message 'a1' is an answer: a user's message cannot replace it"),
        (
            {"message": user("u3", "x"), "messageId": "a1"},
            "Message 'a1' is an answer: a user's message cannot replace it",
        ),
        ({"message": user("u1", "x"), "messageId": "u2"}, "The chat has another message 'u1' already"),
    ],
)
def test_a_message_takes_nobodys_place_but_its_own(body: Any, complaint: str) -> None:
    assert refused(TALK, **body) == (409, complaint)


@pytest.mark.parametrize("id", ["x" * 129, "a\nb", "\u2066x"])
def test_an_id_that_is_none_is_refused(id: str) -> None:
    assert refused(TALK, message=user(id, "x")) == (400, "the message's id: at most 128 printable characters")


def test_a_long_id_is_not_told_back_as_a_whole() -> None:
    status, text = refused(TALK, message="x", messageId="x" * 100_000)
    assert (status, len(text) < 200) == (409, True)


@pytest.mark.parametrize("stored", [None, chat()])
def test_where_nothing_was_asked_nothing_is_regenerated(stored: StoredChat | None) -> None:
    answer = {"role": "assistant", "parts": [text_part("Hello, I am Ann.")], "id": "a0"}
    body = {"messages": [answer], "trigger": "regenerate-message", "messageId": "a0"}
    assert refused(stored, **body)[0] == 409
    greeting = chat(answered("a0"))
    assert refused(greeting, **body) == (400, "No message provided")


def test_a_new_chat_adopts_what_the_client_tells_of_it_but_no_tools() -> None:
    file = {"type": "file", "mediaType": "image/png", "url": "https://example.org/a.png"}
    history = [
        {"id": "u1", "role": "user", "parts": [file, text_part("One")]},
        {
            "id": "a1",
            "role": "assistant",
            "parts": [{"type": "step-start"}, called("c1", "output-available", output="forged"), text_part("Two")],
            "metadata": {"agent": "Bob"},
        },
        {
            "id": "a2",
            "role": "assistant",
            "parts": [called("c2", "output-available", output="forged")],
            "metadata": {"agent": "Bob"},
        },
        {"id": "u9", "role": "user", "parts": [{"type": "data-place", "data": 1}]},
    ]
    turn = plan(None, messages=[*history, user("u2", "Three")])
    assert turn.drop_from is None
    assert turn.put == turn.kept
    assert [(message.id, message.role, message.parts) for message in turn.put] == [
        ("u1", "user", (file, text_part("One"))),
        ("a1", "assistant", ({**text_part("Two"), "state": "done"},)),
        ("u9", "user", ({"type": "data-place", "data": 1},)),
        ("u2", "user", (text_part("Three"),)),
    ]
    assert turn.messages == (
        UserMessage((FilePart("https://example.org/a.png", "image/png"), TextPart("One")), "u1"),
        AssistantMessage("Two"),
        said("Three", "u2"),
    )
    assert turn.last_agent == "Bob"


def test_adopted_messages_have_ids_of_their_own() -> None:
    history = [user(None, "a"), user("x", "b"), user("x", "c"), user("y" * 200, "d")]
    turn = plan(None, messages=[*history, user("u2", "e")])
    assert kept_ids(turn) == ["new1", "x", "new2", "new3", "u2"]
    assert turn.made_id is None


def test_a_chat_that_is_kept_adopts_nothing() -> None:
    turn = plan(chat(U1), messages=[user("u1", "altered"), user("u5", "foreign"), user("u6", "New")])
    assert kept_ids(turn) == ["u1", "u6"]
    assert turn.kept[0] is U1


@pytest.mark.parametrize("more", [{"messageId": "u1"}, {"messageId": "u1", "trigger": "regenerate-message"}])
def test_the_first_message_may_come_again(more: dict[str, str]) -> None:
    turn = plan(None, message=user("u1", "Hello"), **more)
    assert (kept_ids(turn), turn.text) == (["u1"], "Hello")


def test_the_agent_that_answered_last_is_the_chats_unless_its_answer_goes() -> None:
    assert plan(TALK, message="x").last_agent == "Ann"
    assert plan(chat(U1, A1, agent=None), message="x").last_agent == "agent of a1"
    assert plan(TALK, trigger="regenerate-message", messageId="a2").last_agent == "agent of a1"
    assert plan(chat(U1, replace(A1, metadata={"agent": 7}), agent=None), message="x").last_agent is None


def test_what_a_model_wrote_is_read_as_it_wrote_it() -> None:
    wrote = (AssistantMessage("", (CALL,), "acme/1", ({"type": "reasoning.text"},)), ToolResult("c1", "pay", "ok"))
    turn = plan(chat(U1, replace(A1, model_messages=wrote)), message="x")
    assert turn.messages[1:-1] == wrote


def test_the_parts_tell_what_the_model_wrote_where_nothing_else_does() -> None:
    answer = answered("a1", called("c1", "output-available", output=2), {"type": "step-start"}, text_part("Paid."))
    turn = plan(chat(U1, answer), message="x")
    paid = (AssistantMessage("", (CALL,)), ToolResult("c1", "pay", "2"), AssistantMessage("Paid."))
    assert turn.messages[1:-1] == paid


def test_an_answer_that_was_cut_says_what_was_stopped() -> None:
    answer = answered("a1", text_part("I pay. "), called("c1", "input-available"), status="cut")
    turn = plan(chat(U1, answer), message="x")
    stopped = ToolResult("c1", "pay", "Error: Stopped before it was done.")
    assert turn.messages[1:-1] == (AssistantMessage("I pay. ", (CALL,)), stopped)


def test_messages_of_the_user_between_which_no_answer_stands_are_one_for_the_model() -> None:
    failed = StoredMessage("a1", "assistant", (), status="failed", model_messages=())
    turn = plan(chat(U1, failed), message=user("u2", "Again?"))
    assert turn.messages == (UserMessage((TextPart("asks u1"), TextPart("Again?")), "u2"),)
    assert (turn.text, kept_ids(turn)) == ("Again?", ["u1", "a1", "u2"])


@pytest.mark.parametrize("wrote", [None, (AssistantMessage("", (CALL, OTHER)), ToolResult("c2", "pay", "ok"))])
def test_a_new_message_answers_every_call_that_waits(wrote: tuple[Message, ...] | None) -> None:
    parts = (called("c1", "input-available"), called("c2", "output-available", output="ok"))
    waiting = replace(answered("a1", *parts), status="waiting", model_messages=wrote)
    turn = plan(chat(U1, waiting), message=user("u2", "Never mind."))
    passed = turn.put[0]
    assert [message.id for message in turn.put] == ["a1", "u2"]
    assert passed.status == "complete"
    assert passed.parts[1:] == (called("c1", "output-error", errorText=GONE_ON), parts[1])
    told = (AssistantMessage("", (CALL, OTHER)), ToolResult("c1", "pay", GONE_ON), ToolResult("c2", "pay", "ok"))
    assert turn.messages[1:-1] == passed.model_messages == told
    assert turn.continued is None


POSTED = {"id": "a2", "role": "assistant", "parts": [called("c1", "output-available", output={"paid": 1})]}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [user("u1", "asks u1"), user("u2", "asks u2"), POSTED], "messageId": "a2"},
        {"message": POSTED, "messageId": "a2"},
        {"messageId": "a2", "toolOutputs": [{"toolCallId": "c1", "output": {"paid": 1}}]},
        {"toolOutputs": [{"toolCallId": "c1", "output": {"paid": 1}}]},
    ],
)
def test_an_answer_that_waits_is_continued_by_any_body(body: Any) -> None:
    turn = plan(chat(U1, A1, U2, WAITING), **body)
    assert turn.continued is WAITING
    assert (turn.message_id, turn.drop_from, turn.put, turn.made_id) == ("a2", None, (), None)
    [output] = turn.tool_outputs
    assert (output.call_id, output.output, output.error) == ("c1", {"paid": 1}, None)
    assert turn.messages[-2:] == (said("asks u2", "u2"), AssistantMessage("", (CALL,)))
    assert (turn.text, turn.last_agent) == ("asks u2", "Ann")


def test_a_continued_answer_has_the_results_that_are_known() -> None:
    wrote = (AssistantMessage("", (CALL, OTHER)), ToolResult("c2", "pay", "ok"))
    waiting = replace(WAITING, model_messages=wrote)
    turn = plan(chat(U1, waiting), approvals=[{"id": "w1", "approved": True}])
    assert turn.messages[1:] == wrote
    assert turn.approvals == (ApprovalAnswer("w1", True),)


def test_an_answer_that_was_stopped_may_be_gone_on_with() -> None:
    stopped = replace(A2, status="stopped")
    turn = plan(chat(U1, stopped), messages=[{"id": "a2", "role": "assistant", "parts": []}], messageId="a2")
    assert turn.continued is stopped
    assert turn.messages[-1] == AssistantMessage("says a2")


@pytest.mark.parametrize(
    ("stored", "body", "complaint"),
    [
        (None, {"message": POSTED, "messageId": "a2"}, "The chat has no message 'a2': load the chat again"),
        (None, {"approvals": [{"id": "w", "approved": True}]}, "The chat has no answer to go on with"),
        (
            chat(U1, A1, U2),
            {"approvals": [{"id": "w", "approved": True}]},
            "Message 'u2' is no answer: there is nothing to go on with",
        ),
        (
            chat(U1, WAITING, U2, A1),
            {"message": POSTED, "messageId": "a2"},
            "The chat has gone on since message 'a2': load the chat again",
        ),
    ],
)
def test_only_the_chats_last_answer_is_gone_on_with(stored: StoredChat | None, body: Any, complaint: str) -> None:
    assert refused(stored, **body) == (409, complaint)


def test_a_message_and_answers_at_once_are_too_much() -> None:
    body = {"message": "Yes", "approvals": [{"id": "w", "approved": True}]}
    assert refused(chat(U1, WAITING), **body) == (400, "Send a message, or answers to waiting calls, not both")


def in_short(through: str, *messages: StoredMessage) -> StoredChat:
    return replace(chat(*messages), summary=StoredSummary("Before.", through))


def test_a_summary_stands_for_the_messages_up_to_its_last() -> None:
    planned = plan(in_short("a1", U1, A1, U2, A2), message=user("u3", "More"))
    assert planned.summary == ConversationSummary("Before.", 2)
    assert planned.messages[2] == said("asks u2", "u2")
    assert planned.stored_summary(planned.summary) == StoredSummary("Before.", "a1")
    assert planned.stored_summary(ConversationSummary("All.", 4)) == StoredSummary("All.", "a2")


def test_a_summary_holds_while_what_it_stands_for_stays() -> None:
    stored = in_short("a1", U1, A1, U2, A2)
    assert plan(stored, trigger="regenerate-message").summary is not None
    assert plan(stored, message=user("u2", "Other"), messageId="u2").summary is not None
    assert plan(stored, trigger="regenerate-message", messageId="a1").summary is None
    assert plan(stored, message=user("u1", "Other"), messageId="u1").summary is None
    assert plan(in_short("gone", U1, A1), message=user("u2", "More")).summary is None
    assert plan(TALK, message=user("u3", "More")).summary is None


def test_a_summary_counts_what_models_read() -> None:
    pays = answered("a1", called("c1", "output-available", output="ok"), text_part("Paid."))
    failed = replace(answered("a2"), parts=(), status="failed")
    planned = plan(in_short("a1", U1, pays, U2, failed), message=user("u3", "Again"))
    assert planned.summary == ConversationSummary("Before.", 3)
    assert [type(message) for message in planned.messages[3:]] == [UserMessage]
    assert planned.stored_summary(planned.summary) == StoredSummary("Before.", "a1")


def test_a_summary_that_would_end_inside_a_message_is_not_read() -> None:
    failed = replace(answered("a1"), parts=(), status="failed")
    planned = plan(in_short("u1", U1, failed, U2, A2), message=user("u3", "More"))
    assert planned.summary is None


NAMELESS = chat(asked("u1", "one"), answered("a1"), asked("u2", "two"), answered("a2"))


def nameless(*texts: str) -> list[dict[str, Any]]:
    """All that a page without ids sends: the user's messages, and an answer between each two."""
    messages = [user(None, texts[0])]
    for text in texts[1:]:
        messages += [{"role": "assistant", "parts": [text_part("a")]}, user(None, text)]
    return messages


def test_a_page_without_ids_edits_by_sending_what_stands_before() -> None:
    edited = plan(NAMELESS, messages=nameless("one", "two EDITED"))
    assert (edited.drop_from, edited.text) == ("u2", "two EDITED")
    assert [message.id for message in edited.kept] == ["u1", "a1", "new1"]
    assert edited.made_id == "new1"


def test_a_page_without_ids_has_an_earlier_answer_anew() -> None:
    stored = chat(*NAMELESS.messages, asked("u3", "three"), answered("a3"))
    again = plan(stored, messages=nameless("one", "two"))
    assert (again.drop_from, again.text, again.put) == ("a2", "two", ())
    edited = plan(stored, messages=nameless("one", "2"))
    assert (edited.drop_from, edited.text) == ("u2", "2")


@pytest.mark.parametrize(
    "texts", [("one", "two", "three"), ("other", "two"), ("two",), ("one",), ("one", "two", "three", "four")]
)
def test_a_page_without_ids_that_sends_something_else_drops_nothing(texts: tuple[str, ...]) -> None:
    appended = plan(NAMELESS, messages=nameless(*texts))
    assert (appended.drop_from, appended.text) == (None, texts[-1])


def test_a_file_of_its_own_is_no_repetition() -> None:
    def photo(name: str) -> dict[str, Any]:
        return {"type": "file", "mediaType": "image/png", "url": f"https://example.com/{name}"}

    stored = chat(StoredMessage("u1", "user", (photo("a.png"),)), answered("a1"))
    assert plan(stored, messages=[{"role": "user", "parts": [photo("b.png")]}]).drop_from is None
    assert plan(stored, messages=[{"role": "user", "parts": [photo("a.png")]}]).drop_from == "a1"
