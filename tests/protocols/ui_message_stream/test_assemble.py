"""The message that the server keeps is the one that a page builds of the stream, at every moment of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation import events
from fondation.calls import TokenUsage
from fondation.events import Event, RunSummary
from fondation.protocols.conversation import ToolOutput
from fondation.protocols.ui_message_stream import encode
from fondation.protocols.ui_message_stream.assemble import Assembler, settled
from fondation.tool_results import STOPPED
from tests.support.chunks import Chunk
from tests.support.grammar import assert_well_formed
from tests.support.page import Page
from tests.support.scenes import SCENES
from tests.support.scripted import play


def chunks(event: Event) -> list[Chunk]:
    frames = encode([event]).decode().split("\n\n")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames if frame and frame != "data: [DONE]"]


def assert_same(told: Sequence[Event], assembler: Assembler, page: Page) -> None:
    """Raises AssertionError at the first event after which the two differ."""
    for event in told:
        assembler.feed([event])
        page.read(chunks(event))
        assert [*assembler.parts] == page.parts, event
        assert assembler.metadata == page.metadata, event


def assembled(*told: Event) -> Assembler:
    assembler = Assembler()
    assembler.feed([*told])
    return assembler


@pytest.mark.parametrize("name", SCENES)
async def test_a_run_is_kept_as_its_page_shows_it(name: str) -> None:
    assembler, page = Assembler(), Page()
    assert_same(await play(SCENES[name].run()), assembler, page)
    assert assembler.id == page.id == "msg_1"
    failed, stopped = name.startswith("failure"), name == "shutdown"
    assert assembler.status == ("failed" if failed else "stopped" if stopped else "complete")


def test_every_event_has_its_line() -> None:
    from fondation.protocols.ui_message_stream.assemble import _READERS
    from fondation.protocols.ui_message_stream.encode import _ENCODERS

    assert set(_READERS) == set(_ENCODERS)


words = st.text(max_size=4)
values = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), words, st.lists(words, max_size=2))
objects = st.dictionaries(st.sampled_from(["city", "n"]), values, max_size=2)
cost = st.none() | st.just(0.5)


class Teller:
    """Draws what a run tells, ids counted on through the runs of one message."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.count = 0
        self.waiting: list[str] = []

    def id(self) -> str:
        self.count += 1
        return f"i{self.count}"

    def run(self) -> list[Event]:
        """From its start to its outcome, answers to what waited included."""
        answers = [self.outcome(call) for call in self.waiting]
        self.waiting = []
        told: list[Event] = [events.RunStarted(self.id(), "msg", "A", self.draw(st.none() | st.just("u"))), *answers]
        for _ in range(self.draw(st.integers(0, 3))):
            told += self.step()
        usage = TokenUsage(prompt_tokens=self.draw(st.none() | st.just(3)), cost=self.draw(cost))
        model = self.draw(st.none() | st.just("m"))
        summary = RunSummary("r", "msg", "B", ("A", "B"), model, usage, "billed", "stop", 1, 1)
        if self.waiting:
            return [*told, events.RunWaiting(summary, ())]
        ends: list[Event] = [events.RunFinished(summary), events.RunAborted(summary)]
        return [*told, self.draw(st.sampled_from([*ends, events.RunFailed(summary, "No.", 502, "x")]))]

    def step(self) -> list[Event]:
        told: list[Event] = [events.StepStarted()]
        called: list[str] = []
        for kind in self.draw(
            st.lists(st.sampled_from(["text", "reasoning", "call", "source", "file", "data"]), max_size=4)
        ):
            if kind == "call":
                called.append(self.id())
                told += self.call(called[-1])
            else:
                told += getattr(self, kind)()
        for call in self.draw(st.permutations(called)):
            told += [*self.data(), self.outcome(call, may_wait=True)]
        return [*told, events.StepFinished(), *self.data()]

    def text(self) -> list[Event]:
        id = self.id()
        deltas = [events.TextDelta(id, text) for text in self.draw(st.lists(words, max_size=3))]
        return [events.TextStarted(id), *deltas, events.TextEnded(id)]

    def reasoning(self) -> list[Event]:
        id = self.id()
        deltas = [events.ReasoningDelta(id, text) for text in self.draw(st.lists(words, max_size=3))]
        return [events.ReasoningStarted(id), *deltas, events.ReasoningEnded(id)]

    def source(self) -> list[Event]:
        return [events.SourceCited(self.id(), "https://example.org", self.draw(st.none() | words))]

    def file(self) -> list[Event]:
        return [events.FileGenerated("data:image/png;base64,AAAA", "image/png")]

    def data(self) -> list[Event]:
        ids, names = st.sampled_from([None, "1", "2"]), st.sampled_from(["card", "note"])
        parts = st.builds(events.DataSent, names, values, ids, st.booleans())
        return [*self.draw(st.lists(parts, max_size=2))]

    def call(self, id: str) -> list[Event]:
        arguments = self.draw(st.one_of(objects, st.none(), st.just('{"city": "Ly')))
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        told: list[Event] = []
        if self.draw(st.booleans()):
            cut = self.draw(st.integers(0, len(written)))
            pieces = [events.ToolInputDelta(id, piece) for piece in (written[:cut], written[cut:])]
            told = [events.ToolInputStarted(id, "look"), *pieces]
        return [*told, events.ToolCalled(id, "look", arguments)]

    def outcome(self, id: str, *, may_wait: bool = False) -> Event:
        kinds = ["succeeded", "failed", "denied", *(["waits"] if may_wait else [])]
        match self.draw(st.sampled_from(kinds)):
            case "succeeded":
                return events.ToolSucceeded(id, "look", self.draw(values))
            case "failed":
                return events.ToolFailed(id, "look", "No.")
            case "denied":
                return events.ToolDenied(id, "look", self.draw(st.none() | st.just("Not now.")))
            case _:
                self.waiting.append(id)
                return events.ToolWaiting(f"w_{id}", id, "look", "approval", "{}", "A")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_a_run_tells_is_kept_as_the_page_shows_it(data: st.DataObject) -> None:
    told = Teller(data).run()
    assert_well_formed(told)
    assert_same(told, Assembler(), Page())


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_message_that_is_continued_is_kept_as_the_page_shows_it(data: st.DataObject) -> None:
    teller = Teller(data)
    before = assembled(*teller.run())
    assert (before.status == "waiting") == bool(teller.waiting)
    waiting = [*teller.waiting]
    told = teller.run()
    assert_well_formed(told, waiting=waiting)
    kept = json.loads(json.dumps([before.parts, before.metadata]))
    assert_same(told, Assembler.resume(*kept), Page(*kept))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_batches_change_nothing_and_snapshots_stay(data: st.DataObject) -> None:
    told = Teller(data).run()
    cut = data.draw(st.integers(0, len(told)))
    assembler = assembled(*told[:cut])
    snapshot = assembler.parts
    copy = json.dumps(snapshot)
    assembler.feed(told[cut:])
    assert assembler.parts == assembled(*told).parts
    assert json.dumps(snapshot) == copy


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_nothing_is_under_way_in_a_message_that_was_cut(data: st.DataObject) -> None:
    told = Teller(data).run()
    parts = assembled(*told[: data.draw(st.integers(0, len(told)))]).parts
    done = settled(parts)
    assert [part["type"] for part in done] == [part["type"] for part in parts]
    assert {part["state"] for part in done if "state" in part} <= {"done", "output-available", "output-error"}
    assert settled(done) == done


