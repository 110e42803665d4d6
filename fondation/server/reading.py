"""A run's readers over HTTP: who asked for it, who comes back to it, and who stops it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from fondation.agents import Route
from fondation.calls import RunInfo
from fondation.errors import RequestError
from fondation.protocols import PROTOCOLS
from fondation.server.answers import json_response
from fondation.server.floor import END_SECONDS
from fondation.server.keys import SERVICES
from fondation.server.live import LiveRun, Reader
from fondation.server.neighbours import Errand, ask_neighbour
from fondation.server.requests import chat_key, run_info
from fondation.server.runs import ActiveRuns
from fondation.server.streams import EventStream

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

DATA_STREAM_MAJOR = 4
JUST_READ_SECONDS = 10.0
"""How long a page may take from reading a chat to asking for its stream."""


def add_run_routes(router: web.UrlDispatcher, route: Route) -> None:
    """Where the runs of a route are read again and stopped."""
    resume = resume_handler(route)
    router.add_get(f"{route.path}/{{id}}/stream", resume, allow_head=False)
    router.add_post(f"{route.path}/{{id}}/stop", stop_handler(route))
    if route.config.client == DATA_STREAM_MAJOR:  # its pages name the chat in the query
        router.add_get(route.path, resume_by_query(resume), allow_head=False)


async def stream_run(
    request: web.Request, live: LiveRun, runs: ActiveRuns, *, reader: Reader | None = None, before: bytes = b""
) -> web.StreamResponse:
    """Answer with the run's stream, from its start to its end; `before` comes first. A new `reader` reads it, where it
    has none for this client yet.
    """
    stream = EventStream(live.telling.headers, live.telling.keepalive)
    with (
        runs.visit(live, request) as visit,
        reader or live.reader() as reader,
        contextlib.suppress(ConnectionError),  # the client is gone: nobody reads the rest
    ):
        await stream.open(request)
        visit.stream = stream
        if before:
            await stream.write(before)
        await _tell(reader, stream)
    return stream.response


async def _tell(reader: Reader, stream: EventStream) -> None:
    """Write what the reader reads, to the end of it."""
    async with contextlib.aclosing(reader.frames()) as frames:
        async for data in frames:
            if reader.is_through:
                await stream.close(data)
                return
            await stream.write(data)
    await stream.close()


def resume_handler(route: Route) -> Handler:
    """Answers with the stream of the chat's run from its start, then live; 204 where there is none.

    A message that the run goes on with is told from its own start: a page that comes back begins it anew. An answer
    that was just read whole with its chat is not told: the page that read it would show it twice. One that lost its
    connection can still ask later.
    """

    async def resume(request: web.Request) -> web.StreamResponse:
        info, live = _find(request, route)
        errand = Errand("GET", _path(route, info, "stream"), info, PROTOCOLS[route.config.client])
        if (passed := await ask_neighbour(request, errand, live)) is not None:
            return passed
        if live is None or time.monotonic() - live.read_at < JUST_READ_SECONDS:
            return web.Response(status=204)
        return await stream_run(request, live, request.app[SERVICES].runs, before=live.telling.before)

    return resume


def resume_by_query(resume: Handler) -> Handler:
    """The same for a page of major 4: it takes an answer without a body for a failure, so that nothing is an empty
    stream.
    """

    async def resume_data_stream(request: web.Request) -> web.StreamResponse:
        if not request.query.get("chatId"):
            raise RequestError(400, "Which chat? Send ?chatId=")
        response = await resume(request)
        if response.status == 204:
            return web.Response(headers=PROTOCOLS[DATA_STREAM_MAJOR].headers)
        return response

    return resume_data_stream


def stop_handler(route: Route) -> Handler:
    """Ends the chat's run properly: `{"stopped": true}` once it has ended, false where none was under way."""

    async def stop(request: web.Request) -> web.StreamResponse:
        info, live = _find(request, route)
        errand = Errand("POST", _path(route, info, "stop"), info)
        if (passed := await ask_neighbour(request, errand, live)) is not None:
            return passed
        if live is None or live.task.done():
            return json_response({"stopped": False})
        live.end("stopped")
        return json_response({"stopped": await live.ended(END_SECONDS)})

    return stop


def _find(request: web.Request, route: Route) -> tuple[RunInfo, LiveRun | None]:
    """Who asks, and the run of the chat that they name; one of another route is not here."""
    services = request.app[SERVICES]
    info = run_info(request, services.doors, request.match_info.get("id") or request.query.get("chatId"))
    live = services.runs.find(chat_key(info))
    return info, live if live is not None and live.path == route.path else None


def _path(route: Route, info: RunInfo, action: str) -> str:
    return f"{route.path}/{quote(info.chat_id or '', safe='')}/{action}"
