"""What a user says: new messages, edited ones, and answers wanted anew."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.server.machine.asking import Asking, Expected
from tests.server.machine.housekeeping import Housekeeping
from tests.server.machine.model import Chat, Part, Told, adopted
from tests.server.machine.situations import AS_JSON, KEYS, WHICH, Key, for_chats, is_kept, is_remembered

SHAPES = st.sampled_from(["text", "message", "content", "whole"])


class Questions(Asking, Housekeeping):
    @rule(key=KEYS, shape=SHAPES, as_json=AS_JSON)
    def send(self, key: Key, shape: str, as_json: bool) -> None:
        word, id = self.word(), f"u{next(self.numbers)}"
        said: Part = {"type": "text", "text": word}
        message: Part = {"id": id, "role": "user", "parts": [said]}
        chat = self.chats[key]
        body: Part = {"id": key[1], "trigger": "submit-message"}
        match shape:
            case "text":
                body["message"] = word
            case "message":
                body["message"] = message
            case "content":
                body["message"] = {"role": "user", "content": word}
            case "whole":
                body["messages"] = [*(each.for_body for each in self._shown(chat)), message]
        has_id = shape in ("message", "whole")
        new = Told(id if has_id else "", "user", (said,), words=(word,))
        self.do(self.ask(key, body, lambda: [*_passed(chat.messages), new], as_json=as_json))

    def _shown(self, chat: Chat) -> list[Told]:
        """What a page shows: all that is kept, and what is being written."""
        run = chat.live
        if run is None:
            return chat.messages
        known = [message for message in chat.messages if message.id != run.message_id]
        return [*known, Told(run.message_id, "assistant", ())]

    @for_chats(is_kept)
    @rule(which=WHICH, place=st.integers(0, 5), whole=st.booleans(), named=st.booleans(), as_json=AS_JSON)
    def edit(self, which: int, place: int, whole: bool, named: bool, as_json: bool) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        at = _question(chat.messages, place)
        new = self._reworded(chat.messages[at])
        body: Part = {"id": key[1], "trigger": "submit-message"}
        if named:
            body["messageId"] = new.id
        if whole:
            body["messages"] = [*(message.for_body for message in chat.messages[:at]), new.for_body]
        else:
            body["message"] = new.for_body
        self.do(self.ask(key, body, lambda: [*_passed(chat.messages[:at]), new], as_json=as_json))

    def _reworded(self, question: Told) -> Told:
        word = self.word()
        return Told(question.id, "user", ({"type": "text", "text": word},), words=(word,))

    @for_chats(is_kept)
    @rule(
        which=WHICH,
        place=st.none() | st.integers(0, 5),
        shape=st.sampled_from(["bare", "message", "whole"]),
        as_json=AS_JSON,
    )
    def regenerate(self, which: int, place: int | None, shape: str, as_json: bool) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        shown = self._shown(chat)
        at = len(shown) - 1 if place is None else place % len(shown)
        end = at + (shown[at].role == "user")
        if shape != "bare" and shown[end - 1].role != "user":  # a page without a question before the answer
            return
        body: Part = {"id": key[1], "trigger": "regenerate-message"}
        if place is not None:
            body["messageId"] = shown[at].id
        if shape == "message":
            body["message"] = shown[end - 1].for_body
        elif shape == "whole":
            body["messages"] = [message.for_body for message in shown[:end]]
        if shape == "bare" and place is None:
            end = max(at for at, message in enumerate(shown) if message.role == "user") + 1
        ids = [message.id for message in shown[:end]]
        self.do(self.ask(key, body, lambda: [m.passed() for m in chat.messages if m.id in ids], as_json=as_json))

    @for_chats(is_kept)
    @rule(which=WHICH)
    def name_a_message_that_is_not_there(self, which: int) -> None:
        key = self.pick(which, is_kept)
        chat = self.chats[key]
        if chat.exists:
            body = {"id": key[1], "trigger": "regenerate-message", "messageId": "nobody"}
            self.do(self.ask(key, body, lambda: 409))

    @for_chats(is_remembered)
    @rule(
        which=WHICH,
        place=st.integers(0, 5),
        how=st.sampled_from(["submit", "edit", "regenerate", "regenerate by id"]),
        as_json=AS_JSON,
    )
    def come_back(self, which: int, place: int, how: str, as_json: bool) -> None:
        """A page goes on with a chat that another one deleted: what it sends along is adopted, an answer that it names
        is not there.
        """
        key = self.pick(which, is_remembered)
        if self.chats[key].exists:
            self.do(self.delete(key))
        shown = self.chats[key].remembered
        at = _question(shown, place)
        body: Part = {"id": key[1], "trigger": "submit-message"}
        match how:
            case "submit":
                before, new = shown, self._reworded(Told(f"u{next(self.numbers)}", "user", None))
            case "edit":
                before, new = shown[:at], self._reworded(shown[at])
                body["messageId"] = new.id
            case _:
                before, new = shown[:at], shown[at]
                body["trigger"] = "regenerate-message"
        body["messages"] = [message.for_body for message in (*before, new)]
        expected: Expected = [*adopted(before), new]
        if how == "regenerate by id":
            body["messageId"] = f"answer to {new.id}"
            expected = 409
        self.do(self.ask(key, body, lambda: expected, as_json=as_json))


def _question(messages: list[Told], place: int) -> int:
    """Where one of the user's messages stands."""
    questions = [at for at, message in enumerate(messages) if message.role == "user"]
    return questions[place % len(questions)]


def _passed(messages: list[Told]) -> list[Told]:
    return [message.passed() for message in messages]
