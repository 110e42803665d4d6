"""A kept message that is told once more makes the same message."""

from __future__ import annotations

from typing import Any

import pytest

from fondation import events
from fondation.messages import Json
from fondation.protocols.ui_message_stream import encode, encode_with_approvals
from fondation.protocols.ui_message_stream.assemble import Assembler, settled
from fondation.protocols.ui_message_stream.retell import retold
from fondation.stores.chats import StoredMessage
from tests.support.chunks import assert_acceptable, parse
from tests.support.page import Page
from tests.support.scenes import SCENES
from tests.support.scripted import play

END = b'data: {"type":"finish"}\n\ndata: [DONE]\n\n'


def kept(*parts: Json, **metadata: Json) -> StoredMessage:
    return StoredMessage("msg_1", "assistant", ({"type": "step-start"}, *parts), metadata)


def without_reasoning_ids(parts: Any) -> list[dict[str, Any]]:
    return [{n: v for n, v in part.items() if (part["type"], n) != ("reasoning", "id")} for part in parts]


@pytest.mark.parametrize("name", SCENES)
async def test_a_page_that_begins_anew_has_the_same_parts(name: str) -> None:
    assembler = Assembler()
    assembler.feed(await play(SCENES[name].run()))
    parts = settled(assembler.parts)
    chunks = parse(encode(retold(StoredMessage("msg_1", "assistant", parts, assembler.metadata))) + END)
    assert_acceptable(chunks)
    page = Page()
    page.read([*chunks, chunks[0]])  # what follows begins with a start of its own
    assert without_reasoning_ids(page.parts) == without_reasoning_ids(parts)
    assert (page.id, page.metadata) == ("msg_1", assembler.metadata)


def test_the_users_message_that_was_named_here_stays_named() -> None:
    metadata = {"agent": "Ann", "runId": "run_1", "userMessageId": "msg_0"}
    [start, *_] = retold(kept(**metadata))
    assert start == events.RunStarted("run_1", "msg_1", "Ann", "msg_0", metadata)


def test_arguments_that_were_not_written_to_their_end_stay_so() -> None:
    part = {"type": "tool-pay", "toolCallId": "c1", "state": "output-error", "rawInput": '{"a": 1', "input": {"a": 1}}
    assembler = Assembler()
    assembler.feed(retold(kept({**part, "errorText": "no"})))
    assert assembler.parts[1] == {**part, "errorText": "no"}


@pytest.mark.parametrize(
    ("approved", "states"),
    [
        (True, ["tool-input-available"]),
        (False, ["tool-input-available", "tool-approval-request", "tool-output-denied"]),
    ],
)
def test_an_answered_call_is_told_as_one_that_runs_or_was_denied(approved: bool, states: list[str]) -> None:
    part = {"type": "tool-pay", "toolCallId": "c1", "input": {}, "approval": {"id": "w1", "approved": approved}}
    state = "approval-responded" if approved else "output-denied"
    chunks = parse(encode_with_approvals(retold(kept({**part, "state": state}))) + END)
    assert [chunk["type"] for chunk in chunks if "toolCallId" in chunk] == states
