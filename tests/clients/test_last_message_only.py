"""A page that posts its newest message alone: the server knows the rest."""

from __future__ import annotations

import pytest

from .harness import Body, Turn
from .stage import Stage, assert_answered, assert_lasts
from .upstream import calls, says

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("body", ["full", "message", "turn"])
def test_the_model_reads_the_turns_before(stage: Stage, body: Body) -> None:
    turns = [Turn(send="Oslo?"), Turn(send="And Rome?")]
    outcome = stage.play(
        calls(("get_weather", {"city": "Oslo"})), says("Clear."), says("Clear too."), turns=turns, body=body
    )
    assert_answered(outcome, posts=2)
    posted = outcome.exchanges[1].body
    assert posted is not None
    assert ("messages" in posted) == (body == "full")
    last = stage.upstream.calls[-1]
    assert last.roles == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert [last.texts[1], *last.texts[4:]] == ["Oslo?", "Clear.", "And Rome?"]
    assert_lasts(stage, outcome)


def test_a_chat_belongs_to_its_user(stage: Stage) -> None:
    mine, yours = {"x-user-id": "ann"}, {"x-user-id": "bob"}
    outcome = stage.ask(says("Yes."), send="My secret.", body="turn", headers=mine)
    other = stage.reopen(
        outcome.chat_id, says("No."), turns=[Turn(send="What did I say?")], messages=[], body="turn", headers=yours
    )
    assert_answered(other)
    assert stage.upstream.calls[-1].roles == ["system", "user"]
    assert stage.request("GET", f"/api/chats/{outcome.chat_id}")[0] == 404
    assert_lasts(stage, other, **yours)
    assert len(stage.kept(outcome.chat_id, **mine)) == 2