def call(state: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool-look", "toolCallId": "c1", "state": state, **more}


def test_what_was_cut_off_says_so() -> None:
    cut = assembled(
        events.TextStarted("t1"),
        events.TextDelta("t1", "So far"),
        events.ToolCalled("c1", "look", {"n": 1}),
    )
    assert settled(cut.parts) == (
        {"type": "text", "text": "So far", "state": "done"},
        call("output-error", input={"n": 1}, errorText=STOPPED),
    )


def test_arguments_show_as_far_as_they_are_written() -> None:
    assembler = assembled(events.ToolInputStarted("c1", "look"))
    assert assembler.parts == (call("input-streaming"),)
    assembler.feed([events.ToolInputDelta("c1", '{"city": "Ly')])
    assert assembler.parts == (call("input-streaming", input={"city": "Ly"}, rawInput='{"city": "Ly'),)
    assembler.feed([events.ToolInputDelta("c1", 'on"} so')])
    assert assembler.parts == (call("input-streaming", input={"city": "Lyon"}, rawInput='{"city": "Lyon"} so'),)


def test_arguments_that_are_no_json_show_as_they_are_written() -> None:
    assembler = assembled(events.ToolInputStarted("c1", "look"), events.ToolInputDelta("c1", "Lyon"))
    assert assembler.parts == (call("input-streaming", rawInput="Lyon"),)


@pytest.mark.parametrize(
    ("output", "part"),
    [
        (ToolOutput("c1", None), call("output-available", input={"n": 1}, output=None)),
        (ToolOutput("c1", error="Gone."), call("output-error", input={"n": 1}, errorText="Gone.")),
    ],
)
def test_what_a_pages_tool_gave_is_put_in(output: ToolOutput, part: Any) -> None:
    assembler = Assembler.resume([{"type": "step-start"}, call("input-available", input={"n": 1})], {})
    assembler.take_output(output)
    assert assembler.parts == ({"type": "step-start"}, part)
    with pytest.raises(KeyError):
        assembler.take_output(ToolOutput("c9", 1))


def test_fields_of_a_client_stay_and_an_earlier_outcome_goes() -> None:
    """A client of 5 answers an approval as if it had run the tool."""
    approval = {"id": "w1", "approved": True}
    kept = call("output-available", input={"n": 1}, output={"approved": True}, approval=approval, rawInput="{")
    assembler = Assembler.resume([kept], {"usage": {"cost": 1}})
    assembler.feed([events.ToolSucceeded("c1", "look", 7)])
    assert assembler.parts == (call("output-available", input={"n": 1}, output=7, approval=approval),)
    assembler = Assembler.resume([kept], {})
    assembler.feed([events.ToolFailed("c1", "look", "No.")])
    failed = call("output-error", input={"n": 1}, errorText="No.", approval=approval, rawInput="{")
    assert assembler.parts == (failed,)


def test_a_call_id_that_comes_again_in_another_step_is_another_part() -> None:
    first = [events.StepStarted(), events.ToolCalled("c1", "look", 1), events.ToolSucceeded("c1", "look", 1)]
    second = [events.StepStarted(), events.ToolCalled("c1", "look", 2), events.ToolFailed("c1", "look", "No.")]
    told: list[Event] = [*first, *second]
    assembler, page = Assembler(), Page()
    assert_same(told, assembler, page)
    assert [part.get("state") for part in assembler.parts] == [None, "output-available", None, "output-error"]


ASKED = (
    events.RunStarted("run_1", "msg_1", "Ann"),
    events.StepStarted(),
    events.ToolCalled("c1", "pay", {"n": 1}),
    events.ToolWaiting("wait_1", "c1", "pay", "approval", '{"n":1}', "Ann"),
    events.StepFinished(),
)


def test_a_call_that_waits_is_kept_as_a_page_with_approvals_shows_it() -> None:
    assembler = Assembler(approvals=True)
    assembler.feed([*ASKED])
    [_, part] = assembler.parts
    assert (part["state"], part["approval"], part["input"]) == ("approval-requested", {"id": "wait_1"}, {"n": 1})
    [_, plain] = assembled(*ASKED).parts
    assert plain["state"] == "input-available"


@pytest.mark.parametrize(
    ("approved", "outcome", "state"),
    [
        (True, events.ToolSucceeded("c1", "pay", 5), "output-available"),
        (False, events.ToolDenied("c1", "pay", "No."), "output-denied"),
    ],
)
def test_an_answer_stays_with_its_call(approved: bool, outcome: Event, state: str) -> None:
    first = Assembler(approvals=True)
    first.feed([*ASKED])
    assembler = Assembler.resume(first.parts, first.metadata, approvals=True)
    assembler.take_approval("c1", approved, "So.")
    assert assembler.parts[1]["state"] == "approval-responded"
    assembler.feed([events.RunStarted("run_2", "msg_1", "Ann"), outcome])
    [_, part] = assembler.parts
    assert (part["state"], part["approval"]) == (state, {"id": "wait_1", "approved": approved, "reason": "So."})


@pytest.mark.parametrize(
    ("left", "mended"),
    [
        ({"state": "approval-requested", "approval": {"id": "w"}}, {"approved": False, "reason": STOPPED}),
        (
            {"state": "output-error", "errorText": "Gone.", "approval": {"id": "w"}},
            {"approved": False, "reason": "Gone."},
        ),
        ({"state": "approval-responded", "approval": {"id": "w", "approved": False}}, {"approved": False}),
    ],
)
def test_a_call_that_was_asked_about_and_did_not_run_is_settled_as_denied(left: Any, mended: Any) -> None:
    part = {"type": "tool-pay", "toolCallId": "c1", "input": {"n": 1}}
    expected = {**part, "state": "output-denied", "approval": {"id": "w", **mended}}
    assert settled([{**part, **left}]) == (expected,)
    assert settled([expected]) == (expected,)


def test_a_call_that_was_agreed_to_and_cut_off_has_failed() -> None:
    approval = {"id": "w", "approved": True}
    part = {"type": "tool-pay", "toolCallId": "c1", "state": "approval-responded", "approval": approval}
    assert settled([part]) == ({**part, "state": "output-error", "errorText": STOPPED},)
