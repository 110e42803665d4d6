"""The grammar of a run's events, as a check: what is started is finished, ids are unique, one outcome comes last."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fondation import events
from fondation.calls import ModelCall
from fondation.events import Event

OUTCOMES = (events.RunFinished, events.RunWaiting, events.RunFailed, events.RunAborted)
INSIDE_A_STEP = (
    events.TextStarted,
    events.TextDelta,
    events.TextEnded,
    events.ReasoningStarted,
    events.ReasoningDelta,
    events.ReasoningEnded,
    events.ToolInputStarted,
    events.ToolInputDelta,
    events.ToolCalled,
    events.ToolSucceeded,
    events.ToolFailed,
    events.ToolWaiting,
    events.SourceCited,
    events.FileGenerated,
)


def assert_well_formed(told: Sequence[Event], *, waiting: Collection[str] = ()) -> None:
    """Raises AssertionError at the first event that breaks the grammar.

    `waiting` are the calls of an earlier run that this one answers: their outcomes come before its first step.
    """
    assert isinstance(told[0], events.RunStarted), "the run starts first"
    assert isinstance(told[-1], OUTCOMES), "the outcome comes last"
    assert sum(isinstance(event, OUTCOMES) for event in told) == 1, "there is one outcome"
    assert sum(isinstance(event, events.RunStarted) for event in told) == 1, "there is one start"
    checker = _Checker(waiting)
    for event in told:
        checker.check(event)
    checker.check_end()


class _Checker:
    def __init__(self, waiting: Collection[str]) -> None:
        self.waiting = set(waiting)
        self.in_step = False
        self.open_part: str | None = None
        self.seen: set[str] = set()
        self.inputs: set[str] = set()
        self.called: set[str] = set()
        self.open_calls: set[ModelCall] = set()

    def check(self, event: Event) -> None:
        call_id = getattr(event, "call_id", None)
        if call_id in self.waiting:
            assert not self.in_step, "what waited has its outcome before the first step"
            self.called.add(call_id)
            self.waiting.discard(call_id)
        elif isinstance(event, INSIDE_A_STEP):
            assert self.in_step, f"{event} is in a step"
        match event:
            case events.StepStarted():
                assert not self.in_step, "steps do not nest"
                self.in_step = True
            case events.StepFinished():
                assert self.in_step, "a step that was started is finished"
                assert self.open_part is None, "parts are closed before the step"
                assert not self.inputs, "tool inputs are complete before the step ends"
                assert not self.called, "tool calls have an outcome before the step ends"
                self.in_step = False
            case events.TextStarted(id) | events.ReasoningStarted(id):
                assert self.open_part is None, "one part is open at a time"
                self._unique(id)
                self.open_part = id
            case events.TextDelta(id) | events.ReasoningDelta(id):
                assert self.open_part == id, "a delta belongs to the open part"
            case events.TextEnded(id) | events.ReasoningEnded(id):
                assert self.open_part == id, "what ends was open"
                self.open_part = None
            case events.ToolInputStarted(call_id):
                self._unique(call_id)
                self.inputs.add(call_id)
            case events.ToolInputDelta(call_id):
                assert call_id in self.inputs, "a delta of arguments belongs to a begun call"
            case events.ToolCalled(call_id):
                if call_id not in self.inputs:
                    self._unique(call_id)
                self.inputs.discard(call_id)
                self.called.add(call_id)
            case (
                events.ToolSucceeded(call_id)
                | events.ToolFailed(call_id)
                | events.ToolDenied(call_id)
                | events.ToolWaiting(call_id=call_id)
            ):
                assert call_id in self.called, "an outcome belongs to a call, once"
                self.called.discard(call_id)
            case events.CallStarted(call):
                self.open_calls.add(call)
            case events.CallEnded(call):
                assert call in self.open_calls, "a call that ends was started, once"
                assert call.status != "running"
                assert call.cost_source != "pending" or call.askable, "an ended call is priced, or will be"
                self.open_calls.discard(call)

    def check_end(self) -> None:
        assert not self.in_step, "the last step is finished"
        assert not self.open_calls, "every call has ended"

    def _unique(self, id: str) -> None:
        assert id not in self.seen, f"the id {id} is unique"
        self.seen.add(id)
