"""What goes wrong, each a play by its name: refusals, errors in the stream, no answers, broken connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .answers import Play, begin
from .wire import Wire

FAULTS: dict[str, Play] = {}

SILENCE = 30.0
"""Seconds: more than any caller's patience."""


def fault(play: Play) -> Play:
    FAULTS[play.__name__] = play
    return play


def _refusal(name: str, status: int, body: object, kind: str = "application/json", **headers: str) -> None:
    async def refuse(wire: Wire) -> None:
        await wire.open(status, kind, named=False, **headers)
        await wire.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    FAULTS[name] = refuse


def _error(code: object, message: str, **metadata: object) -> dict[str, Any]:
    error = {"code": code, "message": message, **({"metadata": metadata} if metadata else {})}
    return {"error": {name: value for name, value in error.items() if value is not None}}


_refusal("invalid_model", 400, _error(400, "acme/x is not a valid model ID"))
_refusal("raw_400", 400, _error(400, "Provider returned error", raw='{"error":"bad"}', provider_name="Acme"))
_refusal("bad_key", 401, _error(401, "User not found."))
_refusal("no_credits", 402, _error(402, "Insufficient credits. Add more using https://openrouter.ai/credits"))
_refusal("moderated", 403, _error(403, "Input was flagged", reasons=["violence"], flagged_input="..."))
_refusal("no_endpoints", 404, {**_error(404, "No endpoints found for acme/x."), "user_id": "user_1"})
_refusal("too_large", 413, _error(413, "Request payload too large"))
_refusal("unprocessable", 422, _error(422, "Invalid argument"))
_refusal("daily_limit", 429, _error(429, "Rate limit exceeded: free-models-per-day."), x_ratelimit_limit="50")
_refusal("busy_upstream", 429, _error(429, "Provider returned error", raw="temporarily rate-limited"), retry_after="1")
_refusal("masked_500", 500, _error(500, "Internal Server Error", error_type="server"))
_refusal("html_500", 500, "<html><h1>500</h1></html>", "text/html")
_refusal("empty_502", 502, "", "text/plain")
_refusal("overloaded", 503, _error(503, "Service temporarily unavailable"), retry_after="1")
_refusal("overloaded_529", 529, _error(529, "Overloaded", error_type="provider_overloaded"))
_refusal("redirect", 302, "", "text/plain", location="https://elsewhere.example/")
_refusal("too_long", 400, _error(400, "This endpoint's maximum context length is 100 tokens."))


def _gave_up(name: str, status: int, message: str) -> None:
    async def give_up(wire: Wire) -> None:
        """Another server may have answered, and billed it."""
        wire.bill_perhaps()
        await wire.open(status, "application/json", named=wire.random.random() < 0.5)
        await wire.write(json.dumps(_error(status, message)).encode())

    FAULTS[name] = give_up


_gave_up("timeout_408", 408, "Operation timed out. Please try again later.")
_gave_up("timeout_504", 504, "Request timed out")
_gave_up("timeout_524", 524, "A timeout occurred")


def _breaks(name: str, chunk: dict[str, Any], *, ends: bool, first: bool = False) -> None:
    """An error in the stream: as its `first` event, for which nothing is charged, or after some text."""

    async def break_off(wire: Wire) -> None:
        if first:
            await wire.open()
            await wire.write(b": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n")
        else:
            await begin(wire)
            wire.bill_perhaps()
        await wire.event(json.dumps(chunk))
        if ends:
            await wire.event("[DONE]")

    FAULTS[name] = break_off


