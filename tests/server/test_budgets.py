"""Budgets as a client meets them: 402 before the stream, an end inside it, another model, a warning."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fondation.budgets import budgets as budgets_module
from fondation.budgets import reserving
from fondation.budgets.statements import Statement
from fondation.calls import ModelCall, TokenUsage
from fondation.errors import ModerationRefused
from fondation.providers.base import Accepted, AnswerEnd, ModelRequest, Pieces, TextPiece
from tests.support.chunks import assert_acceptable
from tests.support.scripted import Answer, ScriptedProvider, calls, text
from tests.support.served import Kitchen, OpenProvider, Served

COST = 0.01
DESK = """
version: 1
models:
  main: {provider: openrouter, id: acme/main, price: {input: 1, output: 1}}
  cheap: {provider: openrouter, id: acme/cheap, price: {input: 1, output: 1}, settings: {temperature: 0.5}}
tools:
  look: desk:look
agents:
  Ann: {model: main, instructions: You are Ann., tools: [look]}
  Bob: {model: cheap, instructions: You are Bob.}
routes:
  /api/chat: Ann
  /api/sent: {agent: Ann, chats: client}
  /api/old: {agent: Ann, client: 4}
  /api/titled: {agent: Ann, titles: {model: cheap}, suggestions: {model: cheap}}
  /api/bob: Bob
