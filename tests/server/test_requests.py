"""What a request may hold, and what is answered to one that cannot be run."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import msgspec
import pytest

from tests.support.scripted import ScriptedProvider, text
from tests.support.served import ANN, JSON, Kitchen, OpenProvider, Served

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main}
agents:
  Triage: {model: main, instructions: Route., handoffs: [Billing, Tech]}
  Billing: {model: main, description: Money., instructions: Bill., match_on: [invoice]}
  Tech: {model: main, description: Tech., instructions: 'For {{ context.tier }} {{ context.seats }}.'}
  Alone: {model: main, instructions: Alone.}
routes:
  /api/chat:
    agent: Triage
    context:
      tier: {type: string, default: free, max_length: 6}
      seats: {type: integer}
      share: {type: number}
      beta: {type: boolean, default: false}
  /api/alone: {agent: Alone, limits: {max_message_length: 5, max_body_size: 200B}}
limits: {max_body_size: 2KB}
server: {proxies: [10.0.0.0/8]}
"""
CLIENTS = DESK.replace("    agent: Triage\n", "    agent: Triage\n    chats: client\n")
"""The same, its chats kept by the pages."""


async def serve(kitchen: Kitchen, file: str = DESK) -> tuple[Served, ScriptedProvider]:
    provider = ScriptedProvider([text("ok") for _ in range(4)])
    return await kitchen.serve(provider, file), provider


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "No message provided"),
        ({"message": ""}, 400, "No message provided"),
        ({"message": " \n"}, 400, "No message provided"),
        ({"messages": [{"role": "assistant", "parts": []}]}, 400, "No message provided"),
        (b"", 400, "Invalid JSON body"),
        (b"{message: Hi}", 400, "Invalid JSON body"),
        (b'{"message": "\xff"}', 400, "Invalid JSON body"),
        (b"[" * 1500, 400, "body: Expected `object`, got `array`"),
        ({"messages": [{"role": "user", "parts": [{"type": 1}]}]}, 400, "messages[0].parts[0].type: Expected `str`"),
        ({"message": "Hi", "id": "x" * 129}, 400, "id: at most 128 printable characters"),
        ({"message": "Hi", "id": "a\nb"}, 400, "id: at most 128 printable characters"),
        ({"message": "Hi", "id": "a\u2028b"}, 400, "id: at most 128 printable characters"),
        ({"message": "Hi", "id": "c1 "}, 400, "id: no blanks at its ends"),
        ({"message": "Hi", "agentChoice": "Alone"}, 400, "agentChoice: one of Triage, Billing, Tech"),
        ({"message": "Hi", "agentChoice": ""}, 400, "agentChoice: one of Triage, Billing, Tech"),
        ({"message": "Hi", "context": {"tier": 1}}, 400, "context.tier: expected string"),
        ({"message": "Hi", "context": {"tier": "diamond"}}, 400, "context.tier: longer than 6 characters"),
        ({"message": "Hi", "context": {"seats": "3"}}, 400, "context.seats: expected integer"),
        ({"message": "Hi", "context": {"seats": 1.5}}, 400, "context.seats: expected integer"),
        ({"message": "Hi", "context": {"seats": True}}, 400, "context.seats: expected integer"),
        ({"message": "Hi", "context": {"share": False}}, 400, "context.share: expected number"),
        ({"message": "Hi", "context": {"beta": 1}}, 400, "context.beta: expected boolean"),
        ({"message": "x" * 2000}, 413, "The body is larger than 2,000 bytes"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_bad_request_is_answered_before_anything_is_asked_of_a_model(
    body: Any, status: int, error: str, kitchen: Kitchen
) -> None:
    served, provider = await serve(kitchen)
    reply = await served.post(body)
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/json")
    assert reply.json["error"].startswith(error)
    assert list(reply.json) == ["error"]
    assert not provider.requests


async def test_an_answer_that_is_continued_must_have_a_proper_id(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen, CLIENTS)
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho", "id": "x\r\ny"}]
    reply = await served.post({"messages": messages})
    assert (reply.status, reply.json["error"]) == (400, "the last message's id: at most 128 printable characters")


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", "application/jsonp"],
)
async def test_a_body_that_does_not_say_json_is_refused_with_what_to_type(
    content_type: str | None, kitchen: Kitchen
) -> None:
    served, provider = await serve(kitchen)
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = await served.ask("POST", "/api/chat", b'{"message": "Hi"}', headers)
    assert reply.status == 415
    assert "content-type: application/json" in reply.json["error"]
    assert not provider.requests


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=latin-1"]
)
async def test_json_is_utf8_whatever_charset_is_announced(content_type: str, kitchen: Kitchen) -> None:
    served, provider = await serve(kitchen)
    reply = await served.ask("POST", "/api/chat", '{"message": "é"}'.encode(), {"Content-Type": content_type})
    assert reply.status == 200
    assert provider.requests[0].messages[-1].text == "é"  # type: ignore[union-attr]


