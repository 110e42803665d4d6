"""POST to a route: a run, streamed or as one JSON answer, recorded and logged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from fondation.agents import Route
from fondation.calls import RunInfo
from fondation.chats import keep
from fondation.events import Batch
from fondation.protocols import PROTOCOLS
from fondation.protocols.conversation import Conversation
from fondation.protocols.json_answer import JsonAnswer
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.server.answers import json_response
from fondation.server.diary import Diary
from fondation.server.keys import SERVICES, Services
from fondation.server.live import Departure, LiveRun, Telling
from fondation.server.reading import stream_run
from fondation.server.requests import chat_key, read_conversation, run_info
from fondation.server.runs import ActiveRuns
from fondation.server.turns import Turn, kept_turn, sent_turn
from fondation.show import show
from fondation.usage import record

_IDS = ("x-session-id", "x-run-id")


def chat_handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of one route."""

    async def chat(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        conversation = await read_conversation(request, route)
        info = run_info(request, services.doors, conversation.chat_id)
        answer = JsonAnswer(info.chat_id or "") if info.method == "generate" else None
        with services.runs.room(route, services.config.limits.max_concurrent_runs):
            live = await _begin(services, route, conversation, info, answer)
        if answer is not None:
            return await _answer(request, live, services.runs, answer)
        return await stream_run(request, live, services.runs)

    return chat


async def _begin(
    services: Services, route: Route, conversation: Conversation, info: RunInfo, answer: JsonAnswer | None
) -> LiveRun:
    """Begin the run that a conversation asks for."""
    if route.config.chats == "client" or services.chats is None:
        turn = sent_turn(route, conversation, info)
        return _start(services, turn, answer, is_named=conversation.chat_id is not None)
    async with services.floor.turn(chat_key(info)):
        turn = await kept_turn(services.chats, route, conversation, info)
        return _start(services, turn, answer, is_named=conversation.chat_id is not None)


def _start(services: Services, turn: Turn, answer: JsonAnswer | None, *, is_named: bool) -> LiveRun:
    """Begin a run in a task of its own; it can be found again where its client can name the chat."""
    request = turn.request
    run = Run(request, services.gate)
    diary = Diary(run, request)
    watchers = [diary.read] if answer is None else [diary.read, answer.feed]

    def watch(batch: Batch) -> None:
        for watcher in watchers:
            watcher(batch)

    batches = show(record(run.events(), services.store, request.info), request.route.config.show)
    if turn.keeping is not None:
        batches = keep(batches, turn.keeping, lambda: run.dialogue.produced)
    live = LiveRun(
        chat_key(request.info),
        run,
        batches,
        _telling(request),
        _departure(request.route),
        watch=watch,
        folder=services.folder,
        message_id=request.message_id,
        before=turn.before,
    )
    live.task.add_done_callback(lambda _: diary.write())
    services.runs.add(live, request.route, remembered=is_named)
    return live


def _departure(route: Route) -> Departure:
    chosen = route.config.on_disconnect
    return Departure({"cancel": 0.0, "continue": None, "grace": chosen.grace}[chosen.kind])


def _telling(request: RunRequest) -> Telling:
    protocol = PROTOCOLS[request.route.config.client]
    headers = {**protocol.headers, "x-session-id": request.info.session_id, "x-run-id": request.info.run_id}
    return Telling(protocol.encoder(), headers, protocol.keepalive, protocol.broken(request.info.run_id))


async def _answer(request: web.Request, live: LiveRun, runs: ActiveRuns, answer: JsonAnswer) -> web.Response:
    """Wait for the run's end, and answer it whole."""
    with runs.visit(live, request), live.reader() as reader:
        async with contextlib.aclosing(reader.frames()) as frames:
            async for _ in frames:
                pass
        await asyncio.wait({live.task})
    if live.failure is not None or live.task.cancelled():
        return json_response({"error": "Internal server error"}, status=500)
    ids = {name: value for name, value in live.telling.headers.items() if name in _IDS}
    return json_response(answer.body, status=answer.status, headers={**ids, **answer.headers})
