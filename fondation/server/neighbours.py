"""Other processes that share the database: a request about a chat whose run is theirs is passed on to them.

A process listens to the others on a Unix socket of its own, in a folder that only its user may enter: who asks was
checked where the request came in, and is believed there because nobody else can reach it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from fondation.calls import RunInfo
from fondation.errors import ChatStoreError, RequestError
from fondation.http import request_over
from fondation.protocols import StreamProtocol
from fondation.server.keys import PASSED_ON, SERVICES
from fondation.server.live import LiveRun
from fondation.server.requests import chat_key
from fondation.server.sockets import new_socket
from fondation.server.streams import KEEPALIVE_SECONDS, EventStream
from fondation.stores.chats import ChatRun, ChatStore

log = logging.getLogger("fondation.server")

BACKLOG = 1024
"""Connections that wait to be taken: more would be refused."""
ANNOUNCE_SECONDS = 0.5
"""How old a run gets before the neighbours are told of it, where its chat is not kept."""
SILENCE_SECONDS = 3 * KEEPALIVE_SECONDS
"""A stream that shows no sign of life for so long is broken."""
MISDIRECTED = 421

_SOON = {"Retry-After": "1"}
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Errand:
    """A request as it is passed on."""

    method: str
    path: str
    """On the other process, percent-encoded."""
    info: RunInfo
    """Who asks."""
    protocol: StreamProtocol | None = None
    """Of the answer, where that may be a stream."""
    body: bytes = b""
    """JSON."""

    @property
    def headers(self) -> dict[str, str]:
        who = {"x-session-id": self.info.session_id}
        if self.info.user_id is not None:
            who["x-user-id"] = self.info.user_id
        accept = "application/json" if self.info.method == "generate" else "*/*"
        return {**who, "Accept": accept, "Content-Type": "application/json"}


@contextlib.asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str | None]:
    """Serve `app` to the neighbours while the block lasts: the path of the socket; None where there can be none."""
    path = new_socket()
    if path is None:
        yield None
        return
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        yield await _listen(runner, path)
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)


async def _listen(runner: web.AppRunner, path: Path) -> str | None:
    try:
        await web.UnixSite(runner, path, backlog=BACKLOG).start()
    except OSError as error:
        log.warning("Other processes cannot pass requests on to this one: %s: %s", path, error)
        return None
    return str(path)


def announce(chats: ChatStore, live: LiveRun, run_id: str) -> None:
    """Tell the neighbours of a run whose chat is not kept, if it lasts: most end before anybody comes back to them."""

    def tell() -> None:
        chats.announce(live.key, run_id, live.began_at)
        live.task.add_done_callback(lambda _: chats.end(live.key, run_id))

    timer = asyncio.get_running_loop().call_later(ANNOUNCE_SECONDS, tell)
    live.task.add_done_callback(lambda _: timer.cancel())


async def ask_neighbour(request: web.Request, errand: Errand, live: LiveRun | None) -> web.StreamResponse | None:
    """The answer of the process whose run is the chat's newest; None where that is `live`, our own, or nobody's."""
    services = request.app[SERVICES]
    if services.chats is None or PASSED_ON in request.app or (live is not None and not live.task.done()):
        return None
    try:
        run = await services.chats.run_of(chat_key(errand.info))
    except ChatStoreError as error:
        log.warning("%s %s: the neighbours are not asked: %s", request.method, request.rel_url.raw_path, error)
        return None
    return await pass_on_if_elsewhere(request, errand, run, live)


async def pass_on_if_elsewhere(
    request: web.Request, errand: Errand, run: ChatRun | None, live: LiveRun | None
) -> web.StreamResponse | None:
    """As `ask_neighbour`, where the chat's newest run is known already."""
    if PASSED_ON in request.app or run is None or run.is_ours:
        return None
    if live is not None and (not live.task.done() or live.began_at > run.began_at):
        return None
    return await pass_on(request, errand, run)


async def not_here(request: web.Request) -> web.Response:
    """A route that only the process has which passed the request on."""
    raise misdirected()


def misdirected() -> RequestError:
    """The chat's turn is not this process's any more: whoever passed the request on looks again."""
    return RequestError(MISDIRECTED, "The chat is another process's by now")


async def pass_on(request: web.Request, errand: Errand, run: ChatRun) -> web.StreamResponse | None:
    """The answer of the run's process; None where it is not there, or has nothing to do with the chat any more.

    Raises `RequestError` (503) where it broke off after it may have begun a turn, which must not be repeated.
    """
    if PASSED_ON in request.app:
        raise misdirected()
    if run.address is None:
        return None
    silence = None if errand.info.method == "generate" else SILENCE_SECONDS
    async with contextlib.AsyncExitStack() as exits:
        visit = exits.enter_context(request.app[SERVICES].runs.visit(None, request))
        asking = request_over(run.address, errand.method, errand.path, errand.headers, errand.body, silence=silence)
        try:
            answer = await exits.enter_async_context(asking)
            visit.cut_by(answer.close)
            is_stream = answer.status == 200 and answer.content_length is None
            body = b"" if is_stream else await answer.read()
        except aiohttp.ClientConnectorError:
            return None  # nobody listens there: it has ended
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if not errand.body or await _began_nothing(request, errand, run, error):
                return None
            log.warning("%s was passed on to a process that did not answer: %r", errand.path, error)
            raise RequestError(503, "The process that answers this chat has ended; try again", _SOON) from None
        if answer.status == MISDIRECTED:
            return None
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        if not is_stream:
            return web.Response(status=answer.status, body=body or None, headers=headers)
        assert errand.protocol is not None, "only routes answer with a stream"
        visit.stream = EventStream(headers, b"")  # the other process keeps it alive
        return await _pass_stream(request, answer, visit.stream, errand.protocol)


async def _began_nothing(request: web.Request, errand: Errand, run: ChatRun, error: Exception) -> bool:
    """Whether a process that broke off its connection had not begun the turn that it was asked for."""
    chats = request.app[SERVICES].chats
    if chats is None or isinstance(error, TimeoutError):  # it may begin it yet
        return False
    newest = await chats.run_of(chat_key(errand.info))
    return newest is not None and newest.id == run.id


async def _pass_stream(
    request: web.Request, answer: aiohttp.ClientResponse, stream: EventStream, protocol: StreamProtocol
) -> web.StreamResponse:
    with contextlib.suppress(ConnectionError):  # the client is gone: nobody reads the rest
        await stream.open(request)
        async with contextlib.aclosing(_frames(answer, protocol)) as frames:
            async for data in frames:
                await stream.write(data)
        await stream.close()
    return stream.response


async def _frames(answer: aiohttp.ClientResponse, protocol: StreamProtocol) -> AsyncGenerator[bytes, None]:
    """The stream's bytes as they come, in whole frames: what ends a broken stream must not stand in half a frame."""
    rest = b""
    try:
        async for data in answer.content.iter_any():
            frames, end, rest = (rest + data).rpartition(protocol.frame_end)
            if end:
                yield frames + end
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        run_id = answer.headers.get("x-run-id", "")
        log.warning("run %s: the stream of its process broke off: %r", run_id, error)
        yield protocol.broken(run_id)
