"""Calls that wait, on real sockets: the page's tools, a person's yes and no, and answers that count for nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from fondation.errors import ProviderUnavailable
from fondation.messages import ToolResult
from fondation.providers.base import AnswerEnd, ArgumentsPiece, TextPiece, ToolCallPiece
from tests.support.chunks import assert_acceptable
from tests.support.page import Page
from tests.support.scripted import ScriptedProvider, calls, handoff, text
from tests.support.served import Kitchen, Reply, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
tools:
  refund: {python: waiting_tools:refund, approval: {when: waiting_tools:is_large, expires: 1h}}
  look: waiting_tools:look
  locate:
    runs_on: client
    description: Where the user is.
    parameters: {type: object, properties: {exact: {type: boolean}}}
agents:
  Triage: {model: main, instructions: Route., handoffs: [Ann]}
  Ann: {model: main, description: Ann., instructions: You are Ann., tools: [refund, look, locate]}
  Bob: {model: main, instructions: You are Bob.}
routes:
  /api/bob: {agent: Bob, client: CLIENT}
  /api/chat: {agent: Triage, client: CLIENT}
"""
TOOLS = '''
paid = []

def refund(amount: int) -> dict:
    """Pays back."""
    paid.append(amount)
    return {"paid": amount}

def is_large(amount: int) -> bool:
    return amount > 100

def look(city: str) -> str:
    """Looks."""
    return city
'''
REFUND = calls(("t1", "refund", {"amount": 500}))


class Desk:
    """A served desk, and what its page has."""

    def __init__(self, served: Served, provider: ScriptedProvider, client: int) -> None:
        self.served = served
        self.provider = provider
        self.client = client
        import waiting_tools  # type: ignore[import-not-found]

        self.paid: list[int] = waiting_tools.paid
        self.paid.clear()

    async def ask(self, words: str = "Please", **headers: str) -> Reply:
        return await self.served.post({"id": "c1", "message": words}, **headers)

    async def message(self) -> Any:
        reply = await self.served.ask("GET", "/api/chats/c1")
        return reply.json["messages"][-1]

    async def answer(self, change: Any, **headers: str) -> Reply:
        """Post the last message as the page does, its tools' parts changed."""
        message = await self.message()
        parts = [{**part, **change(part)} if "toolCallId" in part else part for part in message["parts"]]
        body = {"id": "c1", "message": {**message, "parts": parts}, "messageId": message["id"]}
        return await self.served.post(body, **headers)


def approve(approved: bool, **more: Any) -> Any:
    def change(part: Any) -> Any:
        if part["state"] != "approval-requested":
            return {}
        return {"state": "approval-responded", "approval": {**part["approval"], "approved": approved, **more}}

    return change


def output(value: Any) -> Any:
    return lambda part: {"state": "output-available", "output": value} if part["state"] == "input-available" else {}


@pytest.fixture
def open_desk(kitchen: Kitchen) -> Any:
    async def opened(*script: Any, client: int = 6) -> Desk:
        (kitchen.folder / "waiting_tools.py").write_text(TOOLS)
        provider = ScriptedProvider([handoff("Ann"), *script])
        served = await kitchen.serve(provider, DESK.replace("CLIENT", str(client)))
        return Desk(served, provider, client)

    return opened


def kinds(reply: Reply) -> list[str]:
    return [chunk["type"] for chunk in reply.chunks if not chunk["type"].startswith("data-")]


