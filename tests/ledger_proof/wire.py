"""The upstream's end of one request: what it writes, and what it will bill for it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from aiohttp import web
from genai_prices import Usage, calc_price

from .books import Call, dollars
from .project import ESTIMATED, PRICES

Delta: TypeAlias = dict[str, Any]
PICO = 10**12


@dataclass(frozen=True, slots=True)
class Bill:
    """What a whole answer costs."""

    charge: int
    upstream_charge: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int


def draw_bill(model: str, random: Random) -> Bill:
    """A bill with as many decimals as money has here."""
    prompt, completion = random.randint(10, 5_000), random.randint(1, 800)
    cached = random.randint(0, prompt) if model in ("router/cached", "plain/priced") else 0
    reasoning = random.randint(0, completion) if random.random() < 0.2 else 0
    charge, upstream = _charge(model, prompt, completion, cached, random), 0
    if model == "router/byok":
        upstream, charge = charge, charge + charge // 20
    return Bill(charge, upstream, prompt, completion, cached, reasoning)


def _charge(model: str, prompt: int, completion: int, cached: int, random: Random) -> int:
    if model == "router/free":
        return 0
    if model == "plain/priced":
        rates = {name: round(rate * PICO / 1_000_000) for name, rate in PRICES.items()}
        return (prompt - cached) * rates["input"] + cached * rates["cached_input"] + completion * rates["output"]
    if model == ESTIMATED:
        used = Usage(input_tokens=prompt, output_tokens=completion)
        return round(calc_price(used, model, provider_id="openai").total_price * PICO)
    return (
        prompt * random.randint(100_000, 3_999_999) + completion * random.randint(1, 15_999_999) + random.randint(0, 99)
    )


class Wire:
    """One request and its answer."""

    def __init__(self, request: web.Request, call: Call, tells_usage: bool, random: Random) -> None:
        """`tells_usage`: whether the caller asked for it, where it must."""
        self.call = call
        self.random = random
        self._request = request
        self._response: web.StreamResponse | None = None
        self._tells_usage = tells_usage
        self._bill = draw_bill(call.model, random)
        self._bills_on = random.random() < 0.5
        self._said = 0
        self.newline = "\n"
        self._is_named = call.side == "router" or random.random() < 0.9
        self._model = call.model if random.random() < 0.5 else f"{call.model}-20260217"

    @property
    def is_router(self) -> bool:
        return self.call.side == "router"

    async def think(self) -> None:
        """The time before the headers."""
        await asyncio.sleep(0.6 if self.random.random() < 0.05 else self.random.uniform(0, 0.12))

    async def open(
        self, status: int = 200, kind: str = "text/event-stream", *, named: bool = True, **more: str
    ) -> None:
        """Send the headers. `named`: with the id, where this side has one in its headers."""
        headers = {"content-type": kind, **{name.replace("_", "-"): value for name, value in more.items()}}
        if self.is_router and named:
            headers["X-Generation-Id"] = self.call.generation_id = self.call.id
        self.call.status = status
        self._response = web.StreamResponse(status=status, headers=headers)
        await self._response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        assert self._response is not None
        await self._response.write(data)

    async def event(self, data: str) -> None:
        await self.write(f"data: {data}{self.newline}{self.newline}".encode())

    async def chunk(self, delta: Delta | None = None, finish: str | None = None, **more: Any) -> None:
        """One chunk; `more` goes over its fields, and a value of `...` leaves the field out."""
        choice: dict[str, Any] = {"index": 0, "delta": delta or {}, "finish_reason": finish}
        if self.is_router:
            choice["native_finish_reason"] = more.pop("native", finish)
            choice["delta"] = {"role": "assistant", "content": "", **choice["delta"]}
        fields = {"object": "chat.completion.chunk", "model": self._model, "choices": [choice], **more}
        if self._is_named:
            fields["id"] = self.call.generation_id = self.call.id
        self.call.answered_as = self._model
        if more.get("usage") and "total_tokens" in more["usage"]:
            self._note_told()
        await self.event(json.dumps({name: value for name, value in fields.items() if value is not ...}))

    async def say(self, text: str) -> None:
        """A piece of the answer, after some time."""
        await asyncio.sleep(self.random.uniform(0, 0.02))
        if self.is_router and self.random.random() < 0.1:
            await self.write(b": OPENROUTER PROCESSING\n\n")
        self._said += 1
        await self.chunk({"content": text})

    async def finish(self, reason: str = "stop", **usage: Any) -> None:
        """The end of a good answer: its usage in one of the shapes that are seen. `usage` goes over its fields."""
        await self.chunk(finish=reason)
        told = self.usage(**usage)
        if self._tells_usage:
            shape = self.random.choice(("bare", "again", "empty")) if self.is_router else "bare"
            if shape == "again":
                await self.chunk(finish=reason, usage=told)
            elif shape == "empty":
                await self.chunk(usage=told)
            else:
                await self.chunk(choices=[], usage=told)
        await self.done()

    async def done(self) -> None:
        await self.event("[DONE]")
        self.is_good()

    def is_good(self) -> None:
        """All of a good answer is written."""
        self.bill()
        self.call.is_whole = True

    def usage(self, **over: Any) -> dict[str, Any]:
        """The usage object; `over` goes over its fields, and a value of `...` leaves the field out."""
        bill = self._bill
        usage: dict[str, Any] = {
            "prompt_tokens": bill.prompt_tokens,
            "completion_tokens": bill.completion_tokens,
            "total_tokens": bill.prompt_tokens + bill.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": bill.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": bill.reasoning_tokens},
        }
        if self.is_router:
            is_byok = bill.upstream_charge > 0
            usage["cost"] = dollars(bill.charge - bill.upstream_charge)
            # of a call that is not on the caller's own key this is for information, and in the charge already
            usage["cost_details"] = {"upstream_inference_cost": dollars(bill.upstream_charge or bill.charge // 2)}
            usage["is_byok"] = is_byok
            if not is_byok and self.random.random() < 0.3:
                del usage["is_byok"]
            if not bill.cached_tokens and self.random.random() < 0.2:
                usage["prompt_tokens_details"] = None
        return {name: value for name, value in {**usage, **over}.items() if value is not ...}

    @property
    def full_charge(self) -> int:
        """What the whole answer costs."""
        return self._bill.charge

    def bill(self) -> None:
        """The whole answer is charged."""
        self._charge(self._bill)

    def bill_perhaps(self) -> None:
        """Of an answer that failed some charge all, and others nothing."""
        if self._bills_on:
            self.bill()

    def leave(self) -> None:
        """The caller is gone: some charge what was said, others all of what was asked."""
        self.call.is_left = True
        if self.call.told or self.call.is_whole or self.call.charge:
            return
        if self._bills_on:
            self.bill()
        elif self._said and self.is_router:
            said = min(self._said, self._bill.completion_tokens)
            share = self._bill.charge * said // self._bill.completion_tokens
            upstream = min(self._bill.upstream_charge, share)
            self._charge(Bill(share, upstream, self._bill.prompt_tokens, said, self._bill.cached_tokens, 0))

    def hang_up(self) -> None:
        """Cut the connection without a word."""
        assert self._request.transport is not None
        self._request.transport.abort()

    def _note_told(self) -> None:
        self.call.told = True
        self.bill()

    def _charge(self, bill: Bill) -> None:
        self.call.charge, self.call.upstream_charge = bill.charge, bill.upstream_charge
        self.call.prompt_tokens, self.call.completion_tokens = bill.prompt_tokens, bill.completion_tokens
        self.call.cached_tokens, self.call.reasoning_tokens = bill.cached_tokens, bill.reasoning_tokens

    @property
    def response(self) -> web.StreamResponse:
        """To be returned; where none was begun, of a connection that is cut."""
        return self._response or web.Response()