usage: {timezone: UTC}
budgets:
"""
USER = {"role": "user", "content": "Hi"}
TOOLS = '''
def look() -> str:
    """Look around."""
    return "nothing"
'''


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-test")
    (tmp_path / "desk.py").write_text(TOOLS)


def desk(*budgets: str) -> str:
    return DESK + "".join(f"  - {{{budget}}}\n" for budget in budgets)


def says(*texts: str, times: int = 1) -> list[Answer]:
    return [text(*texts) for _ in range(times)]


def provider(*answers: Answer, cost: float | None = COST, **fields: Any) -> ScriptedProvider:
    return ScriptedProvider([*answers], usage=TokenUsage(10, 5, 15, cost=cost), **fields)


def tomorrow() -> str:
    return f"{datetime.now(UTC).date() + timedelta(days=1)}T00:00:00Z"


def counters(served: Served) -> dict[str, tuple[int, int]]:
    """Budget and bucket -> what is spent and reserved, in hundredths of a cent."""
    with contextlib.closing(sqlite3.connect(served.folder / "fondation.db")) as database:
        found = database.execute(
            "SELECT budget || ' ' || bucket, spent_pico, (SELECT COALESCE(SUM(amount_pico), 0) FROM usage_reservations "
            "WHERE counter = key) FROM usage_budgets"
        ).fetchall()
    return {name.strip(): (spent // 10**8, reserved // 10**8) for name, spent, reserved in found}


async def eventually(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  (a file of another thread)
            await asyncio.sleep(0.01)


def parts(reply: Any) -> list[dict[str, Any]]:
    return [chunk["data"] for chunk in reply.chunks if chunk["type"] == "data-budget"]


async def test_a_request_that_no_budget_has_room_for_is_refused_before_its_stream(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok")), desk("name: all-day, limit: $0.01, every: day"))
    assert (await served.post({"message": "Hi", "id": "c1"})).text == "ok"
    await served.rows(1)
    for path in ("/api/chat", "/api/sent", "/api/old"):
        body = {"message": "Hi", "id": "c2"} if path != "/api/old" else {"messages": [USER]}
        reply = await served.post(body, path=path)
        assert reply.status == 402
        assert reply.headers["Content-Type"] == "application/json"
        assert 0 < int(reply.headers["Retry-After"]) <= 86_400
        sentence = f'The budget "all-day" is used up: $0.01 of $0.01 is spent. It begins anew at {tomorrow()}.'
        state = {"budget": "all-day", "spent": 0.01, "limit": 0.01, "reset": tomorrow()}
        assert reply.json == {"error": sentence, "budget": state}
    assert len(await served.rows(1)) == 1
    assert (await served.ask("GET", "/api/chats/c2")).status == 404


async def test_a_budget_without_a_period_has_no_reset(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok")), desk("name: session, limit: $0.01, per: session"))
    assert (await served.post(x_session_id="s1")).status == 200
    await served.rows(1)
    refused = await served.post(x_session_id="s1")
    assert refused.status == 402
    assert "Retry-After" not in refused.headers
    assert refused.json["budget"]["reset"] is None
    assert refused.json["error"] == 'The budget "session" is used up: $0.01 of $0.01 is spent.'


async def test_the_end_of_a_month_may_be_far(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    served = await kitchen.serve(provider(*says("ok")), desk("name: b, limit: $0.01, every: month"))
    await served.post()
    await served.rows(1)
    monkeypatch.setattr(Statement, "_retry_after", lambda _: 2_592_000)
    assert (await served.post()).headers["Retry-After"] == "2592000"


async def test_a_refused_turn_leaves_its_chat_as_it_was(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok")), desk("name: b, limit: $0.01"))
    await served.post({"message": "Hi", "id": "c1"})
    await served.rows(1)
    before = (await served.ask("GET", "/api/chats/c1")).json
    assert (await served.post({"message": "More", "id": "c1"})).status == 402
    assert (await served.ask("GET", "/api/chats/c1")).json == before


async def test_each_user_has_a_bucket_and_all_others_have_one_together(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok", times=3)), desk("name: b, limit: $0.01, per: user"))
    for user in ("ada", "bob"):
        assert (await served.post(x_user_id=user)).status == 200
    assert (await served.post()).status == 200
    await served.rows(3)
    assert [(await served.post(x_user_id=user)).status for user in ("ada", "bob", "undefined")] == [402] * 3
    assert counters(served) == {"b ada": (100, 0), "b bob": (100, 0), "b anonymous": (100, 0)}


async def test_the_tenth_of_ten_equal_calls_passes_and_the_eleventh_does_not(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok", times=10)), desk("name: b, limit: $0.10"))
    for number in range(10):
        assert (await served.post()).status == 200
        await served.rows(number + 1)
    assert (await served.post()).status == 402
    assert counters(served) == {"b": (1_000, 0)}


@dataclass
class Bank(ScriptedProvider):
    """Keeps its own books; answers when it is told to, each call for what it is told."""

    script: list[Answer] = field(default_factory=list)
    usage: TokenUsage | None = None
    begun: int = 0
    billed: float = 0.0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fails: int = 0
    """So many calls are refused, and cost nothing."""
    cost: float = COST

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        self.begun += 1
        number = self.begun
        await self.gate.wait()
        if number <= self.fails:
            raise ModerationRefused("no", charged=False)
        yield [Accepted()]
        self.billed += self.cost
        call.usage = TokenUsage(10, 5, 15, cost=self.cost)
        yield [TextPiece("ok"), AnswerEnd("stop")]


async def test_fifty_at_once_spend_no_more_than_there_is(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "PATIENCE", 30.0)
    bank = Bank()
    served = await kitchen.serve(bank, desk("name: b, limit: $0.11, per: user, every: day"))
    bank.gate.set()
    await served.post(x_user_id="ada")  # what one costs is known now
    await served.rows(1)
    replies = await asyncio.gather(*(served.post(x_user_id="ada") for _ in range(50)))
    passed = [reply for reply in replies if reply.status == 200]
    assert {reply.status for reply in replies} == {200, 402}
    assert bank.billed <= 0.11 + 1e-9
    assert len(passed) == 10, "each that was refused, was so while there was nothing left for it"
    assert len(await served.rows(11)) == 11
    assert counters(served) == {"b ada": (1_100, 0)}


async def test_one_dear_call_locks_nobody_out(kitchen: Kitchen) -> None:
    bank = Bank()
    bank.gate.set()
    served = await kitchen.serve(bank, desk("name: each, limit: $0.25, per: user"))
    for number in range(20):
        bank.cost = 6.0 if number == 10 else COST
        assert (await served.post(x_user_id=f"u{number}")).status == 200
        await served.rows(number + 1)
    bank.cost = 0.2
    assert (await served.post(x_user_id="ada")).status == 200, "nothing is spent"
    await served.rows(21)
    assert (await served.post(x_user_id="ada")).status == 200, "the usual call fits"
    await served.rows(22)
    assert (await served.post(x_user_id="ada")).status == 402


async def test_a_call_that_waits_learns_from_those_that_end(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "PATIENCE", 30.0)
    bank = Bank(cost=0.1)
    bank.gate.set()
    served = await kitchen.serve(bank, desk("name: b, limit: $0.40"))
    for number in range(3):
        assert (await served.post()).status == 200
        await served.rows(number + 1)
    bank.cost = 0.01
    replies = await asyncio.gather(*(served.post() for _ in range(2)))
    assert [reply.status for reply in replies] == [200, 200]


async def test_what_others_have_set_aside_is_asked_for_again_soon(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "PATIENCE", 0.05)
    bank = Bank()
    served = await kitchen.serve(bank, desk("name: b, limit: $0.001, every: day"))
    first = asyncio.create_task(served.post())
    await eventually(lambda: bank.begun == 1)
    refused = await served.post()
    bank.gate.set()
    await first
    assert (refused.status, refused.headers["Retry-After"]) == (402, "2")
    now = "now: $0.00 of $0.001 is spent, and $0.001 is set aside for calls under way."
    assert refused.json["error"] == f'The budget "b" has no room for another call {now}'
    assert refused.json["budget"]["reset"] == tomorrow()


async def test_answers_side_by_side_warn_once(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets_module, "WARN_SECONDS", 30.0)
    bank = Bank(cost=0.1)
    served = await kitchen.serve(bank, desk("name: b, limit: $1.00, warn_at: 50%"))
    asking = [asyncio.create_task(served.post()) for _ in range(8)]
    await eventually(lambda: bank.begun == 8)
    bank.gate.set()
    replies = await asyncio.gather(*asking)
    assert sum(len(parts(reply)) for reply in replies) == 1


async def test_money_that_is_freed_goes_to_those_who_wait(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "PATIENCE", 30.0)
    bank = Bank(fails=8, cost=0.0005)
    served = await kitchen.serve(bank, desk("name: b, limit: $0.004, per: user"))  # a first guess is $0.001
    asking = [asyncio.create_task(served.post(x_user_id="ada")) for _ in range(10)]
    await eventually(lambda: bank.begun == 3)
    bank.gate.set()
    replies = await asyncio.gather(*asking)
    assert [reply.status for reply in replies] == [200] * 10
    assert bank.begun == 10
    assert bank.billed == pytest.approx(0.001)


async def test_a_run_that_finds_no_room_ends_properly(kitchen: Kitchen) -> None:
    script = [calls(("1", "look", {}), before="Wait. "), calls(("2", "look", {}), before="Still. "), *says("done")]
    served = await kitchen.serve(provider(*script), desk("name: b, limit: $0.02, every: day"))
    reply = await served.post({"message": "Hi", "id": "c1"})
    assert reply.status == 200
    assert_acceptable(reply.chunks)
    assert reply.text == "Wait. Still. "
    types = [chunk["type"] for chunk in reply.chunks]
    after = types[types.index("data-budget") :]
    assert after == ["data-budget", "start-step", "finish-step", "message-metadata", "error", "finish"]
    (budget,) = [chunk for chunk in reply.chunks if chunk["type"] == "data-budget"]
    assert budget["transient"]
    assert budget["data"] == {"budget": "b", "spent": 0.02, "limit": 0.02, "reset": tomorrow()}
    (error,) = [chunk for chunk in reply.chunks if chunk["type"] == "error"]
    assert error["errorText"].startswith('The budget "b" is used up: $0.02 of $0.02 is spent. It begins anew at ')
    rows = await served.rows(2)
    assert [row["status"] for row in rows] == ["done", "done"]
    kept = (await served.ask("GET", "/api/chats/c1")).json["messages"][-1]
    assert [part["text"] for part in kept["parts"] if part["type"] == "text"] == ["Wait. ", "Still. "]
    assert not [part for part in kept["parts"] if part["type"].startswith("data-")]
    assert counters(served) == {"b": (200, 0)}


async def test_a_json_answer_that_finds_no_room_says_the_same(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(calls(("1", "look", {}))), desk("name: b, limit: $0.01, every: day"))
    reply = await served.post(accept="application/json")
    assert reply.status == 402
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.json["budget"] == {"budget": "b", "spent": 0.01, "limit": 0.01, "reset": tomorrow()}
    assert reply.json["error"].startswith('The budget "b" is used up')


async def test_a_page_of_major_4_is_told_in_its_manner(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(calls(("1", "look", {}))), desk("name: b, limit: $0.01"))
    reply = await served.post({"messages": [USER]}, path="/api/old")
    lines = reply.body.decode().splitlines()
    data = [item for line in lines if line.startswith("2:") for item in json.loads(line[2:])]
    state = {"budget": "b", "spent": 0.01, "limit": 0.01, "reset": None}
    assert [item["data"] for item in data if item["type"] == "data-budget"] == [state]
    assert [line[:1] for line in lines[-2:]] == ["3", "d"]


async def test_another_model_answers_once_the_money_for_the_first_is_spent(kitchen: Kitchen) -> None:
    asked = provider(*says("dear"), *says("cheap", times=2))
    served = await kitchen.serve(
        asked,
        desk("name: dear, limit: $0.01, where: {model: main}, on_exceed: {use: cheap}", "name: all, limit: $0.03"),
    )
    replies = []
    for number in range(3):
        replies.append(await served.post())
        await served.rows(number + 1)
    assert [reply.text for reply in replies] == ["dear", "cheap", "cheap"]
    assert [row["requested_model"] for row in await served.rows(3)] == ["acme/main", "acme/cheap", "acme/cheap"]
    assert [request.settings for request in asked.requests] == [{}, {"temperature": 0.5}, {"temperature": 0.5}]
    finish = replies[1].chunks[-1]
    assert finish["messageMetadata"]["model"] == "acme/cheap-2026"
    assert counters(served) == {"dear": (100, 0), "all": (300, 0)}
    assert (await served.post()).json["budget"]["budget"] == "all"


async def test_what_answers_instead_is_counted_where_it_was_counted_before(kitchen: Kitchen) -> None:
    served = await kitchen.serve(
        provider(*says("ok", times=3)), desk("name: all, limit: $0.01, on_exceed: {use: cheap}")
    )
    for number in range(3):
        assert (await served.post()).status == 200
        await served.rows(number + 1)
    assert counters(served) == {"all": (300, 0)}


async def test_the_page_is_warned_once(kitchen: Kitchen) -> None:
    served = await kitchen.serve(
        provider(*says("ok", times=5)), desk("name: b, limit: $0.10, every: day, warn_at: 20%")
    )
    replies = []
    for number in range(4):
        replies.append(await served.post())
        await served.rows(number + 1)
    assert [len(parts(reply)) for reply in replies] == [0, 1, 0, 0]
    assert parts(replies[1]) == [{"budget": "b", "spent": 0.02, "limit": 0.1, "reset": tomorrow()}]
    for reply in replies:
        assert_acceptable(reply.chunks)
        assert reply.chunks[0]["type"] == "start"
        assert reply.chunks[-1]["type"] == "finish"


async def test_a_warning_that_no_call_of_its_own_brought_comes_after_the_start(kitchen: Kitchen) -> None:
    """The money was spent before there was a budget."""
    first = await kitchen.serve(provider(*says("ok")), desk("name: other, limit: $1.00"))
    await first.post()
    await first.rows(1)
    await kitchen.close()
    served = await kitchen.serve(provider(*says("ok")), desk("name: b, limit: $0.10, warn_at: 10%"))
    reply = await served.post()
    types = [chunk["type"] for chunk in reply.chunks]
    assert types[0] == "start"
    assert parts(reply)[0]["spent"] == 0.01


HOOKS = """
import asyncio, time
told = []

