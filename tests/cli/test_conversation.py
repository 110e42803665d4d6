"""A conversation in the terminal: what each answer is asked with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fondation.cli.conversation import Conversation
from fondation.errors import ModerationRefused
from fondation.gate import Proposal, Stop, Unlimited, Verdict, unlimited
from fondation.memory import TOOL_NAME as UPDATE_MEMORY
from fondation.memory import MemoryForm
from fondation.messages import AssistantMessage, Message, SystemMessage, ToolResult, UserMessage
from fondation.server.keys import Services
from fondation.tools.base import Wait
from tests.support.scripted import FunctionTool, Player, ScriptedProvider, build_route, calls, handoff, text


async def look(arguments: dict[str, Any], context: object) -> str:
    return "found"


def converse(provider: ScriptedProvider, **config: Any) -> Conversation:
    services = SimpleNamespace(open_account=unlimited, store=None, cast=SimpleNamespace(simulated=()))
    front = Player(tools=[FunctionTool("look", look)], handoffs=["Back"], memory=MemoryForm("user"))
    players = {"Front": front, "Back": Player()}
    return Conversation(cast(Services, services), build_route(provider, players, **config))


def told(message: Message) -> str:
    match message:
        case UserMessage():
            return f"user: {message.text}"
        case AssistantMessage(text=said):
            return f"assistant: {said}"
        case ToolResult(content=content):
            return f"result: {content}"
        case _:
            return "system"


async def test_an_answer_is_asked_with_all_that_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    provider = ScriptedProvider([calls(("c1", "look", {}), before="Hm."), text("One."), text("Two.")])
    conversation = converse(provider)
    assert await conversation.answer("first")
    assert await conversation.answer("second")
    assert [told(message) for message in provider.requests[-1].messages] == [
        "system",
        "user: first",
        "assistant: Hm.",
        "result: found",
        "assistant: One.",
        "user: second",
    ]


async def test_who_answered_last_answers_next_and_reset_forgets_it(capsys: pytest.CaptureFixture[str]) -> None:
    provider = ScriptedProvider([handoff("Back"), text("One."), text("Two."), text("Three.")])
    conversation = converse(provider)
    for message in ("first", "second"):
        await conversation.answer(message)
    conversation.reset()
    await conversation.answer("third")
    output = capsys.readouterr().out
    assert [line for line in output.splitlines() if line.endswith(".")] == ["Back: One.", "Back: Two.", "Front: Three."]
    assert len(provider.requests[-1].messages) == 2


async def test_a_message_that_was_refused_is_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    provider = ScriptedProvider([[ModerationRefused("no")], text("Yes.")])
    conversation = converse(provider)
    assert not await conversation.answer("bad")
    assert await conversation.answer("good")
    assert [told(message) for message in provider.requests[-1].messages] == ["system", "user: good"]


async def test_declared_context_has_its_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []

    async def remember(arguments: dict[str, Any], context: Any) -> str:
        seen.append(context.context)
        return "ok"

    provider = ScriptedProvider([calls(("c1", "remember", {})), text("Done.")])
    services = SimpleNamespace(open_account=unlimited, store=None, cast=SimpleNamespace(simulated=()))
    route = build_route(
        provider,
        {"Front": Player(tools=[FunctionTool("remember", remember)])},
        context={"plan": {"type": "string", "default": "free"}},
    )
    await Conversation(cast(Services, services), route).answer("hello")
    assert seen == [{"plan": "free"}]


async def test_a_call_that_waits_is_not_run_and_the_conversation_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    provider = ScriptedProvider([calls(("c1", "pay", {}), before="Hm."), text("Two.")])
    services = SimpleNamespace(open_account=unlimited, store=None, cast=SimpleNamespace(simulated=()))
    waits = FunctionTool("pay", look, wait=Wait("approval"))
    conversation = Conversation(cast(Services, services), build_route(provider, {"Front": Player(tools=[waits])}))
    assert not await conversation.answer("first")
    assert "Not run: pay waits for an answer that only a page can give." in capsys.readouterr().out
    assert await conversation.answer("second")
    assert [told(message) for message in provider.requests[-1].messages][1:] == [
        "user: first",
        "assistant: Hm.",
        "user: second",
    ]


async def test_the_working_memory_lasts_until_a_reset(capsys: pytest.CaptureFixture[str]) -> None:
    remember = calls(("c1", UPDATE_MEMORY, {"text": "Ada"}))
    provider = ScriptedProvider([remember, text("One."), text("Two."), text("Three.")])
    conversation = converse(provider)
    for message in ("first", "second"):
        await conversation.answer(message)
    conversation.reset()
    await conversation.answer("third")
    systems = [request.messages[0] for request in provider.requests]
    assert ["Ada" in system.text for system in systems if isinstance(system, SystemMessage)] == [
        False,
        False,
        True,
        False,
    ]


async def test_a_budget_that_stops_an_answer_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[bool] = []

    class Spent(Unlimited):
        def close(self) -> None:
            closed.append(True)

    async def stop(proposal: Proposal) -> Verdict:
        return Stop("There is no money left.", 402, "budget_exceeded")

    services = SimpleNamespace(
        open_account=lambda run, seconds: Spent(stop), store=None, cast=SimpleNamespace(simulated=())
    )
    conversation = Conversation(cast(Services, services), build_route(ScriptedProvider([]), {"Front": Player()}))
    assert not await conversation.answer("Hi")
    assert capsys.readouterr().out == "There is no money left.\n"
    assert closed == [True]
