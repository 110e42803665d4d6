"""Running the tool calls of a step: in parallel, each within its timeout, their outcomes told as they come."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from fondation.calls import RunInfo
from fondation.context import RunContext
from fondation.deadline import Deadline, DeadlineReached
from fondation.errors import ToolError
from fondation.events import Batches, Event, ToolFailed, ToolSucceeded, ToolWaiting
from fondation.messages import Json, ToolCall, ToolResult, mend
from fondation.tokens import new_token
from fondation.tool_results import bounded, failure_text, value_text
from fondation.tools.base import Tool, Wait
from fondation.tools.parts import Parts

log = logging.getLogger("fondation.tools")

FAILED = "The tool failed."
"""All that the model and the page learn of an exception that is no `ToolError`."""
TOO_LONG = "The tool took too long and was stopped."
ENDED = "The tool was stopped: the run ended first."
CANCEL_SECONDS = 1.0
"""How long a cancelled tool may take to clean up before the run goes on without it."""


class _TookTooLong(Exception):
    """A tool is past its timeout."""


@dataclass(slots=True)
class ToolRunner:
    """Runs tool calls for one run, and counts them."""

    run: RunInfo
    context: Mapping[str, Json]
    deadline: Deadline
    max_result: int
    """Bytes of JSON that a result may have."""
    called: Counter[str] = field(default_factory=Counter)
    """Calls of each tool in this run; also those before it, in the message that it goes on with."""

    async def run_calls(
        self,
        agent: str,
        tools: Mapping[str, Tool],
        calls: Sequence[ToolCall],
        results: dict[str, ToolResult],
        *,
        approved: bool = False,
    ) -> Batches:
        """Run `calls` at once; yield what happens, and leave a result for the model under each call's id.

        Every call gets exactly one outcome event, also when the deadline comes first: it succeeded, failed, or waits
        (then it has no result). `approved` calls waited and were counted before: they just run.
        """
        events: asyncio.Queue[Event] = asyncio.Queue()
        parts = Parts(events, self.max_result)
        context = self._context_for(agent, parts)
        pending = {call.id: call for call in calls}
        tasks = [asyncio.create_task(self._outcome(call, tools, context, events, approved)) for call in calls]
        try:
            while pending:
                batch = [await self.deadline.wait(events.get())]
                while not events.empty():
                    batch.append(events.get_nowait())
                for event in batch:
                    if isinstance(event, ToolSucceeded | ToolFailed):
                        results[event.call_id] = _result(pending.pop(event.call_id), event)
                    elif isinstance(event, ToolWaiting):
                        del pending[event.call_id]
                yield batch
        except DeadlineReached:
            ended = {call.id: ToolFailed(call.id, call.name, ENDED) for call in pending.values()}
            results.update((id, _result(pending[id], event)) for id, event in ended.items())
            yield [*ended.values()]
            raise
        finally:
            parts.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)

    def _context_for(self, agent: str, parts: Parts) -> RunContext:
        return RunContext(
            run_id=self.run.run_id,
            session_id=self.run.session_id,
            user_id=self.run.user_id,
            chat_id=self.run.chat_id,
            agent=agent,
            context=self.context,
            _emit=parts.emit,
        )

    async def _outcome(
        self,
        call: ToolCall,
        tools: Mapping[str, Tool],
        context: RunContext,
        events: asyncio.Queue[Event],
        approved: bool,
    ) -> None:
        event: Event
        try:
            event = await self._call(call, tools, context, approved)
        except ToolError as error:
            text = bounded(mend(str(error)), self.max_result)
            event = ToolFailed(call.id, call.name, text or FAILED)
        except _TookTooLong:
            log.warning("tool %s: no result within its timeout (run %s)", call.name, self.run.run_id)
            event = ToolFailed(call.id, call.name, TOO_LONG)
        except BaseException as error:  # also sys.exit(), which would end the server
            if isinstance(error, asyncio.CancelledError | KeyboardInterrupt) and _is_cancelled():
                raise  # a second Ctrl-C, too, comes to whatever runs
            log.exception("tool %s failed (run %s)", call.name, self.run.run_id)
            event = ToolFailed(call.id, call.name, FAILED)
        # Behind the parts that the tool emitted: those come through the loop's queue, also from a thread.
        asyncio.get_running_loop().call_soon(events.put_nowait, event)

    async def _call(
        self, call: ToolCall, tools: Mapping[str, Tool], context: RunContext, approved: bool
    ) -> ToolSucceeded | ToolWaiting:
        tool = tools.get(call.name)
        if tool is None:
            known = ", ".join(tools) or "none"
            raise ToolError(f"There is no tool {call.name!r}. The tools are: {known}.")
        arguments = _arguments(call)
        try:
            async with asyncio.timeout(tool.timeout) as limit:
                if not approved:
                    self._count(tool)
                    if (wait := await tool.wait_for(arguments, context)) is not None:
                        return _waiting(call, wait, context)
                output = await tool.call(arguments, context)
        except TimeoutError:
            if limit.expired():
                raise _TookTooLong from None
            raise  # the tool's own
        return ToolSucceeded(call.id, call.name, bounded(output, self.max_result))

    def _count(self, tool: Tool) -> None:
        self.called[tool.name] += 1
        if tool.max_calls is not None and self.called[tool.name] > tool.max_calls:
            raise ToolError(f"{tool.name} may be called {tool.max_calls} times at most, and was.")


def _waiting(call: ToolCall, wait: Wait, context: RunContext) -> ToolWaiting:
    return ToolWaiting(
        id=f"wait_{new_token()}",
        call_id=call.id,
        tool=call.name,
        kind=wait.kind,
        arguments=call.arguments,
        agent=context.agent,
        by=wait.by,
        expires=wait.expires,
    )


def _is_cancelled() -> bool:
    """Whether this task is being cancelled; a tool may also raise CancelledError of its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def parse_arguments(call: ToolCall) -> Json:
    """The arguments as a JSON value; the model's own text where it is none."""
    if not call.arguments.strip():
        return {}
    try:
        return msgspec.json.decode(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def _arguments(call: ToolCall) -> dict[str, Json]:
    value = parse_arguments(call)
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value == call.arguments:
        raise ToolError("Invalid arguments. They are not valid JSON; send one JSON object.")
    raise ToolError("Invalid arguments. Send one JSON object.")


def _result(call: ToolCall, event: ToolSucceeded | ToolFailed) -> ToolResult:
    """What the model reads of an outcome."""
    if isinstance(event, ToolFailed):
        return ToolResult(call.id, call.name, failure_text(event.text))
    return ToolResult(call.id, call.name, value_text(event.output))