def note(event):
    told.append(event)

async def note_async(event):
    await asyncio.sleep(0)
    told.append(event)

def fails(event):
    told.append(event)
    raise RuntimeError("no mail today")

def sleeps(event):
    time.sleep(60)
"""


@pytest.mark.parametrize("name", ["note", "note_async", "fails", "sleeps"])
async def test_the_project_is_warned_beside_the_answer(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.usage.hooks.DRAIN_SECONDS", 0.1)
    (kitchen.folder / "money_hooks.py").write_text(HOOKS)
    served = await kitchen.serve(
        provider(*says("ok", times=3)),
        desk(f"name: b, limit: $0.04, per: user, every: day, warn_at: 50%, on_warn: 'money_hooks:{name}'"),
    )
    for number in range(3):
        assert (await served.post(x_user_id="ada", x_session_id="s1")).text == "ok"
        await served.rows(number + 1)
    run_id = (await served.rows(3))[1]["run_id"]
    import money_hooks  # type: ignore[import-not-found]

    if name != "sleeps":
        await eventually(lambda: money_hooks.told)
        event = {"budget": "b", "bucket": "ada", "per": "user", "spent": 0.02, "limit": 0.04, "reset": tomorrow()}
        assert money_hooks.told == [event | {"runId": run_id, "userId": "ada", "sessionId": "s1"}]
    if name == "fails":
        await eventually(lambda: "on_warn of the budget b failed" in caplog.text)


async def test_titles_and_suggestions_that_find_no_room_do_not_happen(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    asked = provider(*says("ok"), beside={})
    served = await kitchen.serve(
        asked, desk("name: no-asides, limit: $0.01, where: {model: cheap}", "name: all, limit: $1.00")
    )
    with contextlib.closing(sqlite3.connect(served.folder / "fondation.db")) as database, database:
        database.execute(
            "INSERT INTO usage_tracking (agent_name, requested_model, total_tokens, cost, timestamp) "
            "VALUES ('Ann', 'acme/cheap', 5, 0.01, 1795000000)"
        )
    caplog.set_level(logging.WARNING)
    reply = await served.post({"message": "Hi", "id": "c1"}, path="/api/titled")
    assert reply.status == 200
    assert_acceptable(reply.chunks)
    assert (reply.text, reply.chunks[-1]["type"]) == ("ok", "finish")
    assert asked.asked_beside == []
    for purpose in ("title", "suggestions"):
        assert f'no {purpose}: The budget "no-asides" is used up' in caplog.text


async def test_a_title_is_counted(kitchen: Kitchen) -> None:
    asked = provider(*says("ok"), beside={"title": says("A title"), "suggestions": says('["More?"]')})
    served = await kitchen.serve(asked, desk("name: all, limit: $1.00"))
    await served.post({"message": "Hi", "id": "c1"}, path="/api/titled")
    await served.rows(3)
    assert counters(served) == {"all": (300, 0)}


async def test_simulated_calls_need_no_money(kitchen: Kitchen) -> None:
    asked = provider(*says("ok"), name="simulated", cost=None)
    served = await kitchen.serve(asked, desk("name: b, limit: $0.000001"))
    assert (await served.post()).text == "ok"
    assert counters(served) == {}


async def test_who_breaks_answers_off_spends_all_the_same(kitchen: Kitchen) -> None:
    """Nobody tells what such a call cost, where the provider keeps no receipts."""
    half: Answer = [[TextPiece("Half")], lambda: asyncio.sleep(60)]
    asked = OpenProvider([*says("whole"), *[half] * 4], usage=TokenUsage(10, 5, 15, cost=COST))
    served = await kitchen.serve(asked, desk("name: b, limit: $0.05, every: day"))
    assert (await served.post()).status == 200
    await served.rows(1)
    for broken_off in range(4):
        async with served.connect() as connection:
            await connection.post()
            await connection.read_until(b"Half")
            connection.vanish()
        row = (await served.rows(2 + broken_off))[-1]
        assert (row["status"], row["cost_source"]) == ("aborted", "unknown")
    assert counters(served) == {"b": (100, 400)}
    assert (await served.post()).status == 402


async def test_a_failed_call_costs_nothing_and_frees_what_was_set_aside(kitchen: Kitchen) -> None:
    asked = provider([ModerationRefused("no", charged=False)], *says("ok"))
    served = await kitchen.serve(asked, desk("name: b, limit: $0.01"))
    await served.post()
    await served.rows(1)
    assert counters(served) == {"b": (0, 0)}
    assert (await served.post()).text == "ok"


async def test_while_the_database_is_locked_answers_go_on_within_what_is_known(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(provider(*says("ok", times=4)), desk("name: b, limit: $0.03, per: user"))
    assert (await served.post(path="/api/sent", x_user_id="ada")).status == 200
    await served.rows(1)
    with contextlib.closing(sqlite3.connect(served.folder / "fondation.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        statuses = [(await served.post(path="/api/sent", x_user_id="ada")).status for _ in range(4)]
        other.execute("ROLLBACK")
    assert statuses == [200, 200, 402, 402]
    await served.rows(3)
    await eventually(lambda: counters(served) == {"b ada": (300, 0)})
    assert [record.name for record in caplog.records].count("fondation.budgets") == 1


async def test_a_database_that_is_removed_is_counted_anew(kitchen: Kitchen) -> None:
    served = await kitchen.serve(provider(*says("ok", times=100)), desk("name: b, limit: $1.00"))
    assert (await served.post(path="/api/sent")).status == 200
    await served.rows(1)
    for file in served.folder.glob("fondation.db*"):
        file.unlink()
    assert (await served.post(path="/api/sent")).status == 200
    await eventually((served.folder / "fondation.db").exists)
    sent = 1
    async with asyncio.timeout(5):
        while not counters(served):
            assert (await served.post(path="/api/sent")).status == 200
            sent += 1
    await served.rows(sent)
    assert counters(served) == {"b": (100 * sent, 0)}