_CHOICE = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
_breaks("error_first", _error(502, "Provider returned error"), ends=False, first=True)
_breaks("busy_first", _error(429, "Provider returned error"), ends=True, first=True)
_breaks("error_unified", {**_error(502, "Lost", error_type="provider_unavailable"), "choices": [_CHOICE]}, ends=False)
_breaks("error_named", {**_error("server_error", "Lost"), "choices": [_CHOICE]}, ends=True)
_breaks("error_no_choice", {**_error(502, "Lost"), "choices": []}, ends=True)
_breaks("error_bare", _error(500, "Lost"), ends=False)
_breaks("error_no_code", _error(None, "The operation was aborted"), ends=False)
_breaks("error_in_choice", {"choices": [{**_CHOICE, **_error(502, "Lost")}]}, ends=True)
_breaks(
    "network_error", {"choices": [{**_CHOICE, "finish_reason": "stop", "native_finish_reason": "error"}]}, ends=True
)
_breaks("ends_without_reason", {"choices": [{**_CHOICE, "finish_reason": None}]}, ends=False)


@fault
async def broken_json(wire: Wire) -> None:
    await begin(wire)
    wire.bill_perhaps()
    await wire.event('{"choices": [{"delta": {"cont')


@fault
async def error_with_usage(wire: Wire) -> None:
    """An error, and all the same the cost."""
    await begin(wire)
    await wire.chunk(choices=[], **_error(400, "Token limit reached"))
    await wire.chunk(choices=[], usage=wire.usage())
    await wire.event("[DONE]")


@fault
async def masked_failure(wire: Wire) -> None:
    """It says that it stopped, and has said nothing."""
    await wire.open()
    await wire.chunk(finish="stop")
    await wire.event("[DONE]")


@fault
async def nothing_at_all(wire: Wire) -> None:
    wire.bill_perhaps()
    await wire.open()


@fault
async def choices_null(wire: Wire) -> None:
    wire.bill_perhaps()
    await wire.open()
    await wire.chunk(choices=None)
    await wire.event("[DONE]")


@fault
async def a_web_page(wire: Wire) -> None:
    wire.bill_perhaps()
    await wire.open(kind="text/html")
    await wire.write(b"<html>Welcome</html>")


@fault
async def document_of_an_error(wire: Wire) -> None:
    await wire.open(kind="application/json")
    await wire.write(json.dumps(_error(502, "Provider returned error")).encode())


@fault
async def document_of_nothing(wire: Wire) -> None:
    wire.bill_perhaps()
    await wire.open(kind="application/json")
    await wire.write(b'{"choices": []}')


@fault
async def hangs_up_mid_text(wire: Wire) -> None:
    await begin(wire)
    wire.bill_perhaps()
    wire.hang_up()


@fault
async def hangs_up_behind_usage_so_far(wire: Wire) -> None:
    """The tokens that it told are not all that it bills."""
    await wire.open()
    await wire.chunk({"content": "Well"}, usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": 1e-6})
    await asyncio.sleep(0.02)
    wire.bill_perhaps()
    wire.hang_up()


@fault
async def hangs_up_mid_call(wire: Wire) -> None:
    await wire.open()
    function = {"name": "quick", "arguments": '{"wh'}
    await wire.chunk({"tool_calls": [{"index": 0, "id": "call_x", "type": "function", "function": function}]})
    wire.bill_perhaps()
    await asyncio.sleep(0.02)
    wire.hang_up()


@fault
async def hangs_up_after_headers(wire: Wire) -> None:
    await wire.open()
    await asyncio.sleep(0.02)
    wire.bill_perhaps()
    wire.hang_up()


@fault
async def hangs_up_at_once(wire: Wire) -> None:
    """As a kept connection that is dead does: nothing was done."""
    wire.hang_up()


@fault
async def hangs_up_late(wire: Wire) -> None:
    """The work was done, and nobody hears what it cost."""
    await asyncio.sleep(0.9)
    wire.bill_perhaps()
    wire.hang_up()


@fault
async def stalls_mid_text(wire: Wire) -> None:
    await begin(wire)
    await asyncio.sleep(SILENCE)


@fault
async def stalls_before_headers(wire: Wire) -> None:
    await asyncio.sleep(SILENCE)


@fault
async def comments_for_ever(wire: Wire) -> None:
    await wire.open()
    for _ in range(round(SILENCE / 0.2)):
        await wire.write(b": OPENROUTER PROCESSING\n\n")
        await asyncio.sleep(0.2)
