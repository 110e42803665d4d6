"""What a user answers to calls that wait, in time or too late, and what a page sends back as it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import rule

from tests.server.machine.asking import Asking
from tests.server.machine.desk import EXPIRY
from tests.server.machine.housekeeping import Housekeeping
from tests.server.machine.model import Part, Told, answered
from tests.server.machine.situations import AS_JSON, USERS, WHICH, Key, for_chats, has_answer, waits, was_answered

REPLIES = st.sampled_from([(True, None), (True, "Fine."), (False, None), (False, "Too much.")])
TOO_LATE = (False, "Not run: nobody answered in time.")


class Answers(Asking, Housekeeping):
    @for_chats(waits)
    @rule(
        which=WHICH,
        data=st.data(),
        by_fields=st.booleans(),
        spoil=st.sampled_from([None, None, None, "altered", "missing", "foreign"]),
        as_json=AS_JSON,
    )
    def answer(self, which: int, data: st.DataObject, by_fields: bool, spoil: str | None, as_json: bool) -> None:
        """Answer what waits; or try to with something else."""
        self._answer(self.pick(which, waits), data, by_fields, spoil, as_json)

    @for_chats(waits)
    @rule(
        which=WHICH,
        data=st.data(),
        by_fields=st.booleans(),
        spoil=st.sampled_from([None, "altered", "missing"]),
        as_json=AS_JSON,
    )
    def answer_too_late(
        self, which: int, data: st.DataObject, by_fields: bool, spoil: str | None, as_json: bool
    ) -> None:
        """Whatever is said to what has expired, it is denied; what a page is to give does not expire."""
        key = self.pick(which, waits)
        self.do(self.let_pass(EXPIRY))
        self._answer(key, data, by_fields, spoil, as_json)

    def _answer(self, key: Key, data: st.DataObject, by_fields: bool, spoil: str | None, as_json: bool) -> None:
        chat, last = self.chats[key], self._last(key)
        approvals, expired = self.knows_approvals(key), self._expired(key)
        answers: dict[str, Any] = {
            part["toolCallId"]: data.draw(REPLIES) if part["type"] == "tool-refund" else self.word()
            for part in last.waiting
        }
        due = answers.keys() - expired
        if spoil == "missing":
            missing, _ = answers.popitem()
            is_refused = missing in due
        else:
            is_refused = spoil == "altered" and bool(due)
        page = answered(last, answers, approvals=approvals)
        body: Part = {"id": key[1], "trigger": "submit-message", "messageId": last.id, "message": page.for_body}
        if spoil == "altered":
            body["message"]["parts"] = [_altered(part, answers) for part in page.parts or ()]
        elif by_fields and answers:
            body = {"id": key[1], **_fields(last, answers, approvals)}
        if spoil == "foreign":
            self._forge(key, body)
            return
        if spoil is None:
            chat.replayed = body
        kept = answered(last, {**answers, **expired}, approvals=approvals)
        self.do(self.ask(key, body, lambda: 409 if is_refused else kept, as_json=as_json))

    def _last(self, key: Key) -> Told:
        """The chat's last message: whoever did not read it as it came reads it now."""
        if self.chats[key].messages[-1].parts is None:
            self.do(self.read_chat(key))
        return self.chats[key].messages[-1]

    def _expired(self, key: Key) -> dict[str, Any]:
        """What is answered to the calls for which it is too late, by their ids."""
        chat = self.chats[key]
        assert chat.run is not None
        assert chat.run.ended_at is not None
        if self.clock() - chat.run.ended_at < EXPIRY:
            return {}
        return {part["toolCallId"]: TOO_LATE for part in chat.messages[-1].waiting if part["type"] == "tool-refund"}

    def _forge(self, key: Key, body: Part) -> None:
        other = (next(user for user in USERS if user != key[0]), key[1])
        theirs = self.chats[other]
        if theirs.live is None and not (theirs.messages and theirs.messages[-1].role == "assistant"):
            self.do(self.ask(other, body, lambda: 409))

    @for_chats(was_answered)
    @rule(which=WHICH, as_json=AS_JSON)
    def answer_again(self, which: int, as_json: bool) -> None:
        """An answer counts once; one to a message that has broken off since only says to go on."""
        key = self.pick(which, was_answered)
        chat = self.chats[key]
        body = chat.replayed
        if body is None or "messageId" not in body:
            return
        last = self._last(key)
        goes_on = last.id == body["messageId"] and last.status in ("stopped", "failed", "cut")
        kept = last if goes_on else self._without_answers(key, last) if last.id == body["messageId"] else None
        self.do(self.ask(key, body, lambda: kept or 409, as_json=as_json))

    @for_chats(has_answer)
    @rule(which=WHICH, as_json=AS_JSON)
    def go_on(self, which: int, as_json: bool) -> None:
        """Send the last answer back as it is: it is continued, where it waits for nothing."""
        key = self.pick(which, has_answer)
        last = self.chats[key].messages[-1]
        is_refused = last.has_outcomes and last.status == "complete"
        kept = self._without_answers(key, last) if last.waiting else None if is_refused else last
        body = {"id": key[1], "trigger": "submit-message", "messageId": last.id, "message": last.for_body}
        self.do(self.ask(key, body, lambda: kept or 409, as_json=as_json))

    def _without_answers(self, key: Key, last: Told) -> Told | None:
        """A message that waits, as it goes on where nothing of it can be answered any more."""
        expired = self._expired(key) if last.waiting else {}
        if not expired or len(expired) < len(last.waiting):
            return None
        return answered(last, expired, approvals=self.knows_approvals(key))


def _altered(part: Part, answers: Collection[str]) -> Part:
    return {**part, "input": {"amount": 9}} if part.get("toolCallId") in answers else part


def _fields(message: Told, answers: dict[str, Any], approvals: bool) -> Part:
    """The answers as a plain client writes them; approvals have ids where the page knows approvals."""
    given: Part = {"approvals": [], "toolOutputs": []}
    for part in message.waiting:
        if (answer := answers.get(part["toolCallId"])) is None:
            continue
        if part["type"] != "tool-refund":
            given["toolOutputs"].append({"toolCallId": part["toolCallId"], "output": answer})
            continue
        said = {"approved": answer[0]} if answer[1] is None else {"approved": answer[0], "reason": answer[1]}
        if approvals:
            given["approvals"].append({"id": part["approval"]["id"], **said})
        else:
            given["toolOutputs"].append({"toolCallId": part["toolCallId"], "output": said})
    return given
