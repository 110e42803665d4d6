"""Whatever a user does in whatever order, a body of one message means what a body of all messages means."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.chats import TurnPlan, plan_turn
from fondation.errors import RequestError
from fondation.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from fondation.protocols.ui_message_stream import decode
from fondation.stores.chats import ChatKey, MessageStatus, StoredChat, StoredMessage

UIMessage = dict[str, Any]
texts = st.text("ab ", min_size=1, max_size=3).filter(str.strip)
statuses: st.SearchStrategy[MessageStatus] = st.sampled_from(["complete", "waiting", "failed", "stopped", "cut"])


class Page:
    """A `useChat` with its list of messages, before a chat that is kept by the plans it is given."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.messages: list[UIMessage] = []
        self.stored: tuple[StoredMessage, ...] | None = None
        self.numbers = count(1)

    def send(self) -> None:
        said = {"type": "text", "text": self.draw(texts)}
        self.messages.append({"id": f"u{next(self.numbers)}", "role": "user", "parts": [said]})
        self.post("submit-message")

    def edit(self) -> None:
        questions = [place for place, message in enumerate(self.messages) if message["role"] == "user"]
        if not questions:
            return
        place = self.draw(st.sampled_from(questions))
        del self.messages[place + 1 :]
        said = {"type": "text", "text": self.draw(texts)}
        self.messages[place] = {**self.messages[place], "parts": [said]}
        self.post("submit-message", self.messages[place]["id"])

    def regenerate(self) -> None:
        if not self.messages:
            return
        place = self.draw(st.integers(0, len(self.messages) - 1)) if self.draw(st.booleans()) else None
        last = len(self.messages) - 1 if place is None else place
        named = None if place is None else self.messages[place]["id"]
        del self.messages[last + (self.messages[last]["role"] == "user") :]
        self.post("regenerate-message", named)

    def post(self, trigger: str, message_id: str | None = None) -> None:
        """Both bodies are planned; the request is then answered, or is lost before anything is kept."""
        common = {"id": "c1", "trigger": trigger, **({} if message_id is None else {"messageId": message_id})}
        id = f"a{next(self.numbers)}"
        plan = self.plan(id, {**common, "messages": self.messages})
        assert plan == self.plan(id, {**common, "message": self.messages[-1]})
        if isinstance(plan, int):
            assert plan == 409
            return
        self.check(plan)
        if self.stored is None or self.draw(st.integers(0, 5)):
            self.answer(plan)

    def plan(self, id: str, body: UIMessage) -> TurnPlan | int:
        key = ChatKey("u", "c1")
        stored = None if self.stored is None else StoredChat(key, None, "Ann", 1.0, 1.0, self.stored)
        try:
            return plan_turn(stored, decode(msgspec.json.encode(body)), 7.0, lambda: id)
        except RequestError as error:
            return error.status

    def check(self, plan: TurnPlan) -> None:
        assert saved(self.stored or (), plan) == plan.kept
        assert len({message.id for message in plan.kept}) == len(plan.kept)
        assert plan.kept[-1].parts == tuple(self.messages[-1]["parts"])
        assert plan.kept[-1].id == self.messages[-1]["id"]
        assert plan.text == self.messages[-1]["parts"][0]["text"]
        assert plan.made_id is None
        assert plan.continued is None
        assert_sane(plan.messages)
        last = plan.messages[-1]
        assert isinstance(last, UserMessage)
        assert last.text.endswith(plan.text)

    def answer(self, plan: TurnPlan) -> None:
        status = self.draw(statuses)
        calls = [f"{plan.message_id}-{number}" for number in range(self.draw(st.integers(0, 2)))]
        parts: list[UIMessage] = [{"type": "step-start"}]
        parts += [{"type": "text", "text": text, "state": "done"} for text in self.draw(st.lists(texts, max_size=1))]
        for call in calls:
            done = self.draw(st.booleans())
            state = {"state": "output-available", "output": 1} if done else {"state": "input-available"}
            parts.append({"type": "tool-pay", "toolCallId": call, "input": {}, **state})
        answer = StoredMessage(plan.message_id, "assistant", tuple(parts), status=status)
        if self.draw(st.booleans()):
            answer = replace(answer, model_messages=self.wrote(calls))
        self.stored = (*plan.kept, answer)
        self.messages.append({"id": answer.id, "role": "assistant", "parts": parts})

    def wrote(self, calls: list[str]) -> tuple[Message, ...]:
        asked = AssistantMessage(self.draw(texts), tuple(ToolCall(call, "pay", "{}") for call in calls))
        known = self.draw(st.permutations(calls))[: self.draw(st.integers(0, len(calls)))]
        return (asked, *(ToolResult(call, "pay", "ok") for call in known))


def saved(stored: tuple[StoredMessage, ...], plan: TurnPlan) -> tuple[StoredMessage, ...]:
    """As a store does it: drop, replace those that it has, append the others."""
    ids = [message.id for message in stored]
    left = stored if plan.drop_from is None else stored[: ids.index(plan.drop_from)]
    put = {message.id: message for message in plan.put}
    return (*(put.pop(message.id, message) for message in left), *put.values())


def assert_sane(messages: tuple[Message, ...]) -> None:
    """Turns alternate, the user begins, and behind each call is its result."""
    assert isinstance(messages[0], UserMessage)
    waiting: list[str] = []
    for before, message in zip((None, *messages), messages, strict=False):
        if isinstance(message, ToolResult):
            assert waiting.pop(0) == message.call_id
            continue
        assert not waiting
        if isinstance(message, UserMessage):
            assert not isinstance(before, UserMessage)
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
    assert not waiting


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_full_bodies_and_single_messages_do_the_same(data: st.DataObject) -> None:
    page = Page(data)
    page.send()
    for act in data.draw(st.lists(st.sampled_from([page.send, page.edit, page.regenerate]), max_size=7)):
        act()
