"""A run's readers over HTTP: who asked for it, who comes back to it, and who stops it."""

from __future__ import annotations

import contextlib

from aiohttp import web

from fondation.agents import Route
from fondation.errors import RequestError
from fondation.protocols import PROTOCOLS
from fondation.server.answers import json_response
from fondation.server.floor import END_SECONDS
from fondation.server.keys import SERVICES
from fondation.server.live import LiveRun
from fondation.server.requests import chat_key, run_info
from fondation.server.runs import ActiveRuns
from fondation.server.streams import EventStream

DATA_STREAM_MAJOR = 4


def add_run_routes(router: web.UrlDispatcher, route: Route) -> None:
    """Where the runs of a route are read again and stopped."""
    router.add_get(f"{route.path}/{{id}}/stream", resume)
    router.add_post(f"{route.path}/{{id}}/stop", stop)
    if route.config.client == DATA_STREAM_MAJOR:  # its pages name the chat in the query
        router.add_get(route.path, resume_data_stream)


async def stream_run(request: web.Request, live: LiveRun, runs: ActiveRuns) -> web.StreamResponse:
    """Answer with the run's stream, from its start to its end."""
    with runs.visit(live, request) as visit, live.reader() as reader:
        stream = EventStream(live.telling.headers, live.telling.keepalive)
        response = await stream.open(request)
        visit.stream = stream
        async with contextlib.aclosing(reader.frames()) as frames:
            async for data in frames:
                if reader.is_through:
                    await stream.close(data)
                    return response
                await stream.write(data)
        await stream.close()
        return response


async def resume(request: web.Request) -> web.StreamResponse:
    """The stream of the chat's run from its start, then live; 204 where there is none."""
    services = request.app[SERVICES]
    live = _find(request)
    if live is None:
        return web.Response(status=204)
    return await stream_run(request, live, services.runs)


async def resume_data_stream(request: web.Request) -> web.StreamResponse:
    """The same for a page of major 4: it takes an answer without a body for a failure, so that nothing is an empty
    stream.
    """
    if not request.query.get("chatId"):
        raise RequestError(400, "Which chat? Send ?chatId=")
    if _find(request) is None:
        return web.Response(headers=PROTOCOLS[DATA_STREAM_MAJOR].headers)
    return await resume(request)


async def stop(request: web.Request) -> web.Response:
    """End the chat's run properly: `{"stopped": true}` once it has ended, false where none was under way."""
    live = _find(request)
    if live is None or live.task.done():
        return json_response({"stopped": False})
    live.end("stopped")
    return json_response({"stopped": await live.ended(END_SECONDS)})


def _find(request: web.Request) -> LiveRun | None:
    services = request.app[SERVICES]
    chat_id = request.match_info.get("id") or request.query.get("chatId")
    return services.runs.find(chat_key(run_info(request, services.doors, chat_id)))
