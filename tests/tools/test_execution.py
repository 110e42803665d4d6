"""A turn's tool calls: each has one outcome, whatever the tool does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fondation import RunContext, ToolError, events
from fondation.calls import RunInfo
from fondation.deadline import Deadline, DeadlineReached
from fondation.events import Event
from fondation.messages import ToolCall, ToolResult
from fondation.threads import in_thread
from fondation.tools.base import Wait
from fondation.tools.execution import ToolRunner, parse_arguments
from tests.support.scripted import FunctionTool


class Bench:
    """A tool runner, and what came of it."""

    def __init__(self, *tools: FunctionTool, max_result: int = 1000) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.deadline = Deadline(60)
        self.runner = ToolRunner(RunInfo("run_1", "s1", "u1", "c1"), {"tier": "gold"}, self.deadline, max_result)
        self.results: dict[str, ToolResult] = {}
        self.told: list[Event] = []

    async def run(self, *calls: ToolCall) -> list[Event]:
        batches = self.runner.run_calls("Ann", self.tools, calls, self.results)
        async with asyncio.timeout(5), contextlib.aclosing(batches):
            async for batch in batches:
                self.told += batch
        return self.told


@pytest.fixture
async def bench() -> AsyncIterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*tools: FunctionTool, **options: Any) -> Bench:
        made.append(Bench(*tools, **options))
        return made[-1]

    yield make
    for one in made:
        one.deadline.close()


def tool(function: Callable[[RunContext], Any], name: str = "t", **options: Any) -> FunctionTool:
    async def call(arguments: Any, context: RunContext) -> Any:
        result = function(context)
        return await result if asyncio.iscoroutine(result) else result

    return FunctionTool(name, call, **options)


def raising(error: BaseException, name: str = "t") -> FunctionTool:
    def fail(context: RunContext) -> None:
        raise error

    return tool(fail, name)


def ask(name: str = "t", id: str = "c1", arguments: str = "{}") -> ToolCall:
    return ToolCall(id, name, arguments)


class _Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret"),
        SystemExit("secret"),
        KeyboardInterrupt("secret"),
        GeneratorExit("secret"),
        asyncio.CancelledError("secret"),
        _Odd("secret"),
        ExceptionGroup("secret", [ValueError("secret")]),
        BaseExceptionGroup("secret", [SystemExit("secret")]),
        TimeoutError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("threaded", [False, True], ids=["loop", "thread"])
async def test_whatever_a_tool_raises_is_its_failure_and_goes_to_the_log_only(
    error: BaseException, threaded: bool, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    made = bench(tool(lambda context: in_thread(fail)) if threaded else raising(error))
    assert await made.run(ask()) == [events.ToolFailed("c1", "t", "The tool failed.")]
    assert made.results["c1"].content == "Error: The tool failed."
    assert "secret" in caplog.text
    assert "run_1" in caplog.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no such invoice", "no such invoice"),
        ("", "The tool failed."),
        ("cut \ud83d", "cut \ufffd"),
        ("x" * 2000, "x" * 1000 + "\n[cut: the first 1,000 of 2,000 bytes]"),
    ],
)
async def test_what_a_tool_says_to_the_model_comes_as_it_is_but_sendable(
    said: str, told: str, bench: Callable[..., Bench]
) -> None:
    made = bench(raising(ToolError(said)))
    assert await made.run(ask()) == [events.ToolFailed("c1", "t", told)]
    assert made.results["c1"].content == f"Error: {told}"


@pytest.mark.parametrize("output", [object(), {"a": object()}, {(1, 2): 3}, "\ud800"])
async def test_an_output_that_is_no_json_is_a_failure(output: Any, bench: Callable[..., Bench]) -> None:
    assert isinstance((await bench(tool(lambda context: output)).run(ask()))[0], events.ToolFailed)


@pytest.mark.parametrize(
    ("output", "content"),
    [("text", "text"), (None, "null"), ({"a": [1]}, '{"a":[1]}'), (True, "true"), ("", ""), ("é", "é")],
)
async def test_the_model_reads_text_as_it_is_and_all_else_as_json(
    output: Any, content: str, bench: Callable[..., Bench]
) -> None:
    made = bench(tool(lambda context: output))
    assert await made.run(ask()) == [events.ToolSucceeded("c1", "t", output)]
    assert made.results["c1"] == ToolResult("c1", "t", content)


async def test_json_that_is_too_long_is_cut_where_a_character_ends(bench: Callable[..., Bench]) -> None:
    made = bench(tool(lambda context: ["é" * 100]), max_result=11)
    await made.run(ask())
    assert made.results["c1"].content == '["éééé\n[cut: the first 11 of 204 bytes]'


async def test_past_its_timeout_a_tool_is_cancelled_and_the_log_names_it(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    made = bench(tool(lambda context: asyncio.sleep(60), timeout=0.01))
    assert await made.run(ask()) == [events.ToolFailed("c1", "t", "The tool took too long and was stopped.")]
    assert "no result within its timeout" in caplog.text


async def test_a_tool_that_blocks_a_thread_is_left_behind_past_its_timeout(bench: Callable[..., Bench]) -> None:
    released = threading.Event()
    made = bench(tool(lambda context: in_thread(released.wait), timeout=0.01))
    assert "too long" in (await made.run(ask()))[0].text  # type: ignore[attr-defined]
    released.set()


async def test_a_tool_knows_the_run_around_it(bench: Callable[..., Bench]) -> None:
    def known(context: RunContext) -> Any:
        return [context.agent, context.run_id, context.session_id, context.user_id, context.chat_id, context.context]

    [outcome] = await bench(tool(known)).run(ask())
    assert outcome.output == ["Ann", "run_1", "s1", "u1", "c1", {"tier": "gold"}]  # type: ignore[attr-defined]


async def test_a_part_is_sent_as_it_was_when_it_was_sent(bench: Callable[..., Bench]) -> None:
    def report(context: RunContext) -> str:
        state = {"done": 0}
        for number in (1, 2):
            state["done"] = number
            context.emit("progress", state, id="p", transient=False)
        return "ok"

    told = await bench(tool(report)).run(ask())
    assert told[:2] == [events.DataSent("progress", {"done": number}, "p", False) for number in (1, 2)]


async def test_a_thread_sends_parts_too_and_before_its_outcome(bench: Callable[..., Bench]) -> None:
    def report(context: RunContext) -> Any:
        def work() -> None:
            for number in range(20):
                context.emit("step", number)

        return in_thread(work)

    told = await bench(tool(report)).run(ask())
    assert [type(event) for event in told] == [events.DataSent] * 20 + [events.ToolSucceeded]


@pytest.mark.parametrize(
    ("name", "data"), [("two words", 1), ("x", object()), ("x", "y" * 1000)], ids=["name", "no JSON", "too large"]
)
async def test_a_part_that_cannot_be_sent_fails_in_the_tool_that_sends_it(
    name: str, data: Any, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    told = await bench(tool(lambda context: context.emit(name, data))).run(ask())
    assert told == [events.ToolFailed("c1", "t", "The tool failed.")]
    assert "ValueError" in caplog.text or "PydanticSerializationError" in caplog.text


async def test_a_part_with_a_lone_surrogate_is_mended(bench: Callable[..., Bench]) -> None:
    told = await bench(tool(lambda context: context.emit("x", {"a": "\ud800"}))).run(ask())
    assert told[0] == events.DataSent("x", {"a": "\ufffd"})


async def test_what_a_tool_sends_after_its_turn_is_dropped(bench: Callable[..., Bench]) -> None:
    kept: list[RunContext] = []
    made = bench(tool(kept.append))
    told = await made.run(ask())
    kept[0].emit("late", 1)
    await asyncio.sleep(0)
    assert [type(event) for event in told] == [events.ToolSucceeded]


def test_what_a_tool_sends_after_the_servers_end_is_dropped() -> None:
    kept: list[RunContext] = []

    async def run() -> None:
        made = Bench(tool(kept.append))
        await made.run(ask())
        made.deadline.close()

    asyncio.run(run())
    kept[0].emit("late", 1)


async def test_max_calls_counts_what_runs_at_once(bench: Callable[..., Bench]) -> None:
    made = bench(tool(lambda context: 1, max_calls=2))
    told = await made.run(*[ask(id=f"c{number}") for number in range(4)])
    assert [type(event) for event in told].count(events.ToolSucceeded) == 2
    assert "at most" in made.results["c3"].content


async def test_max_calls_counts_calls_that_wait(bench: Callable[..., Bench]) -> None:
    made = bench(tool(lambda context: 1, max_calls=1, wait=Wait("client")))
    told = await made.run(ask(id="c1"), ask(id="c2"))
    assert [type(event) for event in told] == [events.ToolWaiting, events.ToolFailed]
    assert list(made.results) == ["c2"]


async def test_the_deadline_gives_every_call_its_outcome_and_ends_the_tools(bench: Callable[..., Bench]) -> None:
    ended: list[str] = []

    async def hang(context: RunContext) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(context.agent)

    made = bench(tool(hang, "a"), tool(hang, "b"))
    asyncio.get_running_loop().call_later(0.02, made.deadline.expire, "shutdown")
    with pytest.raises(DeadlineReached):
        await made.run(ask("a", "c1"), ask("b", "c2"))
    assert [event.call_id for event in made.told] == ["c1", "c2"]  # type: ignore[attr-defined]
    assert ended == ["Ann", "Ann"]


async def test_a_run_that_is_closed_cancels_its_tools(bench: Callable[..., Bench]) -> None:
    cancelled = asyncio.Event()

    async def hang(context: RunContext) -> None:
        context.emit("begun", 1)
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    made = bench(tool(hang))
    batches = made.runner.run_calls("Ann", made.tools, [ask()], made.results)
    assert [type(event) for event in await anext(batches)] == [events.DataSent]
    await batches.aclose()
    assert cancelled.is_set()


async def test_a_tool_that_will_not_be_cancelled_does_not_hold_the_run(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.tools.execution.CANCEL_SECONDS", 0.02)
    released = asyncio.Event()

    async def stubborn(context: RunContext) -> None:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()

    made = bench(tool(stubborn))
    asyncio.get_running_loop().call_later(0.02, made.deadline.expire, "timeout")
    with pytest.raises(DeadlineReached):
        await made.run(ask())
    released.set()
    await asyncio.sleep(0.01)


async def test_nothing_of_a_tool_that_succeeds_is_logged(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await bench(tool(lambda context: "secret")).run(ask())
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("", {}),
        (" \n", {}),
        ('{"a": 1}', {"a": 1}),
        ("[1]", [1]),
        ("{broken", "{broken"),
        ('{"a": NaN}', '{"a": NaN}'),
        ('{"a": "\\ud800"}', '{"a": "\\ud800"}'),
        pytest.param("[" * 100_000 + "]" * 100_000, "[" * 100_000 + "]" * 100_000, id="deep"),
    ],
)
def test_arguments_are_json_or_the_models_own_text(arguments: str, value: Any) -> None:
    assert parse_arguments(ask(arguments=arguments)) == value
