"""The loop: what a run does, by its events, its model calls and what those were asked."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from fondation import ToolError, events
from fondation.calls import ModelCall
from fondation.errors import AuthenticationFailed, BadAnswer, ProviderUnavailable
from fondation.events import Event
from fondation.gate import Go, Proposal, Stop, Verdict
from fondation.handoffs import TOOL_NAME
from fondation.messages import AssistantMessage, Message, SystemMessage, TextPart, ToolCall, ToolResult, UserMessage
from fondation.providers.base import AnswerEnd, ArgumentsPiece, ForcedTool, ReasoningPiece, TextPiece, ToolCallPiece
from fondation.run_request import ToolAnswer
from fondation.tools.base import Wait
from tests.support.grammar import assert_well_formed
from tests.support.scripted import (
    Answer,
    FunctionTool,
    Player,
    ScriptedProvider,
    build_route,
    build_run,
    calls,
    handoff,
    play,
)
from tests.support.scripted import text as answer

E = TypeVar("E", bound=Event)

DESK = {
    "Triage": Player(handoffs=("Tech", "Billing"), route_only=True),
    "Tech": Player(handoffs=("Billing",)),
    "Billing": Player(handoffs=("Tech",)),
}


async def run(
    provider: ScriptedProvider, players: dict[str, Player], message: str = "Hello", **config: Any
) -> list[Event]:
    told = await play(build_run(build_route(provider, players, **config), message))
    assert_well_formed(told)
    assert not provider.script, "the whole script was played"
    assert provider.closed == len(provider.requests), "every call was closed"
    return told


def shown(told: list[Event]) -> str:
    return "".join(event.text for event in told if isinstance(event, events.TextDelta))


def of(told: list[Event], kind: type[E]) -> list[E]:
    return [event for event in told if isinstance(event, kind)]


def echo(name: str = "echo", **options: Any) -> FunctionTool:
    async def call(arguments: Any, context: Any) -> Any:
        return {"got": arguments}

    return FunctionTool(name, call, **options)


async def test_an_answer_streams_and_ends_finished() -> None:
    provider = ScriptedProvider([answer("Hel", "lo")])
    told = await run(provider, {"A": Player()})
    assert shown(told) == "Hello"
    finished = told[-1]
    assert isinstance(finished, events.RunFinished)
    assert finished.summary.handoff_chain == ("A",)
    assert finished.summary.model == "acme/main-2026"
    assert finished.summary.usage.total == 15
    assert finished.summary.usage.cost == 0.25
    assert finished.summary.cost_source == "billed"
    assert finished.summary.finish_reason == "stop"


async def test_the_start_and_the_status_come_before_the_provider_is_asked() -> None:
    provider = ScriptedProvider([answer("x")])
    batches = build_run(build_route(provider, {"A": Player()})).events()
    first = await anext(batches)
    assert [type(event) for event in first] == [events.RunStarted, events.RoundStarted]
    assert isinstance((await anext(batches))[0], events.CallStarted)
    assert not provider.requests
    await batches.aclose()


async def test_the_model_gets_the_rendered_instructions_first_and_once() -> None:
    provider = ScriptedProvider([answer("x")])
    await run(provider, {"Ann": Player(instructions="I am {{ agent }} for {{ user_id }}.")})
    system, user = provider.requests[0].messages
    assert system == SystemMessage("I am Ann for u1.")
    assert isinstance(user, UserMessage)


async def test_triage_hands_off_at_once_and_its_text_is_not_shown() -> None:
    provider = ScriptedProvider(
        [handoff("Billing", before="You are being transferred.", reason="an invoice"), answer("Paid.")]
    )
    told = await run(provider, DESK)
    assert shown(told) == "Paid."
    assert len(provider.requests) == 2
    assert of(told, events.HandedOff) == [events.HandedOff("Triage", "Billing", "llm", "an invoice")]
    assert [event.status for event in of(told, events.RoundStarted)] == ["routing", "executing"]
    assert told[-1].summary.handoff_chain == ("Triage", "Billing")  # type: ignore[attr-defined]
    assert provider.requests[0].tool_choice == ForcedTool(TOOL_NAME)
    assert not of(told, events.ToolCalled), "a handoff's call is not a tool call for the page"


async def test_an_agent_that_may_speak_shows_its_text_and_nothing_after_it_began_to_hand_off() -> None:
    late = [*handoff("Billing", before="One moment.")]
    late.insert(2, [TextPiece("Still me.")])
    provider = ScriptedProvider([late, answer("Paid.")])
    told = await run(provider, {"Front": Player(handoffs=("Billing",)), "Billing": Player()})
    assert shown(told) == "One moment.Paid."


async def test_the_next_agent_reads_the_handoff_as_its_call_and_result() -> None:
    provider = ScriptedProvider([handoff("Billing", reason="an invoice"), answer("Paid.")])
    await run(provider, DESK)
    system, user, asked, result = provider.requests[1].messages
    assert system == SystemMessage("You are Billing.")
    assert isinstance(user, UserMessage)
    assert isinstance(asked, AssistantMessage)
    assert asked.tool_calls[0].name == TOOL_NAME
    assert isinstance(result, ToolResult)
    assert result.call_id == asked.tool_calls[0].id
    assert "Billing" in result.content


async def test_a_target_is_looked_up_in_the_current_agents_list() -> None:
    players = {"Root": Player(handoffs=("Mid",)), "Mid": Player(handoffs=("Leaf",)), "Leaf": Player()}
    told = await run(ScriptedProvider([handoff("Mid"), handoff("Leaf", id="h2"), answer("leaf")]), players)
    assert shown(told) == "leaf"
    assert told[-1].summary.agent == "Leaf"  # type: ignore[attr-defined]


async def test_agents_that_pass_a_chat_round_end_with_an_answer_inside_max_rounds() -> None:
    script = [handoff("Billing"), handoff("Tech"), handoff("Billing"), answer("Enough.")]
    provider = ScriptedProvider(script)
    told = await run(provider, DESK, limits={"max_rounds": 4})
    assert shown(told) == "Enough."
    assert TOOL_NAME not in [tool.name for tool in provider.requests[-1].tools], "the last round offers no handoff"
    assert provider.requests[-1].tool_choice == "auto"


async def test_an_unknown_target_is_told_to_the_model_only() -> None:
    provider = ScriptedProvider([handoff("Nobody"), answer("Then I answer.")])
    told = await run(provider, {"Front": Player(handoffs=("Billing",)), "Billing": Player()})
    assert shown(told) == "Then I answer."
    result = provider.requests[1].messages[-1]
    assert isinstance(result, ToolResult)
    assert "Nobody" in result.content
    assert "Billing" in result.content
    assert not of(told, events.ToolFailed)


async def test_of_two_handoffs_the_first_wins_and_the_other_is_told() -> None:
    both = calls(("h1", TOOL_NAME, {"targetAgent": "Tech"}), ("h2", TOOL_NAME, {"targetAgent": "Billing"}))
    provider = ScriptedProvider([both, answer("tech")])
    told = await run(provider, DESK)
    assert [event.target for event in of(told, events.HandedOff)] == ["Tech"]
    results = [m for m in provider.requests[1].messages if isinstance(m, ToolResult)]
    assert "only the first" in results[1].content


async def test_other_tools_of_the_step_finish_before_the_handoff_and_go_along() -> None:
    both = calls(("c1", "echo", {"a": 1}), ("h1", TOOL_NAME, {"targetAgent": "Billing"}))
    provider = ScriptedProvider([both, answer("done")])
    players = {"Front": Player(tools=(echo(),), handoffs=("Billing",)), "Billing": Player()}
    told = await run(provider, players)
    kinds = [type(event) for event in told]
    assert kinds.index(events.ToolSucceeded) < kinds.index(events.StepFinished) < kinds.index(events.HandedOff)
    results = [m for m in provider.requests[1].messages if isinstance(m, ToolResult)]
    assert [result.name for result in results] == ["echo", TOOL_NAME]


async def test_a_router_that_only_talks_still_routes() -> None:
    told = await run(ScriptedProvider([answer("I would rather chat."), answer("tech")]), DESK)
    assert shown(told) == "tech"
    assert of(told, events.HandedOff) == [events.HandedOff("Triage", "Tech", "programmatic")]


async def test_tools_run_in_parallel_and_their_results_go_back_in_the_models_order() -> None:
    gate = asyncio.Event()

    async def slow(arguments: Any, context: Any) -> str:
        await gate.wait()
        return "slow"

    async def fast(arguments: Any, context: Any) -> str:
        gate.set()
        return "fast"

    provider = ScriptedProvider([calls(("1", "slow", {}), ("2", "fast", {})), answer("ok")])
    told = await run(provider, {"A": Player(tools=(FunctionTool("slow", slow), FunctionTool("fast", fast)))})
    assert [event.tool for event in of(told, events.ToolCalled)] == ["slow", "fast"]
    assert [event.tool for event in of(told, events.ToolSucceeded)] == ["fast", "slow"]
    results = [m for m in provider.requests[1].messages if isinstance(m, ToolResult)]
    assert [result.content for result in results] == ["slow", "fast"]


async def test_after_tools_the_answer_comes_in_a_step_of_its_own() -> None:
    told = await run(ScriptedProvider([calls(("1", "echo", {})), answer("ok")]), {"A": Player(tools=(echo(),))})
    kinds = [type(e) for e in told if isinstance(e, events.StepStarted | events.StepFinished | events.TextStarted)]
    assert kinds == [
        events.StepStarted,
        events.StepFinished,
        events.StepStarted,
        events.TextStarted,
        events.StepFinished,
    ]


async def test_what_a_tool_says_to_the_model_is_shown_and_other_exceptions_are_not() -> None:
    async def refuse(arguments: Any, context: Any) -> None:
        raise ToolError("no such invoice")

    async def crash(arguments: Any, context: Any) -> None:
        raise RuntimeError("password=hunter2")

    provider = ScriptedProvider([calls(("1", "refuse", {}), ("2", "crash", {})), answer("ok")])
    told = await run(provider, {"A": Player(tools=(FunctionTool("refuse", refuse), FunctionTool("crash", crash)))})
    assert {event.tool: event.text for event in of(told, events.ToolFailed)} == {
        "refuse": "no such invoice",
        "crash": "The tool failed.",
    }
    assert "hunter2" not in str(provider.requests[1].messages)


async def test_a_tool_past_its_timeout_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def hang(arguments: Any, context: Any) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    tools = (FunctionTool("hang", hang, timeout=0.01),)
    told = await run(ScriptedProvider([calls(("1", "hang", {})), answer("ok")]), {"A": Player(tools=tools)})
    assert "too long" in of(told, events.ToolFailed)[0].text
    assert cancelled.is_set()


@pytest.mark.parametrize("arguments", ["{not json", "[1]", '"text"', "7"])
async def test_arguments_that_are_no_object_are_shown_and_complained_of(arguments: str) -> None:
    provider = ScriptedProvider([calls(("1", "echo", arguments)), answer("ok")])
    told = await run(provider, {"A": Player(tools=(echo(),))})
    assert of(told, events.ToolCalled)
    assert "JSON" in of(told, events.ToolFailed)[0].text


async def test_an_unknown_tool_is_complained_of() -> None:
    told = await run(ScriptedProvider([calls(("1", "nope", {})), answer("ok")]), {"A": Player(tools=(echo(),))})
    assert "echo" in of(told, events.ToolFailed)[0].text


async def test_max_calls_counts_over_the_whole_run() -> None:
    script = [calls(("1", "echo", {})), calls(("2", "echo", {})), answer("ok")]
    told = await run(ScriptedProvider(script), {"A": Player(tools=(echo(max_calls=1),))})
    assert len(of(told, events.ToolSucceeded)) == 1
    assert "at most" in of(told, events.ToolFailed)[0].text


async def test_a_run_that_goes_on_counts_the_calls_before_it() -> None:
    waited = ToolCall("2", "echo", "{}")
    before: list[Message] = [
        AssistantMessage("", (ToolCall("1", "echo", "{}"),)),
        ToolResult("1", "echo", "done"),
        AssistantMessage("", (waited,)),
    ]
    provider = ScriptedProvider([calls(("3", "echo", {})), answer("ok")])
    route = build_route(provider, {"A": Player(tools=(echo(max_calls=2, wait=Wait("approval")),))})
    told = await play(build_run(route, before=before, answers=(ToolAnswer(waited, "run"),)))
    assert [event.call_id for event in of(told, events.ToolSucceeded)] == ["2"]
    assert [event.call_id for event in of(told, events.ToolFailed)] == ["3"]


async def test_the_calls_of_earlier_turns_do_not_count() -> None:
    before: list[Message] = [
        AssistantMessage("", (ToolCall("1", "echo", "{}"),)),
        ToolResult("1", "echo", "done"),
        UserMessage((TextPart("Again"),)),
    ]
    provider = ScriptedProvider([calls(("2", "echo", {})), answer("ok")])
    route = build_route(provider, {"A": Player(tools=(echo(max_calls=1),))})
    assert len(of(await play(build_run(route, before=before)), events.ToolSucceeded)) == 1


async def test_a_result_that_is_too_long_is_cut_and_says_so() -> None:
    async def long(arguments: Any, context: Any) -> str:
        return "é" * 2000

    provider = ScriptedProvider([calls(("1", "long", {})), answer("ok")])
    told = await run(provider, {"A": Player(tools=(FunctionTool("long", long),))}, limits={"max_tool_result": 1001})
    output = of(told, events.ToolSucceeded)[0].output
    assert output.startswith("é" * 500 + "\n[cut")
    assert "4,000 bytes" in output


async def test_a_tool_sends_parts_to_the_page_before_its_outcome() -> None:
    async def report(arguments: Any, context: Any) -> str:
        context.emit("progress", {"done": 1})
        return context.agent  # type: ignore[no-any-return]

    told = await run(
        ScriptedProvider([calls(("1", "report", {})), answer("ok")]),
        {"A": Player(tools=(FunctionTool("report", report),))},
    )
    kinds = [type(event) for event in told]
    assert kinds.index(events.DataSent) < kinds.index(events.ToolSucceeded)
    assert of(told, events.ToolSucceeded)[0].output == "A"


async def test_call_ids_that_a_provider_repeats_are_made_unique() -> None:
    script = [calls(("call_0", "echo", {})), calls(("call_0", "echo", {})), answer("ok")]
    provider = ScriptedProvider(script)
    told = await run(provider, {"A": Player(tools=(echo(),))})
    ids = [event.call_id for event in of(told, events.ToolCalled)]
    assert len(set(ids)) == 2
    last = provider.requests[-1].messages
    for asked, result in pairwise(last):
        if isinstance(asked, AssistantMessage):
            assert isinstance(result, ToolResult)
            assert asked.tool_calls[0].id == result.call_id


async def test_when_steps_run_out_one_more_call_without_tools_answers() -> None:
    script = [calls(("1", "echo", {})), calls(("2", "echo", {})), answer("This far I came.")]
    provider = ScriptedProvider(script)
    told = await run(provider, {"A": Player(tools=(echo(),), max_turns=2)})
    assert shown(told) == "This far I came."
    assert [request.tool_choice for request in provider.requests] == ["auto", "auto", "none"]
    assert [tool.name for tool in provider.requests[-1].tools] == ["echo"]


async def test_a_model_that_calls_tools_to_the_last_still_leaves_an_answer() -> None:
    script = [calls(("1", "echo", {})), calls(("2", "echo", {}))]
    told = await run(ScriptedProvider(script), {"A": Player(tools=(echo(),), max_turns=1)})
    assert "could not finish" in shown(told)
    assert isinstance(told[-1], events.RunFinished)
    assert "no steps" in of(told, events.ToolFailed)[0].text


async def test_max_turns_counts_each_round_anew() -> None:
    script = [calls(("1", "echo", {})), handoff("B"), calls(("2", "echo", {})), answer("b")]
    players = {"A": Player(tools=(echo(),), handoffs=("B",)), "B": Player(tools=(echo(),))}
    assert shown(await run(ScriptedProvider(script), players, limits={"max_steps": 2})) == "b"


async def test_a_failure_before_the_first_token_ends_failed_with_a_plain_sentence() -> None:
    told = await run(ScriptedProvider([[AuthenticationFailed("401 sk-or-v1-secret")]]), {"A": Player()})
    failed = told[-1]
    assert isinstance(failed, events.RunFailed)
    assert failed.error_type == "authentication"
    assert failed.http_status == 502
    assert "secret" not in failed.sentence
    assert of(told, events.CallEnded)[0].call.status == "refused"
    assert of(told, events.CallEnded)[0].call.cost_source == "none"


async def test_a_failure_in_the_middle_keeps_the_text_and_closes_everything() -> None:
    broken: Answer = [[TextPiece("So far")], [ToolCallPiece("1", "echo"), ArgumentsPiece("1", '{"a')], BadAnswer("cut")]
    told = await run(ScriptedProvider([broken]), {"A": Player(tools=(echo(),))})
    assert shown(told) == "So far"
    assert of(told, events.ToolCalled)[0].input == '{"a'
    assert isinstance(told[-1], events.RunFailed)


async def test_reasoning_and_text_are_parts_of_their_own() -> None:
    script: list[Answer] = [[[ReasoningPiece("hm"), TextPiece("yes")], [ReasoningPiece("and")], [AnswerEnd("stop")]]]
    told = await run(ScriptedProvider(script), {"A": Player()})
    assert len(of(told, events.ReasoningStarted)) == 2
    assert len({event.id for event in told if isinstance(event, events.ReasoningStarted | events.TextStarted)}) == 3


async def test_a_bug_ends_the_run_failed_and_says_nothing_of_itself() -> None:
    told = await run(ScriptedProvider([[RuntimeError("secret")]]), {"A": Player()})
    failed = told[-1]
    assert isinstance(failed, events.RunFailed)
    assert failed.http_status == 500
    assert "secret" not in failed.sentence


async def test_the_time_limit_ends_a_silent_model() -> None:
    script: list[Answer] = [[[TextPiece("So far")], lambda: asyncio.sleep(60)]]
    told = await run(ScriptedProvider(script), {"A": Player()}, limits={"run_timeout": "50ms"})
    failed = told[-1]
    assert isinstance(failed, events.RunFailed)
    assert failed.error_type == "run_timeout"
    assert of(told, events.CallEnded)[0].call.status == "aborted"


async def test_the_time_limit_ends_a_tool_and_every_call_has_its_outcome() -> None:
    async def hang(arguments: Any, context: Any) -> None:
        await asyncio.sleep(60)

    provider = ScriptedProvider([calls(("1", "hang", {}), ("2", "hang", {}))])
    told = await run(provider, {"A": Player(tools=(FunctionTool("hang", hang),))}, limits={"run_timeout": "50ms"})
    assert len(of(told, events.ToolFailed)) == 2
    assert isinstance(told[-1], events.RunFailed)


async def test_a_server_that_goes_down_ends_the_run_as_aborted() -> None:
    provider = ScriptedProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)]])
    going = build_run(build_route(provider, {"A": Player()}))
    asyncio.get_running_loop().call_later(0.05, going.deadline.expire, "shutdown")
    told = await play(going)
    assert_well_formed(told)
    assert isinstance(told[-1], events.RunAborted)


async def test_a_run_that_is_closed_closes_its_model_call_at_once() -> None:
    provider = ScriptedProvider([[[TextPiece("a")], lambda: asyncio.sleep(60)]])
    batches = build_run(build_route(provider, {"A": Player()})).events()
    async for batch in batches:
        if any(isinstance(event, events.TextDelta) for event in batch):
            break
    await batches.aclose()
    assert provider.closed == 1


async def test_the_gate_is_asked_before_each_call_and_can_stop_the_run() -> None:
    asked: list[str] = []

    async def once(proposal: Proposal) -> Verdict:
        asked.append(proposal.agent.name)
        return Go() if len(asked) == 1 else Stop("The budget day is used up.", 402, "budget")

    provider = ScriptedProvider([calls(("1", "echo", {}))])
    told = await play(build_run(build_route(provider, {"A": Player(tools=(echo(),))}), gate=once))
    assert_well_formed(told)
    failed = told[-1]
    assert isinstance(failed, events.RunFailed)
    assert (failed.http_status, failed.sentence) == (402, "The budget day is used up.")
    assert asked == ["A", "A"]


async def test_the_summary_adds_up_every_call() -> None:
    provider = ScriptedProvider([calls(("1", "echo", {})), answer("ok")])
    told = await run(provider, {"A": Player(tools=(echo(),))})
    summary = told[-1].summary  # type: ignore[attr-defined]
    assert (summary.usage.total, summary.usage.cost, summary.calls, summary.steps) == (30, 0.5, 2, 2)


async def test_an_unknown_cost_makes_the_sum_unknown() -> None:
    provider = ScriptedProvider([answer("ok")], usage=None)
    told = await run(provider, {"A": Player()})
    summary = told[-1].summary  # type: ignore[attr-defined]
    assert summary.usage.cost is None
    assert summary.cost_source == "unknown"


async def test_each_attempt_says_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.attempts.FIRST_PAUSE", 0.001)
    provider = ScriptedProvider([[ProviderUnavailable("503")], handoff("Billing"), answer("ok")])
    told = await run(provider, DESK)
    made = [event.call for event in of(told, events.CallStarted)]
    assert [(c.agent, c.round, c.step, c.attempt) for c in made] == [
        ("Triage", 1, 1, 1),
        ("Triage", 1, 1, 2),
        ("Billing", 2, 2, 1),
    ]
    assert _chains(made) == [("Triage",), ("Triage",), ("Triage", "Billing")]


def _chains(made: list[ModelCall]) -> list[tuple[str, ...]]:
    return [call.handoff_chain for call in made]


async def test_a_call_that_needs_approval_waits_and_the_run_ends_waiting() -> None:
    guarded = echo("refund", wait=Wait("approval", by=("admin",), expires=60.0))
    provider = ScriptedProvider([calls(("1", "refund", {"amount": 5}), ("2", "echo", {}))])
    told = await run(provider, {"A": Player(tools=(guarded, echo()))})
    waiting = told[-1]
    assert isinstance(waiting, events.RunWaiting)
    assert [(call.call_id, call.kind, call.by) for call in waiting.waiting] == [("1", "approval", ("admin",))]
    assert waiting.waiting[0].arguments == '{"amount":5}'
    assert [event.call_id for event in of(told, events.ToolSucceeded)] == ["2"], "what need not wait is run"


async def test_calls_wait_in_their_own_order_however_long_it_took_to_find_out() -> None:
    located = asyncio.Event()

    class Refund(FunctionTool):
        async def wait_for(self, arguments: Any, context: Any) -> Wait:
            await located.wait()
            return Wait("approval")

    class Locate(FunctionTool):
        async def wait_for(self, arguments: Any, context: Any) -> Wait:
            located.set()
            return Wait("client")

    players = {"A": Player(tools=(Refund("refund", never_called), Locate("locate", never_called)))}
    told = await run(ScriptedProvider([calls(("1", "refund", {}), ("2", "locate", {}))]), players)
    assert [event.call_id for event in of(told, events.ToolWaiting)] == ["2", "1"]
    waiting = told[-1]
    assert isinstance(waiting, events.RunWaiting)
    assert [call.call_id for call in waiting.waiting] == ["1", "2"]


async def never_called(arguments: Any, context: Any) -> None:
    raise AssertionError("it waits")


async def test_a_handoff_beside_a_waiting_call_is_dropped() -> None:
    both = calls(("1", "refund", {}), ("h1", TOOL_NAME, {"targetAgent": "B"}))
    players = {"A": Player(tools=(echo("refund", wait=Wait("client")),), handoffs=("B",)), "B": Player()}
    told = await run(ScriptedProvider([both]), players)
    assert isinstance(told[-1], events.RunWaiting)
    assert not of(told, events.HandedOff)


async def test_an_approved_call_runs_with_its_own_arguments_and_the_answer_follows() -> None:
    asked = ToolCall("1", "refund", '{"amount":5}')
    provider = ScriptedProvider([answer("Refunded.")])
    route = build_route(provider, {"A": Player(tools=(echo("refund", wait=Wait("approval")),))})
    told = await play(build_run(route, before=[AssistantMessage("", (asked,))], answers=(ToolAnswer(asked, "run"),)))
    assert_well_formed(told, waiting={"1"})
    assert of(told, events.ToolSucceeded)[0].output == {"got": {"amount": 5}}
    assert [type(m) for m in provider.requests[0].messages[-2:]] == [AssistantMessage, ToolResult]
    assert shown(told) == "Refunded."


async def test_an_approved_call_that_the_run_does_not_wait_for_has_a_result_all_the_same() -> None:
    async def hang(arguments: Any, context: Any) -> None:
        await asyncio.sleep(60)

    asked, refused = ToolCall("1", "refund", "{}"), ToolCall("2", "refund", "{}")
    tools = (FunctionTool("refund", hang, wait=Wait("approval")),)
    route = build_route(ScriptedProvider([]), {"A": Player(tools=tools)}, limits={"run_timeout": "50ms"})
    run = build_run(
        route,
        before=[AssistantMessage("", (asked, refused))],
        answers=(ToolAnswer(asked, "run"), ToolAnswer(refused, "denied")),
    )
    told = await play(run)
    assert isinstance(told[-1], events.RunFailed)
    assert [result.call_id for result in run.dialogue.produced if isinstance(result, ToolResult)] == ["1", "2"]


async def test_a_denied_call_is_not_run_and_the_model_is_told_why() -> None:
    asked = ToolCall("1", "refund", "{}")
    provider = ScriptedProvider([answer("As you wish.")])
    route = build_route(provider, {"A": Player(tools=(echo("refund", wait=Wait("approval")),))})
    refused = (ToolAnswer(asked, "denied", "too much"),)
    told = await play(build_run(route, before=[AssistantMessage("", (asked,))], answers=refused))
    assert_well_formed(told, waiting={"1"})
    assert of(told, events.ToolDenied)[0].reason == "too much"
    result = provider.requests[0].messages[-1]
    assert isinstance(result, ToolResult)
    assert "too much" in result.content


async def test_what_a_run_added_is_kept_without_its_handoffs() -> None:
    provider = ScriptedProvider([handoff("Billing"), calls(("1", "echo", {})), answer("Paid.")])
    players = {"Front": Player(handoffs=("Billing",)), "Billing": Player(tools=(echo(),))}
    going = build_run(build_route(provider, players))
    await play(going)
    kept = going.dialogue.produced
    assert [type(message) for message in kept] == [AssistantMessage, ToolResult, AssistantMessage]
    assert "handoff" not in str(kept)


async def test_a_run_that_is_stopped_keeps_what_it_had_said() -> None:
    provider = ScriptedProvider([[[TextPiece("So far")], lambda: asyncio.sleep(60)]])
    going = build_run(build_route(provider, {"A": Player()}))
    asyncio.get_running_loop().call_later(0.05, going.deadline.expire, "stopped")
    told = await play(going)
    assert isinstance(told[-1], events.RunAborted)
    assert going.dialogue.produced == (AssistantMessage("So far", model="acme/main"),)
