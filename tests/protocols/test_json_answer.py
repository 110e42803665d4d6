"""One JSON object of a run: the same events as a stream tells."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fondation.calls import TokenUsage
from fondation.context import RunContext
from fondation.errors import (
    AuthenticationFailed,
    BadAnswer,
    ContextTooLong,
    CreditsExhausted,
    ModelNotFound,
    ModerationRefused,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from fondation.events import RunAborted, RunSummary
from fondation.messages import Json
from fondation.protocols.json_answer import JsonAnswer
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
    text,
)


async def lookup(arguments: Json, context: RunContext) -> Json:
    return None if arguments else {"n": 1}


async def crash(arguments: Json, context: RunContext) -> Json:
    raise RuntimeError("secret")


PLAYERS = {
    "Front": Player(tools=[FunctionTool("lookup", lookup), FunctionTool("crash", crash)], handoffs=("Back",)),
    "Back": Player(),
}


async def answer_of(*script: Answer, retries: int = 0) -> JsonAnswer:
    route = build_route(ScriptedProvider([*script]), PLAYERS)
    object.__setattr__(route.agent.model, "retries", retries)
    answer = JsonAnswer("chat_1")
    answer.feed(await play(build_run(route)))
    return answer


def body_of(answer: JsonAnswer) -> Any:
    return msgspec.json.decode(answer.body)


async def test_an_answer_says_who_what_and_for_how_much() -> None:
    answer = await answer_of(text("Hel", "lo"))
    assert (answer.status, answer.headers) == (200, {})
    assert body_of(answer) == {
        "id": "chat_1",
        "runId": "run_1",
        "text": "Hello",
        "agent": "Front",
        "handoffs": [],
        "toolCalls": [],
        "usage": {
            "promptTokens": 10,
            "completionTokens": 5,
            "totalTokens": 15,
            "cost": 0.25,
            "costSource": "billed",
            "model": "acme/main-2026",
        },
    }


async def test_tools_and_handoffs_are_told_in_order() -> None:
    wanted = calls(("c1", "lookup", {}), ("c2", "crash", {}), ("c3", "lookup", {"x": 1}), before="Let me see.")
    body = body_of(await answer_of(wanted, handoff("Back", reason="it knows"), text("Done.")))
    assert body["toolCalls"] == [
        {"toolCallId": "c1", "toolName": "lookup", "input": {}, "output": {"n": 1}},
        {"toolCallId": "c2", "toolName": "crash", "input": {}, "errorText": "The tool failed."},
        {"toolCallId": "c3", "toolName": "lookup", "input": {"x": 1}, "output": None},
    ]
    assert body["handoffs"] == [{"from": "Front", "to": "Back", "routingStrategy": "llm", "reason": "it knows"}]
    assert (body["text"], body["agent"]) == ("Let me see.\n\nDone.", "Back")
    assert body["usage"]["cost"] == 0.75


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AuthenticationFailed("secret"), 502),
        (CreditsExhausted("secret"), 502),
        (ModelNotFound("secret"), 502),
        (BadAnswer("secret"), 502),
        (ProviderUnavailable("secret"), 502),
        (RateLimited("secret"), 503),
        (ProviderTimeout("secret"), 504),
        (ModerationRefused("secret"), 422),
        (ContextTooLong("secret"), 422),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_a_failed_call_has_its_status_and_a_plain_sentence(error: ProviderError, status: int) -> None:
    answer = await answer_of([error])
    assert answer.status == status
    assert body_of(answer) == {"error": error.sentence, "runId": "run_1"}


@pytest.mark.parametrize(("asked", "told"), [(None, "1"), (0.2, "1"), (7.6, "8"), (90.0, "90")])
async def test_too_many_calls_say_when_to_come_back(asked: float | None, told: str) -> None:
    assert (await answer_of([RateLimited("429", retry_after=asked)])).headers == {"Retry-After": told}


async def test_a_bug_is_an_internal_error_that_names_its_run() -> None:
    answer = await answer_of([RuntimeError("secret")])
    assert answer.status == 500
    assert body_of(answer) == {"error": "Something went wrong on the server.", "runId": "run_1"}


def test_a_server_that_goes_down_asks_to_come_back() -> None:
    answer = JsonAnswer("chat_1")
    answer.feed([RunAborted(RunSummary("run_1", "m", "A", ("A",), None, TokenUsage(), "none", "aborted", 0, 0))])
    assert (answer.status, answer.headers) == (503, {"Retry-After": "1"})
    assert body_of(answer) == {"error": "The server is going down", "runId": "run_1"}