async def test_a_yes_runs_the_call_and_the_answer_goes_on_in_the_same_message(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    asked = await desk.ask()
    assert "tool-approval-request" in kinds(asked)
    assert kinds(asked)[-2:] == ["finish-step", "finish"]
    assert not desk.paid
    answered = await desk.answer(approve(True))
    assert answered.status == 200, answered.body
    assert kinds(answered)[:3] == ["start", "tool-output-available", "start-step"]
    assert (answered.chunks[0]["messageId"], answered.text) == (asked.chunks[0]["messageId"], "Done.")
    assert desk.paid == [500]
    assert isinstance(desk.provider.requests[-1].messages[-1], ToolResult)
    message = await desk.message()
    assert [part["state"] for part in message["parts"] if "toolCallId" in part] == ["output-available"]
    assert "status" not in message["metadata"]


async def test_the_kept_message_is_what_a_page_with_approvals_shows(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    page = Page()
    page.read([chunk for chunk in (await desk.ask()).chunks if chunk["type"] != "tool-approval-request"])
    [tool] = [part for part in (await desk.message())["parts"] if "toolCallId" in part]
    assert tool["state"] == "approval-requested"
    assert tool["approval"]["id"].startswith("wait_")


@pytest.mark.parametrize("reason", [None, "Too much."])
async def test_a_no_is_told_to_the_model_and_runs_nothing(reason: str | None, open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("As you wish."))
    await desk.ask()
    answered = await desk.answer(approve(False) if reason is None else approve(False, reason=reason))
    assert "tool-output-denied" in kinds(answered)
    assert answered.text == "As you wish."
    assert not desk.paid
    result = desk.provider.requests[-1].messages[-1]
    assert result.content == ("Denied by the user: Too much." if reason else "Denied by the user.")


async def test_a_small_refund_needs_nobody(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "refund", {"amount": 5})), text("Done."))
    assert (await desk.ask()).text == "Done."
    assert desk.paid == [5]


@pytest.mark.parametrize("approved", [True, False])
async def test_a_page_of_major_5_answers_as_the_tool_would(approved: bool, open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."), client=5)
    asked = await desk.ask()
    assert_acceptable(asked.chunks)
    answered = await desk.answer(output({"approved": approved, "reason": "So."}))
    assert answered.text == "Done."
    assert desk.paid == ([500] if approved else [])
    assert ("tool-output-available" if approved else "tool-output-error") in kinds(answered)


async def test_the_pages_tool_gives_the_models_result(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "locate", {"exact": True})), text("Lyon."), client=5)
    await desk.ask()
    answered = await desk.answer(output({"city": "Lyon"}))
    assert (answered.status, answered.text) == (200, "Lyon.")
    assert desk.provider.requests[-1].messages[-1].content == '{"city":"Lyon"}'
    tool = next(part for part in (await desk.message())["parts"] if "toolCallId" in part)
    assert (tool["state"], tool["output"]) == ("output-available", {"city": "Lyon"})


async def test_results_stand_in_the_order_of_the_calls_also_of_those_that_waited(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "locate", {}), ("t2", "look", {"city": "Lyon"})), text("There."), text("Yes."))
    await desk.ask()
    await desk.answer(output("Paris"))
    await desk.ask("Sure?")
    for request in desk.provider.requests[-2:]:
        results = [message for message in request.messages if isinstance(message, ToolResult)]
        assert [(result.call_id, result.content) for result in results] == [("t1", "Paris"), ("t2", "Lyon")]


async def test_what_the_pages_tool_gives_is_cut_as_any_result(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "locate", {})), text("Long."), client=5)
    await desk.ask()
    await desk.answer(output("x" * 300_000))
    assert desk.provider.requests[-1].messages[-1].content.endswith("[cut: the first 256,000 of 300,000 bytes]")


async def test_a_plain_client_sees_what_is_pending_and_answers_in_fields(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "refund", {"amount": 500}), ("t2", "locate", {})), text("Done."))
    asked = await desk.ask(Accept="application/json")
    first, second = sorted(asked.json["pending"], key=lambda call: call["toolCallId"])
    assert (first["kind"], first["input"], second["kind"]) == ("approval", {"amount": 500}, "client")
    one = {"id": "c1", "approvals": [{"id": first["id"], "approved": True}]}
    half = await desk.served.post(one)
    assert half.status == 409
    assert "toolOutputs" in half.json["error"]
    both = {**one, "toolOutputs": [{"toolCallId": "t2", "output": "Lyon"}]}
    answered = await desk.served.post(both, Accept="application/json")
    assert (answered.status, answered.json["text"]) == (200, "Done.")
    assert desk.paid == [500]


