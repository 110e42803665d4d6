"""The loop: an agent's steps, its tools, its handoffs, until one outcome. It yields events and knows no listener."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

from fondation.agents import Model
from fondation.attempts import Attempts
from fondation.calls import ModelCall
from fondation.deadline import Deadline, DeadlineReached
from fondation.dialogue import Dialogue, answer_so_far
from fondation.errors import ContextTooLong, ProviderError
from fondation.events import (
    Batch,
    Batches,
    Event,
    HandedOff,
    RoundStarted,
    RunAborted,
    RunFailed,
    RunFinished,
    RunStarted,
    RunSummary,
    RunWaiting,
    StepFinished,
    StepStarted,
    Strategy,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolDenied,
    ToolFailed,
    ToolWaiting,
)
from fondation.gate import CallStopped, Gate, always_go
from fondation.handoffs import TOOL_NAME
from fondation.memory import TOOL_NAME as UPDATE_MEMORY
from fondation.memory import MemoryTool
from fondation.messages import AssistantMessage, Json, Message, SystemMessage, ToolCall, ToolResult
from fondation.overflow import shrink
from fondation.providers.base import ForcedTool, ModelRequest
from fondation.run_request import RunRequest, ToolAnswer
from fondation.summary import summarize
from fondation.tool_results import denial_text
from fondation.tools.base import Tool
from fondation.tools.execution import ToolRunner
from fondation.turn import Answered, CallTools, Ids, PassOn, Turn

log = logging.getLogger("fondation.runner")

NO_STEPS_LEFT = "The tool was not run: no steps are left."
HANDOFF_DROPPED = "Not done: another call of this turn waits for an answer first."
LAST_WORDS = "I could not finish this within the steps that I have."


class Run:
    """One run: `events()` is the run, to be iterated once; `deadline` can end it."""

    def __init__(self, request: RunRequest, gate: Gate = always_go) -> None:
        limits = request.route.limits
        self.deadline = Deadline(limits.run_timeout)
        self.calls: list[ModelCall] = []
        self.chain = [request.start.agent.name]
        self._request = request
        self._gate = gate
        self._limits = limits
        self._agent = request.start.agent
        self.dialogue = Dialogue(request.messages, request.summary)
        self._ids = Ids([*request.call_ids, *_call_ids(request.messages)])
        self._tools = ToolRunner(
            request.info, request.context, self.deadline, limits.max_tool_result, _called(request.messages)
        )
        self._instructions: dict[str, SystemMessage] = {}
        self._round_steps = 0
        self._steps = 0
        self._showed_tools = False
        self._waiting: list[ToolWaiting] = []
        self._turn = Turn(self._ids)

    async def events(self) -> Batches:
        """What happens, from `RunStarted` to the outcome. Never raises but what ends the iteration itself."""
        outcome: Event
        try:
            yield self._opening()
            async with contextlib.aclosing(self._loop()) as batches:
                async for batch in batches:
                    yield batch
            outcome = self._completed()
        except ProviderError as error:
            outcome = self._failed(error.sentence, error.http_status, error.error_type, error.retry_after)
        except CallStopped as stopped:
            stop = stopped.stop
            outcome = self._failed(stop.sentence, stop.http_status, stop.error_type, stop.retry_after, stop.details)
        except DeadlineReached as reached:
            if reached.reason == "timeout":
                outcome = self._failed("The answer took too long and was stopped.", 504, "run_timeout")
            else:
                outcome = RunAborted(self._summary("aborted"), reached.reason)
        except Exception:
            log.exception("run %s failed", self._request.info.run_id)
            outcome = self._failed("Something went wrong on the server.", 500, "internal")
        finally:
            self.deadline.close()
        if isinstance(outcome, RunFailed | RunAborted):
            self._keep_partial_answer()
            yield [*self._turn.finish(), *self._step_without_tools(), outcome]
        else:
            yield [*self._turn.finish(), outcome]

    def blame_deadline(self) -> None:
        """Say in the calls that are open why they end: the run's time is over, and nobody reads what it says of it."""
        for call in self.calls:
            if call.status == "running":
                call.error_type = "run_timeout"

    def _opening(self) -> Batch:
        request, agent = self._request, self._agent
        own = request.route.agent
        ids = (request.info.run_id, request.message_id)
        batch: Batch = [RunStarted(*ids, agent.name, request.user_message_id, earlier=request.earlier)]
        if request.start.strategy is not None and agent is not own:
            batch.append(HandedOff(own.name, agent.name, request.start.strategy))
        routing = agent is own and bool(agent.handoffs)
        batch.append(RoundStarted(agent.name, "routing" if routing else "executing"))
        return batch

    async def _loop(self) -> Batches:
        """What waited first; then step after step until an agent has answered."""
        if self._request.answers:
            async with contextlib.aclosing(self._take_answers()) as batches:
                async for batch in batches:
                    yield batch
        while True:
            last = self._begin_step()
            async with contextlib.aclosing(self._ask(last)) as batches:
                async for batch in batches:
                    yield batch
            outcome = self._turn.outcome(() if last else self._targets())
            match outcome:
                case Answered() if self._turn.only_routes:
                    yield [*self._turn.finish(), *self._hand_off(next(iter(self._targets())), "programmatic")]
                case Answered() if last and not self._turn.has_text:
                    yield self._last_words()
                    return
                case Answered():
                    self.dialogue.add(self._turn.message(), {})
                    return
                case CallTools(calls) if last:
                    failed = [ToolFailed(call.id, call.name, NO_STEPS_LEFT) for call in calls]
                    yield [*self._turn.close(), *failed, *self._last_words()]
                    return
                case CallTools() | PassOn():
                    async with contextlib.aclosing(self._call_tools(outcome)) as batches:
                        async for batch in batches:
                            yield batch
                    if self._waiting:
                        return
                    told = self._turn.finish()
                    if isinstance(outcome, PassOn):
                        told += self._hand_off(outcome.handoff.target, "llm", outcome.handoff.reason)
                    yield told
                case never:
                    assert_never(never)

    def _begin_step(self) -> bool:
        """Count the step; True where it is the one beyond the cap, in which the agent must answer."""
        self._steps += 1
        self._round_steps += 1
        self._showed_tools = self._showed_tools or self._turn.showed_tools
        last = self._round_steps > (self._agent.max_turns or self._limits.max_steps)
        self._turn = Turn(self._ids, only_routes=self._must_route() and not last)
        return last

    def _targets(self) -> Mapping[str, str]:
        """Whom the agent may hand off to now: nobody in the last round."""
        return self._agent.handoffs if len(self.chain) < self._limits.max_rounds else {}

    def _must_route(self) -> bool:
        return self._agent.route_only and bool(self._targets())

    async def _ask(self, last: bool) -> Batches:
        """One model turn; of a conversation that is too long for the model the oldest turns are left out or become a
        summary.
        """
        while True:
            try:
                async with contextlib.aclosing(self._ask_once(last)) as batches:
                    async for batch in batches:
                        yield batch
                return
            except ContextTooLong:
                if self.calls[-1].first_token is not None or not self.dialogue.can_shrink(self._agent.summarizes):
                    raise
            shrinking = shrink(self.dialogue, self._agent, self.chain, self._request.info, self._gate, self.deadline)
            async with contextlib.aclosing(shrinking) as batches:
                async for batch in batches:
                    yield batch

    async def _ask_once(self, last: bool) -> Batches:
        agent, targets, info = self._agent, self._targets(), self._request.info
        request = ModelRequest(
            messages=self.dialogue.for_model(self._system_message(), agent.last_messages, agent.summarizes),
            tools=agent.specs_with_handoff if targets else agent.specs,
            tool_choice="none" if last else ForcedTool(TOOL_NAME) if self._must_route() else "auto",
            user_id=info.user_id,
            session_id=info.session_id,
            handoffs=targets,
        )
        attempts = Attempts(info, agent, self._gate, self.deadline, self._new_call)
        async with contextlib.aclosing(attempts.ask(request)) as items:
            async for batch in items:
                if shown := self._turn.translate(batch):
                    yield shown

    def _new_call(self, model: Model, attempt: int) -> ModelCall:
        asked_before = sum(call.step == self._steps for call in self.calls)
        call = ModelCall(
            agent=self._agent.name,
            provider=model.provider.name,
            requested_model=model.id,
            handoff_chain=tuple(self.chain),
            round=len(self.chain),
            step=self._steps,
            attempt=max(attempt, asked_before + 1),
        )
        self.calls.append(call)
        return call

    def _system_message(self) -> SystemMessage:
        """The agent's instructions, rendered once a run."""
        name = self._agent.name
        if name not in self._instructions:
            request = self._request
            self._instructions[name] = self._agent.system_message(request.info, request.context, request.memory)
        return self._instructions[name]

    async def _call_tools(self, outcome: CallTools | PassOn) -> Batches:
        """Run the turn's tools; calls and results go into the conversation, whatever happens meanwhile."""
        results = dict(outcome.results)
        message = self._turn.message()
        try:
            if outcome.calls:
                yield self._turn.close()
                async with contextlib.aclosing(self._run_calls(outcome.calls, results)) as batches:
                    async for batch in batches:
                        yield batch
            if self._waiting and isinstance(outcome, PassOn):
                id = outcome.handoff.call_id
                results[id] = ToolResult(id, TOOL_NAME, HANDOFF_DROPPED)
        finally:
            self.dialogue.add(message, results)

    async def _run_calls(
        self, calls: Sequence[ToolCall], results: dict[str, ToolResult], *, approved: bool = False
    ) -> Batches:
        batches = self._tools.run_calls(self._agent.name, self._own_tools(), calls, results, approved=approved)
        async with contextlib.aclosing(batches):
            async for batch in batches:
                self._waiting += [event for event in batch if isinstance(event, ToolWaiting)]
                yield batch
        order = [call.id for call in calls]  # some took longer to find out that they wait
        self._waiting.sort(key=lambda event: order.index(event.call_id))

    def _own_tools(self) -> Mapping[str, Tool]:
        """What the agent may call; of these the one that updates its memory belongs to this run."""
        agent = self._agent
        if agent.memory is None:
            return agent.tools
        return {**agent.tools, UPDATE_MEMORY: MemoryTool(agent.memory, self._request.memory)}

    async def _take_answers(self) -> Batches:
        """Go on where an earlier run waited: approved calls run now, behind their own message."""
        answers = self._request.answers
        results = {answer.call.id: _result_of(answer) for answer in answers if answer.kind != "run"}
        if denied := [ToolDenied(a.call.id, a.call.name, a.text) for a in answers if a.kind == "denied"]:
            yield [*denied]
        approved = [answer.call for answer in answers if answer.kind == "run"]
        try:
            if approved:
                async with contextlib.aclosing(self._run_calls(approved, results, approved=True)) as batches:
                    async for batch in batches:
                        yield batch
        finally:
            self.dialogue.add_results([results[answer.call.id] for answer in answers if answer.call.id in results])

    def _hand_off(self, target: str, strategy: Strategy, reason: str | None = None) -> Batch:
        """The next round begins: `target` has the conversation."""
        source, self._agent = self._agent, self._request.route.reachable[target]
        self.chain.append(target)
        self._round_steps = 0
        return [HandedOff(source.name, target, strategy, reason), RoundStarted(target, "executing")]

    def _last_words(self) -> Batch:
        """An answer where the steps ran out and the model gave none: never silence."""
        id = self._ids.part("t")
        text = [TextStarted(id), TextDelta(id, LAST_WORDS), TextEnded(id)]
        return [*self._turn.finish(), StepStarted(), *text, StepFinished()]

    def _completed(self) -> RunFinished | RunWaiting:
        if self._waiting:
            return RunWaiting(self._summary("tool-calls"), tuple(self._waiting))
        return RunFinished(self._summary())

    def _keep_partial_answer(self) -> None:
        """What an answer that broke off had said stays in the conversation."""
        if self._turn.has_text and not self._turn.is_complete:
            self.dialogue.add(self._turn.message(), {})

    def _step_without_tools(self) -> Batch:
        """An empty step behind the last one, where tools were called.

        A page that posts again once all tool calls have results looks at the last step; ended there, it would post for
        ever.
        """
        return [StepStarted(), StepFinished()] if self._showed_tools or self._turn.showed_tools else []

    def _failed(
        self,
        sentence: str,
        http_status: int,
        error_type: str,
        retry_after: float | None = None,
        details: Mapping[str, Json] | None = None,
    ) -> RunFailed:
        return RunFailed(self._summary("error"), sentence, http_status, error_type, retry_after, details)

    def _summary(self, finish_reason: str | None = None) -> RunSummary:
        request = self._request
        return summarize(
            request.info.run_id,
            request.message_id,
            self.chain,
            self.calls,
            self._steps,
            finish_reason,
            self.dialogue.left_out,
            self.dialogue.summarized,
            request.earlier,
        )


def _call_ids(messages: Sequence[Message]) -> list[str]:
    return [call.id for message in messages if isinstance(message, AssistantMessage) for call in message.tool_calls]


def _called(messages: Sequence[Message]) -> Counter[str]:
    """How often the answer that a run goes on with called each tool."""
    calls = (message.tool_calls for message in answer_so_far(messages) if isinstance(message, AssistantMessage))
    return Counter(call.name for made in calls for call in made)


def _result_of(answer: ToolAnswer) -> ToolResult:
    """What the model reads of an answer that runs nothing."""
    text = denial_text(answer.text) if answer.kind == "denied" else answer.text or ""
    return ToolResult(answer.call.id, answer.call.name, text)
