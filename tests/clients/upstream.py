"""A model provider made of a script: a chat-completions server that plays one answer a request, and tells what it was
asked and when its caller left."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from aiohttp import web

Delta: TypeAlias = dict[str, Any]
Ending: TypeAlias = Literal["whole", "silence", "drop", "error"]
"""What comes behind the deltas: the rest of a good answer, nothing on an open connection, a closed one, an error."""
HOLD: Delta = {}
"""Among the deltas of an answer: the place where it waits until the upstream is told to `release` one."""
LONG = 60.0
"""Seconds for which a silent answer is silent."""
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets."""

    deltas: Sequence[Delta] = ()
    finish_reason: str = "stop"
    pause: float = 0.0
    """Seconds before each delta."""
    ending: Ending = "whole"
    headers_after: float = 0.0
    """Seconds before anything at all is answered."""
    status: int = 200
    """Any other one is the whole answer, with `text` as its body."""
    text: str = ""


def says(*texts: str | Delta, pause: float = 0.0, ending: Ending = "whole") -> Answer:
    """Text, a delta each; or deltas as they are."""
    deltas = [{"content": text} if isinstance(text, str) else text for text in texts]
    return Answer(deltas, pause=pause, ending=ending)


def calls(*wanted: tuple[str, dict[str, Any] | str], text: str = "") -> Answer:
    """Tool calls as (name, arguments), their arguments in two fragments each; `text` comes first."""
    deltas: list[Delta] = [{"content": text}] if text else []
    for index, (name, arguments) in enumerate(wanted):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        half = len(written) // 2
        function = {"name": name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, "id": f"call_{index}", "function": function}]})
        for fragment in (written[:half], written[half:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})
    return Answer(deltas, finish_reason="tool_calls")


def hands_off(target: str, reason: str, text: str = "") -> Answer:
    return calls(("handoff_to_agent", {"targetAgent": target, "reason": reason}), text=text)


def held(answer: Answer) -> Answer:
    """The same, once it is released."""
    return replace(answer, deltas=[HOLD, *answer.deltas])


def is_mute() -> Answer:
    """A provider that takes the request and then answers nothing, not even headers."""
    return Answer(headers_after=LONG)


def refuses(status: int, text: str) -> Answer:
    return Answer(status=status, text=text)


@dataclass(slots=True)
class Call:
    """One request and what became of it."""

    body: dict[str, Any]
    ended_at: float | None = None
    """Seconds since the epoch."""
    cut: bool = False
    """Whether the caller left before the answer was whole."""
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def roles(self) -> list[str]:
        return [message["role"] for message in self.body["messages"]]

    @property
    def texts(self) -> list[str]:
        """The text of each message; of several parts joined."""
        return [_text(message.get("content")) for message in self.body["messages"]]

    def end(self) -> None:
        self.ended_at = time.time()
        self._over.set()

    def was_cut(self) -> bool:
        """Whether it was, once it is over; fails where it goes on."""
        self.seconds_after(0)
        return self.cut

    def seconds_after(self, moment: float) -> float:
        """When it was over, counted from `moment`; fails where it goes on."""
        assert self._over.wait(5), "the upstream call is still open"
        assert self.ended_at is not None
        return self.ended_at - moment


class Upstream:
    """`play` sets the script, `add` goes on with it; `calls` are the requests since `play`."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.fetched: list[str] = []
        """Whatever else was asked of it, since its start."""
        self.receipt: dict[str, Any] | None = None
        """What OpenRouter's generation endpoint tells of any call, once it tells something."""
        self._script: deque[Answer] = deque()
        self._released = asyncio.Semaphore(0)

    def play(self, *answers: Answer) -> None:
        self.calls = []
        self._script = deque(answers)
        self._released = asyncio.Semaphore(0)

    def add(self, *answers: Answer) -> None:
        self._script.extend(answers)

    def wait_for(self, count: int) -> None:
        """Until that many requests have come; fails where they do not."""
        end = time.monotonic() + 5
        while len(self.calls) < count:
            assert time.monotonic() < end, f"{len(self.calls)} of {count} upstream calls came"
            time.sleep(0.01)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/release", self._release)
        app.router.add_get("/v1/generation", self._tell_receipt)
        app.router.add_get("/{path:.*}", self._fetch)
        return app

    async def _release(self, request: web.Request) -> web.Response:
        self._released.release()
        return web.Response()

    async def _tell_receipt(self, request: web.Request) -> web.Response:
        if self.receipt is None:
            return web.json_response({"error": {"code": 404, "message": "no such generation"}}, status=404)
        return web.json_response({"data": {"id": request.query["id"], **self.receipt}})

    async def _fetch(self, request: web.Request) -> web.Response:
        self.fetched.append(request.path)
        return web.Response()

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        call = Call(await request.json())
        self.calls.append(call)
        answer = self._script.popleft() if self._script else refuses(500, "the script is at its end")
        try:
            return await _play(request, answer, self._released)
        except (asyncio.CancelledError, ConnectionResetError):
            call.cut = True
            raise
        finally:
            call.end()


async def _play(request: web.Request, answer: Answer, released: asyncio.Semaphore) -> web.StreamResponse:
    await asyncio.sleep(answer.headers_after)
    if answer.status != 200:
        return web.Response(status=answer.status, text=answer.text)
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for delta in answer.deltas:
        await asyncio.sleep(answer.pause)
        if delta is HOLD:
            await released.acquire()
            continue
        await _send(response, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    match answer.ending:
        case "whole":
            last = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
            await _send(response, {"choices": [last]})
            await _send(response, {"choices": [], "usage": USAGE})
            await response.write(b"data: [DONE]\n\n")
        case "silence":
            await asyncio.sleep(LONG)
        case "drop":
            assert request.transport is not None
            request.transport.abort()
        case "error":
            await _send(response, {"error": {"code": 502, "message": "the backend of sk-secret-key went away"}})
    return response


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


async def _send(response: web.StreamResponse, fields: dict[str, Any]) -> None:
    chunk = {"id": "gen-1", "object": "chat.completion.chunk", "model": "scripted-1", **fields}
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