async def test_an_altered_call_is_refused(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    await desk.ask()
    altered = await desk.answer(lambda part: {**approve(True)(part), "input": {"amount": 9000}})
    assert (altered.status, desk.paid) == (409, [])
    assert "arguments of refund" in altered.json["error"]
    assert (await desk.answer(approve(True))).status == 200
    assert desk.paid == [500]


async def test_a_forged_answer_is_refused(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    await desk.ask()
    forged = await desk.served.post({"id": "c1", "approvals": [{"id": "wait_other", "approved": True}]})
    assert (forged.status, desk.paid) == (409, [])


async def test_an_answer_given_twice_over_runs_nothing(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    asked = await desk.ask(Accept="application/json")
    id = asked.json["pending"][0]["id"]
    both = [{"id": id, "approved": False}, {"id": id, "approved": True}]
    contradicting = await desk.served.post({"id": "c1", "approvals": both})
    assert (contradicting.status, desk.paid) == (400, [])
    assert (await desk.served.post({"id": "c1", "approvals": both[1:]})).status == 200


async def test_a_route_without_the_agent_that_waits_takes_no_answer(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    asked = await desk.ask(Accept="application/json")
    body = {"id": "c1", "approvals": [{"id": asked.json["pending"][0]["id"], "approved": True}]}
    elsewhere = await desk.served.post(body, path="/api/bob")
    assert (elsewhere.status, elsewhere.json["error"][:9]) == (409, "Ann waits")
    assert (await desk.served.post(body)).status == 200
    assert desk.paid == [500]


async def test_an_answer_counts_once(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."), text("never"))
    asked = await desk.ask(Accept="application/json")
    body = {"id": "c1", "approvals": [{"id": asked.json["pending"][0]["id"], "approved": True}]}
    replies = await asyncio.gather(desk.served.post(body), desk.served.post(body))
    assert sorted(reply.status for reply in replies) == [200, 409]
    assert (await desk.served.post(body)).status == 409
    assert (desk.paid, len(desk.provider.requests)) == ([500], 3)


async def test_a_late_answer_runs_nothing(open_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await open_desk(REFUND, text("Too late."))
    await desk.ask()
    now = time.time()
    monkeypatch.setattr("fondation.server.turns.time.time", lambda: now + 3601)
    answered = await desk.answer(approve(True))
    assert (answered.text, desk.paid) == ("Too late.", [])
    assert desk.provider.requests[-1].messages[-1].content == "Not run: nobody answered in time."


async def test_the_answer_of_somebody_else_is_refused(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    asked = await desk.ask(Accept="application/json", x_user_id="u1")
    body = {"id": "c1", "approvals": [{"id": asked.json["pending"][0]["id"], "approved": True}]}
    assert (await desk.served.post(body, x_user_id="u2")).status == 409
    assert (await desk.served.post(body)).status == 409
    assert not desk.paid
    assert (await desk.served.post(body, x_user_id="u1")).status == 200


async def test_a_new_message_passes_what_waits(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Never mind."), text("never"))
    asked = await desk.ask(Accept="application/json")
    assert (await desk.ask("Forget it")).text == "Never mind."
    body = {"id": "c1", "approvals": [{"id": asked.json["pending"][0]["id"], "approved": True}]}
    assert (await desk.served.post(body)).status == 409
    assert not desk.paid
    told = [message for message in desk.provider.requests[-1].messages if isinstance(message, ToolResult)]
    assert [result.content for result in told] == ["Not run: the user went on without it."]
    messages = (await desk.served.ask("GET", "/api/chats/c1")).json["messages"]
    [tool] = [part for message in messages for part in message["parts"] if "toolCallId" in part]
    assert (tool["state"], "errorText" in tool) == ("output-denied", False)
    assert tool["approval"]["approved"] is False
    assert tool["approval"]["reason"] == "Not run: the user went on without it."


async def test_who_comes_to_an_answer_that_goes_on_gets_all_of_it(open_desk: Any) -> None:
    reached, released = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await released.wait()

    held = [[TextPiece("So far")], hold, [TextPiece(", so good")], [AnswerEnd("stop")]]
    desk = await open_desk(REFUND, held, client=5)
    await desk.ask()
    answering = asyncio.create_task(desk.answer(output({"approved": True})))
    await reached.wait()
    chat = await desk.served.ask("GET", "/api/chats/c1")
    assert [message["role"] for message in chat.json["messages"]] == ["user"]
    coming = asyncio.create_task(desk.served.ask("GET", "/api/chat/c1/stream"))
    await asyncio.sleep(0.03)
    released.set()
    resumed = await coming
    assert kinds(await answering)[:2] == ["start", "tool-output-available"]
    page = Page()
    page.read(resumed.chunks)
    message = await desk.message()
    assert (page.id, page.parts, page.metadata) == (message["id"], message["parts"], message["metadata"])


async def test_unfit_arguments_of_the_pages_tool_go_back_to_the_model(open_desk: Any) -> None:
    desk = await open_desk(calls(("t1", "locate", {"exact": "yes"})), text("Sorry."))
    reply = await desk.ask()
    assert reply.text == "Sorry."
    assert "tool-output-error" in kinds(reply)


@pytest.mark.parametrize("client", [5, 6])
async def test_a_message_tells_the_usage_of_every_run_that_wrote_it(open_desk: Any, client: int) -> None:
    desk = await open_desk(REFUND, text("Done."), client=client)
    asked = await desk.ask()
    before = asked.chunks[-1]["messageMetadata"]
    answered = await desk.answer(approve(True) if client > 5 else output({"approved": True}))
    after = answered.chunks[-1]["messageMetadata"]
    rows = await desk.served.rows(3)
    assert before["usage"] == usage_of(rows[:2])
    assert after["usage"] == usage_of(rows)
    assert after["handoffChain"] == ["Triage", "Ann"]
    runs = [before["runId"], after["runId"]]
    assert answered.chunks[0]["messageMetadata"]["runIds"] == runs
    kept = (await desk.message())["metadata"]
    assert (kept["usage"], kept["runIds"], kept["runId"]) == (after["usage"], runs, runs[1])


async def test_a_call_of_an_answer_that_broke_off_shares_its_id_with_none_that_follows(open_desk: Any) -> None:
    broken = [[ToolCallPiece("t1", "look"), ArgumentsPiece("t1", '{"ci')], ProviderUnavailable("reset")]
    desk = await open_desk(broken, calls(("t1", "look", {"city": "Oslo"})), text("Done."))
    await desk.ask()
    answered = await desk.answer(lambda part: {})
    assert answered.text == "Done."
    parts = [part for part in (await desk.message())["parts"] if "toolCallId" in part]
    assert [part["state"] for part in parts] == ["output-error", "output-available"]
    assert len({part["toolCallId"] for part in parts}) == 2


async def test_a_json_answer_tells_the_usage_of_its_own_run(open_desk: Any) -> None:
    desk = await open_desk(REFUND, text("Done."))
    await desk.ask()
    answered = await desk.answer(approve(True), accept="application/json")
    assert answered.json["usage"] == usage_of((await desk.served.rows(3))[2:]) | {"model": "acme/main-2026"}


def usage_of(rows: Sequence[Any]) -> dict[str, Any]:
    tokens = {name: sum(row[f"{name}_tokens"] for row in rows) for name in ("prompt", "completion", "total")}
    told = {f"{name}Tokens": count for name, count in tokens.items()}
    return {**told, "cost": sum(row["cost_pico"] for row in rows) / 10**12, "costSource": "billed"}
