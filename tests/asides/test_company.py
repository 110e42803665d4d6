"""A run in company, without a server: what is asked, when, and what is not."""

from __future__ import annotations

import asyncio

from fondation import events
from fondation.asides import Asides, Company, accompany
from fondation.calls import RunInfo
from fondation.config import Suggestions
from fondation.deadline import Reason
from fondation.events import Batch, Batches
from fondation.gate import Unlimited
from fondation.messages import TextPart, UserMessage
from fondation.run_request import RunRequest, Start
from fondation.runner import Run
from tests.support.grammar import assert_well_formed
from tests.support.scripted import Player, ScriptedProvider, build_route, text


async def accompanied(provider: ScriptedProvider, *, ended: Reason | None = None) -> list[Batch]:
    """The batches of a run in company; `ended` is why its time is over when it has answered."""
    route = build_route(provider, {"Ann": Player()}, suggestions=Suggestions())
    request = RunRequest(RunInfo("run_1", "s1"), route, Start(route.agent), (UserMessage((TextPart("Hi"),)),), "msg_1")
    run, asides = Run(request), Asides()

    async def events_of_run() -> Batches:
        async for batch in run.events():
            if ended is not None and isinstance(batch[-1], events.RunFinished):
                run.deadline.expire(ended)
            yield batch

    company = Company(request, run.deadline, lambda: run.dialogue.produced, asides, Unlimited(run._gate), None)
    async with asyncio.timeout(5):
        return [batch async for batch in accompany(events_of_run(), company)]


async def test_what_ends_the_answer_is_told_before_suggestions_are_waited_for() -> None:
    *_, before, last = await accompanied(ScriptedProvider([text("ok")], beside={"suggestions": [text('["More?"]')]}))
    assert isinstance(before[-1], events.StepFinished)
    assert last[0] == events.DataSent("suggestions", {"prompts": ["More?"]})
    assert isinstance(last[1], events.RunFinished)


async def test_a_run_whose_time_is_over_asks_for_nothing() -> None:
    provider = ScriptedProvider([text("ok")])
    batches = await accompanied(provider, ended="left")
    assert_well_formed([event for batch in batches for event in batch])
    assert provider.asked_beside == []