async def test_a_body_without_a_length_is_counted_as_it_comes(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)

    async def endless() -> Any:
        yield b'{"message": "'
        while True:
            yield b"x" * 500

    reply = await served.ask("POST", "/api/chat", endless(), JSON)
    assert (reply.status, reply.json["error"]) == (413, "The body is larger than 2,000 bytes")


async def test_a_body_in_chunks_is_read(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)

    async def chunks() -> Any:
        for part in (b'{"mess', b"age", b'": "Hi"}'):
            yield part
            await asyncio.sleep(0)

    assert (await served.ask("POST", "/api/chat", chunks(), JSON)).text == "ok"


async def test_a_packed_body_is_counted_by_what_is_in_it(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    packed = {**JSON, "Content-Encoding": "gzip"}
    small, large = gzip.compress(b'{"message": "Hi"}'), gzip.compress(b'{"message": "%b"}' % (b"x" * 1_000_000))
    assert len(large) < 2000
    assert (await served.ask("POST", "/api/chat", small, packed)).status == 200
    assert (await served.ask("POST", "/api/chat", large, packed)).status == 413


async def test_a_body_whose_encoding_is_broken_is_a_bad_request(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.ask("POST", "/api/chat", b'{"message": "Hi"}', {**JSON, "Content-Encoding": "gzip"})
    assert (reply.status, reply.json["error"]) == (400, "The body cannot be read: its encoding is broken")


@pytest.mark.parametrize("length", ["-1", "99999999999999999999999", "0x11", "17, 18"])
async def test_a_length_that_is_none_is_refused_by_the_protocol(length: str, kitchen: Kitchen) -> None:
    served, provider = await serve(kitchen)
    head = f"POST /api/chat HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: {length}"
    assert b" 400 " in (await served.send(head, b'{"message": "Hi"}')).splitlines()[0]
    assert not provider.requests


async def test_a_length_that_is_never_filled_is_given_up(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.server.requests.BODY_SECONDS", 0.05)
    served, _ = await serve(kitchen)
    async with served.connect() as connection:
        head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        await connection.write(head + b"Content-Length: 100\r\n\r\n{")
        assert b"408" in await connection.read_until(b"\r\n")
        assert b"The body did not arrive" in await connection.read_until(b"}")


async def test_a_long_message_is_refused_where_the_route_says_so(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post({"message": "123456"}, "/api/alone")
    assert (reply.status, reply.json["error"]) == (413, "The message is longer than 5 characters")
    assert (await served.post({"message": "12345"}, "/api/alone")).status == 200
    long_body = {"message": "12345", "id": "x", "more": "y" * 200}
    assert (await served.post(long_body, "/api/alone")).json["error"] == "The body is larger than 200 bytes"


@pytest.mark.parametrize(
    ("headers", "body", "session"),
    [
        ({"x_session_id": "s1"}, {"id": "c1"}, "s1"),
        ({}, {"id": "c1"}, "c1"),
        ({"x_session_id": ""}, {"id": "c1"}, "c1"),
        ({"x_session_id": "x" * 128}, {}, "x" * 128),
    ],
)
async def test_the_session_is_the_header_or_the_chat(
    headers: dict[str, str], body: dict[str, Any], session: str, kitchen: Kitchen
) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post({"message": "Hi", **body}, **headers)
    assert reply.headers["x-session-id"] == session
    [row] = await served.rows()
    assert (row["session_id"], row["chat_id"] is not None) == (session, True)


async def test_ids_that_nobody_sent_are_made(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    first, second = await served.post(), await served.post()
    for header in ("x-session-id", "x-run-id"):
        assert first.headers[header] != second.headers[header]
    start = first.chunks[0]
    assert start["messageMetadata"]["runId"] == first.headers["x-run-id"]
    assert start["messageMetadata"]["userMessageId"].startswith("msg_")
    assert (await served.rows(2))[0]["run_id"] == first.headers["x-run-id"]


async def test_a_message_that_has_an_id_keeps_it(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post({"message": {"id": "u1", "role": "user", "content": "Hi"}})
    assert "userMessageId" not in reply.chunks[0]["messageMetadata"]


async def test_an_answer_goes_on_under_its_id(kitchen: Kitchen) -> None:
    served, provider = await serve(kitchen, CLIENTS)
    part = {"type": "tool-x", "toolCallId": "c1", "state": "output-available", "input": {}, "output": 1}
    messages = [{"role": "user", "content": "Hi"}, {"id": "msg_7", "role": "assistant", "parts": [part]}]
    reply = await served.post({"messages": messages, "messageId": "msg_7", "trigger": "submit-message"})
    assert reply.chunks[0]["messageId"] == "msg_7"
    assert len(provider.requests[0].messages) == 4


@pytest.mark.parametrize("header", ["x_session_id", "x_user_id"])
@pytest.mark.parametrize("value", ["x" * 129, "a\tb", "\u2066x", "\x85"])
async def test_an_id_that_is_none_is_refused_by_its_name(header: str, value: str, kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post(**{header: value})
    assert (reply.status, reply.json["error"]) == (
        400,
        f"{header.replace('_', '-')}: at most 128 printable characters",
    )


async def test_no_id_can_write_a_header_of_its_own(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post({"message": "Hi", "id": "c1\r\nSet-Cookie: a=b"})
    assert reply.status == 400
    reply = await served.post({"message": "Hi", "id": "é 日本"})
    assert reply.status == 200
    assert "Set-Cookie" not in reply.headers


async def test_a_users_name_is_believed_from_this_machine(kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    await served.post(x_user_id="u1")
    await served.post({"message": "Hi", "user_id": "mallory", "userId": "mallory"})
    assert [row["user_id"] for row in await served.rows(2)] == ["u1", None]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_name_may_be_written_as_programs_do_or_as_pages_do(encoding: str, kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    async with served.connect() as connection:
        head = "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        names = "X-User-Id: Zoë\r\nContent-Length: 17\r\n\r\n"
        await connection.write((head + names).encode(encoding) + b'{"message": "Hi"}')
        await connection.read_until(b"[DONE]")
    assert [row["user_id"] for row in await served.rows()] == ["Zoë"]


@pytest.mark.parametrize("nobody", ["undefined", "null", ""])
async def test_a_value_that_a_page_does_not_have_is_nobodys_name(nobody: str, kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    replies = [await served.post(x_user_id=nobody, x_session_id=nobody) for _ in range(2)]
    assert [row["user_id"] for row in await served.rows(2)] == [None, None]
    assert len({reply.headers["x-session-id"] for reply in replies} - {nobody}) == 2


@pytest.mark.parametrize(("peer", "believed"), [("10.1.2.3", True), ("192.168.0.7", False), ("::ffff:127.0.0.1", True)])
async def test_a_users_name_is_believed_from_the_proxies_and_from_nobody_else(
    peer: str, believed: bool, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, _ = await serve(kitchen)
    monkeypatch.setattr("aiohttp.web.Request.remote", peer)
    assert (await served.post(x_user_id="u1")).status == 200
    assert (await served.rows())[0]["user_id"] == ("u1" if believed else None)


async def test_context_is_typed_defaulted_and_what_is_undeclared_is_dropped(kitchen: Kitchen) -> None:
    served, provider = await serve(kitchen)
    for context in ({"seats": 3, "secret": "x"}, {"tier": "gold", "seats": None}, None):
        await served.post({"message": "Hi", "agentChoice": "Tech", "context": context})
    told = [request.messages[0].text for request in provider.requests]  # type: ignore[union-attr]
    assert told == ["For free 3.", "For gold .", "For free ."]


@pytest.mark.parametrize(
    ("body", "agent", "strategy"),
    [
        ({"message": "Hello"}, "Triage", None),
        ({"message": "My INVOICE"}, "Billing", "programmatic"),
        ({"message": "My invoice", "agentChoice": "Tech"}, "Tech", "explicit"),
        (
            {
                "messages": [
                    {"role": "user", "content": "x"},
                    {"role": "assistant", "content": "y", "metadata": {"agent": "Tech"}},
                    {"role": "user", "content": "invoice"},
                ]
            },
            "Tech",
            None,
        ),
    ],
)
async def test_the_first_agent_is_chosen_by_the_request(
    body: Any, agent: str, strategy: str | None, kitchen: Kitchen
) -> None:
    served, provider = await serve(kitchen)
    chunks = (await served.post(body)).chunks
    assert chunks[0]["messageMetadata"]["agent"] == agent
    handoffs = [chunk["data"]["routingStrategy"] for chunk in chunks if chunk["type"] == "data-agent-handoff"]
    assert handoffs == ([strategy] if strategy else [])
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json; q=0.9", True),
        ("application/json, text/plain", True),
        ("Application/JSON", True),
        ("application/json, text/plain, */*", False),
        ("application/json, text/event-stream", False),
        ("text/event-stream", False),
        ("*/*", False),
        ("text/html", False),
    ],
)
async def test_accept_decides_between_stream_and_json(accept: str, is_json: bool, kitchen: Kitchen) -> None:
    served, _ = await serve(kitchen)
    reply = await served.post(Accept=accept)
    assert reply.headers["Content-Type"] == ("application/json" if is_json else "text/event-stream")
    assert (await served.rows())[0]["method"] == ("generate" if is_json else "stream")


async def test_a_client_that_leaves_before_its_body_came_is_no_error(
    kitchen: Kitchen, caplog: pytest.LogCaptureFixture
) -> None:
    served = await kitchen.serve(OpenProvider(), ANN)
    async with served.connect() as connection:
        head = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        await connection.write(head + b"Content-Length: 100\r\n\r\n{")
        await asyncio.sleep(0.05)
        connection.vanish()
    await asyncio.sleep(0.05)
    assert caplog.text == ""


async def test_the_whole_conversation_reaches_the_model(kitchen: Kitchen) -> None:
    served, provider = await serve(kitchen, ANN)
    messages = [
        {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "One"}]},
        {"id": "a1", "role": "assistant", "parts": [{"type": "step-start"}, {"type": "text", "text": "Two"}]},
        {"id": "u2", "role": "user", "parts": [{"type": "text", "text": "Three"}]},
    ]
    await served.post(msgspec.json.encode({"id": "c1", "messages": messages, "trigger": "submit-message"}))
    told = [getattr(message, "text", None) for message in provider.requests[0].messages]
    assert told == ["You are Ann.", "One", "Two", "Three"]
