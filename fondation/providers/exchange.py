"""One HTTP exchange with a provider: the request, and its answer as bytes. However it ends, the upstream request
ends with it, and one that may have cost money leaves its generation id behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from fondation.calls import ModelCall
from fondation.errors import ProviderError, ProviderTimeout
from fondation.http import HttpClient, RequestTrace
from fondation.providers.failures import Failures
from fondation.providers.token_usage import read_dollars

GENERATION_ID_SECONDS = 5.0
"""How long an abandoned request is kept for its headers, which name what is billed."""
FIRST_TOKEN_FACTOR = 2
"""Times the longest silence: the time in all before the first token."""
LINGER_SECONDS = 1.0
"""How long a failed answer is read on, for the usage that may follow."""
DRAIN_SECONDS = 0.25
"""How long a complete answer may take to end, so that its connection can be used again."""
ERROR_BODY = 64 * 1024
ERROR_BODY_SECONDS = 5.0

_BROKEN = (aiohttp.ClientError, OSError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where calls go, and how."""

    http: HttpClient
    url: URL
    headers: Mapping[str, str]
    silence: float
    """The longest silence of the server, in seconds."""
    failures: Failures
    names_generations: bool = False
    """Whether the headers of an answer name what is billed: then they are worth waiting for."""


class Exchange:
    """A response that is a success, to be read and closed."""

    def __init__(self, endpoint: Endpoint, call: ModelCall, response: aiohttp.ClientResponse, started: float) -> None:
        self._endpoint = endpoint
        self._call = call
        self._response = response
        self._content = response.content
        self.content_type = response.content_type
        self._is_late = False
        latest = started + FIRST_TOKEN_FACTOR * endpoint.silence
        self._timer = asyncio.get_running_loop().call_at(latest, self._give_up)
        self._linger_until: float | None = None

    @property
    def billed(self) -> float | None:
        """Dollars that a LiteLLM proxy says it charged; it writes 0 where it does not know yet."""
        return read_dollars(self._response.headers.get("x-litellm-response-cost")) or None

    async def read(self) -> bytes:
        """All that came since the last read, or the next that comes; empty at the end. Raises `ProviderError`."""
        try:
            return await self._content.readany()
        except (TimeoutError, *_BROKEN) as error:
            if left := self._left():
                return left
            raise self._failure(error) from None

    def _failure(self, error: BaseException) -> ProviderError:
        failures, silence = self._endpoint.failures, self._endpoint.silence
        if self._is_late:
            return failures.make(ProviderTimeout, f"no token in {FIRST_TOKEN_FACTOR * silence:g} s")
        if isinstance(error, TimeoutError):
            return failures.make(ProviderTimeout, f"silent for {silence:g} s")
        return failures.of_broken_answer(error)

    async def linger(self) -> bytes:
        """Like `read`, for an answer that has failed already: not for long, and empty when anything is wrong."""
        if self._linger_until is None:
            self._linger_until = asyncio.get_running_loop().time() + LINGER_SECONDS
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout_at(self._linger_until):
                return await self.read()
        return b""

    async def drain(self) -> None:
        """Let a complete answer end."""
        if self._content.at_eof():
            return
        with contextlib.suppress(TimeoutError, *_BROKEN):
            async with asyncio.timeout(DRAIN_SECONDS):
                while await self._content.readany():
                    pass

    def close(self) -> None:
        """End the upstream request, unless the answer has ended."""
        self._timer.cancel()
        self._response.close()

    def _give_up(self) -> None:
        """The time for the first token is over; comments may have kept the answer alive until now."""
        if self._call.first_token is None:
            self._is_late = True
            self._response.close()

    def _left(self) -> bytes:
        """What had come before the connection broke: aiohttp reports the break first, and would drop it."""
        return self._content._read_nowait(-1)


async def open_exchange(endpoint: Endpoint, body: bytes, call: ModelCall) -> Exchange:
    """Send a request and wait for the headers of a success. Raises `ProviderError`.

    When this is cancelled before the headers came, it waits up to 5 s for them where they name the generation.
    """
    trace = RequestTrace()
    loop = asyncio.get_running_loop()
    started = loop.time()
    sending = endpoint.http.post(endpoint.url, endpoint.headers, body, silence=endpoint.silence, trace=trace)
    request = asyncio.create_task(sending) if endpoint.names_generations else None
    try:
        response = await (sending if request is None else asyncio.shield(request))
    except asyncio.CancelledError:
        if not trace.sent:
            call.charged = False
        if request is not None:
            await _abandon(request, trace, call)
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if request is not None:
            _drop(request)
        raise endpoint.failures.of_request(error, trace, loop.time() - started) from None
    _note_generation(call, response)
    if response.status == 200:
        return Exchange(endpoint, call, response, started)
    try:
        raise endpoint.failures.of_response(response.status, response.headers, await _read_error(response))
    finally:
        response.close()


async def _abandon(request: asyncio.Task[aiohttp.ClientResponse], trace: RequestTrace, call: ModelCall) -> None:
    try:
        if trace.sent:
            await asyncio.wait({request}, timeout=GENERATION_ID_SECONDS)
        if request.done() and not request.cancelled() and request.exception() is None:
            _note_generation(call, request.result())
    finally:
        _drop(request)


def _drop(request: asyncio.Task[aiohttp.ClientResponse]) -> None:
    """End a request that nobody waits for, also one that is answered at this very moment."""
    request.cancel()
    request.add_done_callback(_close_response)


def _close_response(request: asyncio.Task[aiohttp.ClientResponse]) -> None:
    if not request.cancelled() and request.exception() is None:
        request.result().close()


def _note_generation(call: ModelCall, response: aiohttp.ClientResponse) -> None:
    call.generation_id = response.headers.get("X-Generation-Id") or call.generation_id


async def _read_error(response: aiohttp.ClientResponse) -> bytes:
    """The body of a refusal, as much as is worth reading and comes in time."""
    body = b""
    with contextlib.suppress(TimeoutError, *_BROKEN):
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            while len(body) < ERROR_BODY and (data := await response.content.readany()):
                body += data
    return body[:ERROR_BODY]
