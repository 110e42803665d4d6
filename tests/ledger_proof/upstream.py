"""A model provider with books of its own: `python -m tests.ledger_proof.upstream SEED` prints its address and serves.

Under `/router/v1` it answers as OpenRouter does, with a receipt of each call, some time after its end; under
`/plain/v1` as a chat-completions server that bills nothing on the wire. What it plays is read from the conversation:
`scene=7 plays=overloaded,text asides=text`. The n-th call of a scene gets the n-th play, further ones text.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import sys
import time
from collections import Counter
from random import Random
from typing import Any

import msgspec
from aiohttp import web

from .books import Books, Call, Side, dollars
from .plays import find_play
from .wire import Wire

_SCENE = re.compile(r"scene=(\d+) turn=(\d+) plays=(\S*) asides=(\S*)")
_AGENT = re.compile(r"You are (\w+)\.")
_HICCUPS: list[tuple[int, str]] = [
    (500, "{}"),
    (429, '{"error": {"code": 429}}'),
    (200, "<html>"),
    (200, '{"data": {}}'),
]
"""What a receipt that is ready may be answered with before it comes."""


class Upstream:
    def __init__(self, seed: int) -> None:
        self.books = Books()
        self._seed = seed
        self._calls: dict[str, Call] = {}
        self._counts: Counter[tuple[int, int, bool]] = Counter()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/{side}/v1/chat/completions", self._complete)
        app.router.add_get("/router/v1/generation", self._tell)
        app.router.add_get("/books", self._show)
        return app

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        side: Side = "router" if request.match_info["side"] == "router" else "plain"
        call = self._enter(body, side)
        random = Random(f"{self._seed} {call.serial}")
        tells_usage = side == "router" or bool(body.get("stream_options", {}).get("include_usage"))
        wire = Wire(request, call, tells_usage, random)
        try:
            await wire.think()
            await find_play(call.play)(wire)
        except asyncio.CancelledError:
            wire.leave()
            raise
        except ConnectionError:
            wire.leave()
        finally:
            call.ended = time.time()
            if call.generation_id is not None:
                self._calls[call.generation_id] = call
        return wire.response

    def _enter(self, body: dict[str, Any], side: Side) -> Call:
        texts = [_text(message.get("content")) for message in body["messages"]]
        scene, turn, plays, asides = _SCENE.findall("\n".join(texts))[-1]
        agent = _AGENT.match(texts[0])
        is_aside = agent is None
        key = (int(scene), int(turn), is_aside)
        number = self._counts[key]
        self._counts[key] += 1
        script = [name for name in (asides if is_aside else plays).split(",") if name]
        call = Call(
            serial=len(self.books.calls),
            scene=int(scene),
            id=f"{'gen' if side == 'router' else 'chatcmpl'}-{len(self.books.calls)}-{secrets.token_hex(3)}",
            side=side,
            model=body["model"],
            agent=agent and agent[1],
            play=script[number] if number < len(script) else "text",
            arrived=time.time(),
        )
        self.books.calls.append(call)
        return call

    async def _tell(self, request: web.Request) -> web.Response:
        """A call's receipt: some time after its end, and not always at the first question."""
        call = self._calls.get(request.query["id"])
        if call is None or call.ended is None:
            return _json(404, {"error": {"code": 404, "message": "Generation not found"}})
        random = Random(f"{self._seed} {call.serial} receipt")
        ready_at = call.ended + (4.0 if random.random() < 0.03 else random.uniform(0.1, 1.5))
        if time.time() < ready_at:
            return _json(404, {"error": {"code": 404, "message": "Generation not found"}})
        call.questions += 1
        if call.questions <= random.choice((0, 0, 0, 1)):
            status, text = random.choice(_HICCUPS)
            return web.Response(status=status, text=text)
        return _json(200, {"data": _receipt(call)})

    async def _show(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(self.books))


def _receipt(call: Call) -> dict[str, Any]:
    return {
        "id": call.generation_id,
        "model": call.answered_as or call.model,
        "total_cost": dollars(call.charge - call.upstream_charge),
        "upstream_inference_cost": dollars(call.upstream_charge) if call.upstream_charge else None,
        "is_byok": call.upstream_charge > 0,
        "cancelled": call.is_left,
        "native_tokens_prompt": call.prompt_tokens,
        "native_tokens_completion": call.completion_tokens,
        "native_tokens_cached": call.cached_tokens,
        "native_tokens_reasoning": call.reasoning_tokens,
        "tokens_prompt": call.prompt_tokens + 7,
        "tokens_completion": call.completion_tokens + 7,
    }


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


async def serve(seed: int) -> None:
    runner = web.AppRunner(Upstream(seed).app(), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1])))
