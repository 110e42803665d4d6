"""POST to a route: a run, streamed or as one JSON answer, recorded and logged."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from fondation.agents import Route
from fondation.events import Batch
from fondation.protocols import PROTOCOLS
from fondation.protocols.json_answer import JsonAnswer
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.server.answers import json_response
from fondation.server.diary import Diary
from fondation.server.keys import SERVICES, Services
from fondation.server.live import Departure, LiveRun, Telling
from fondation.server.reading import stream_run
from fondation.server.requests import read_run_request
from fondation.show import show
from fondation.stores.chats import ChatKey
from fondation.usage import record


def chat_handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of one route."""

    async def chat(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        run_request = await read_run_request(request, route, services.doors)
        with services.runs.room(services.config.limits.max_concurrent_runs):
            if run_request.info.method == "generate":
                return await _answer(request, services, run_request)
            return await stream_run(request, _start(services, run_request), services.runs)

    return chat


def _start(services: Services, request: RunRequest, watch: Callable[[Batch], object] | None = None) -> LiveRun:
    """Begin a run in a task of its own; `watch` sees every batch."""
    run = Run(request, services.gate)
    diary = Diary(run, request)

    def note(batch: Batch) -> None:
        diary.read(batch)
        if watch is not None:
            watch(batch)

    batches = show(record(run.events(), services.store, request.info), request.route.config.show)
    live = LiveRun(
        ChatKey("", request.info.chat_id or ""),
        run,
        batches,
        _telling(request),
        Departure(0.0),
        watch=note,
    )
    live.task.add_done_callback(lambda _: diary.write())
    services.runs.add(live, remembered=False)
    return live


def _telling(request: RunRequest) -> Telling:
    protocol = PROTOCOLS[request.route.config.client]
    headers = {**protocol.headers, **_headers(request)}
    return Telling(protocol.encoder(), headers, protocol.keepalive, protocol.broken(request.info.run_id))


async def _answer(request: web.Request, services: Services, run_request: RunRequest) -> web.Response:
    answer = JsonAnswer(run_request.info.chat_id or "")
    live = _start(services, run_request, answer.feed)
    with live.reader() as reader, services.runs.visit(live, request):
        async with contextlib.aclosing(reader.frames()) as frames:
            async for _ in frames:
                pass
        await live.ended(1.0)
    if live.failure is not None or live.task.cancelled():
        return json_response({"error": "Internal server error"}, status=500)
    headers = {**_headers(run_request), **answer.headers}
    return json_response(answer.body, status=answer.status, headers=headers)


def _headers(run: RunRequest) -> dict[str, str]:
    return {"x-session-id": run.info.session_id, "x-run-id": run.info.run_id}
