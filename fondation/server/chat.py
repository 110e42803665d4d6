"""POST to a route: a run, streamed or as one JSON answer, recorded and logged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from fondation.agents import Route
from fondation.asides import Company, Untitled, accompany
from fondation.calls import RunInfo
from fondation.chats import keep
from fondation.errors import RequestError
from fondation.events import Batch
from fondation.gate import Account
from fondation.protocols import PROTOCOLS
from fondation.protocols.conversation import Conversation
from fondation.protocols.json_answer import JsonAnswer
from fondation.protocols.ui_message_stream.retell import retold
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.server.answers import json_response
from fondation.server.budgets import admitted
from fondation.server.diary import Diary
from fondation.server.floor import still_answering
from fondation.server.keys import PASSED_ON, SERVICES, Services
from fondation.server.live import Departure, LiveRun, Reader, Telling
from fondation.server.neighbours import Errand, announce, misdirected, pass_on
from fondation.server.reading import stream_run
from fondation.server.requests import chat_key, read_conversation, read_json, run_info
from fondation.server.runs import ActiveRuns
from fondation.server.turns import Turn, kept_turn, sent_turn
from fondation.show import show
from fondation.stores.chats import ChatElsewhere, ChatKey, ChatStore
from fondation.usage import record

log = logging.getLogger("fondation.server")

_IDS = ("x-session-id", "x-run-id")
_LOOK_AGAIN = (0.0, 0.05, 0.2, 0.5)
"""Seconds, for a process that has died to be known as dead."""


def chat_handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of one route."""

    async def chat(request: web.Request) -> web.StreamResponse:
        runs = request.app[SERVICES].runs
        begun = await _begin_or_pass_on(request, route)
        if isinstance(begun, web.StreamResponse):
            return begun
        if begun.answer is not None:
            return await _answer(request, begun, begun.answer, runs)
        return await stream_run(request, begun.live, runs, reader=begun.reader)

    return chat


class _Begun(NamedTuple):
    live: LiveRun
    reader: Reader
    """Whoever asked for the run, who reads it from its first moment."""
    answer: JsonAnswer | None
    """Where the run is not streamed."""


async def _begin_or_pass_on(request: web.Request, route: Route) -> _Begun | web.StreamResponse:
    """Begin the run that a request asks for, or have it answered where the chat's turn is."""
    services = request.app[SERVICES]
    body = await read_json(request, route)
    conversation = read_conversation(body, route)
    info = run_info(request, services.doors, conversation.chat_id)
    errand = Errand("POST", route.path, info, PROTOCOLS[route.config.client], body)
    for pause in _LOOK_AGAIN:
        try:
            if PASSED_ON in request.app and services.runs.draining:
                await _give_up_turn(services, chat_key(info))
            if route.config.chats == "client" or services.chats is None:
                return await _begin_sent(services, route, conversation, info)
            return await _begin_unharmed(services, services.chats, route, conversation, info)
        except ChatElsewhere as elsewhere:
            if (passed := await pass_on(request, errand, elsewhere.run)) is not None:
                return passed
            await asyncio.sleep(pause)
    raise still_answering()


async def _begin_sent(services: Services, route: Route, conversation: Conversation, info: RunInfo) -> _Begun:
    """Begin the run that a conversation asks for which its client keeps. Raises `RequestError`."""
    is_named = conversation.chat_id is not None
    with services.runs.room(route, services.config.limits.max_concurrent_runs):
        turn = sent_turn(route, conversation, info)
        account = await admitted(services, route, turn.request)
        former = services.runs.find(chat_key(info)) if is_named else None
        begun = _start(services, turn, account, is_named=is_named)
    if former is not None:
        former.supersede()
    if is_named and services.chats is not None:
        announce(services.chats, begun.live, info.run_id)
    return begun


async def _begin_unharmed(
    services: Services, chats: ChatStore, route: Route, conversation: Conversation, info: RunInfo
) -> _Begun:
    """Begin the run of a kept chat, whether or not its client waits for it: one that left meanwhile leaves a run
    that has begun, with what its chat was told of it. Raises `RequestError` and `ChatElsewhere`.
    """
    beginning = services.runs.prepare(_begin_kept(services, chats, route, conversation, info))
    try:
        return await asyncio.shield(beginning)
    except asyncio.CancelledError:
        beginning.add_done_callback(_leave)
        raise


def _leave(beginning: asyncio.Task[_Begun]) -> None:
    """Nobody reads what was begun; nor why it was not."""
    if beginning.cancelled():
        return
    error = beginning.exception()
    if error is None:
        beginning.result().reader.close()
    elif not isinstance(error, RequestError | ChatElsewhere):
        log.error("a run whose client left did not begin", exc_info=error)


async def _begin_kept(
    services: Services, chats: ChatStore, route: Route, conversation: Conversation, info: RunInfo
) -> _Begun:
    key = chat_key(info)
    accounts: list[Account] = []

    async def admit(request: RunRequest) -> None:
        accounts.append(await admitted(services, route, request))

    with services.runs.room(route, services.config.limits.max_concurrent_runs):
        async with services.floor.turn(key):
            try:
                turn = await kept_turn(chats, route, conversation, info, admit)
                return _start(services, turn, accounts[0], is_named=conversation.chat_id is not None)
            except BaseException:  # the server may end while its turn is being written
                chats.end(key, info.run_id)
                for account in accounts:
                    account.close()
                raise


async def _give_up_turn(services: Services, key: ChatKey) -> None:
    """A server that is going down lets the neighbour that asks have the chat, once its run has ended."""
    async with services.floor.turn(key):
        raise misdirected()


def _start(services: Services, turn: Turn, account: Account, *, is_named: bool) -> _Begun:
    """Begin a run in a task of its own; it can be found again where its client can name the chat."""
    request = turn.request
    answer = JsonAnswer(request.info.chat_id or "") if request.info.method == "generate" else None
    run = Run(request, account.gate)
    diary = Diary(run, request)

    def read_and_answer(batch: Batch) -> None:
        diary.read(batch)
        if answer is not None:
            answer.feed(batch)

    batches = account.watch(record(run.events(), services.store, request.info))
    if (company := _company(services, turn, run, account)) is not None:
        batches = accompany(batches, company)
    batches = show(batches, request.route.config.show)
    if turn.keeping is not None:
        batches = keep(batches, turn.keeping, run.dialogue)
    live = LiveRun(
        chat_key(request.info),
        run,
        batches,
        _telling(turn),
        _departure(request.route),
        watch=diary.read if answer is None else read_and_answer,
        folder=services.folder,
        path=request.route.path,
        message_id=request.message_id,
    )
    live.task.add_done_callback(lambda _: _end(diary, account))
    services.runs.add(live, request.route, remembered=is_named)
    return _Begun(live, live.reader(), answer)


def _end(diary: Diary, account: Account) -> None:
    account.close()
    diary.write()


def _company(services: Services, turn: Turn, run: Run, account: Account) -> Company | None:
    """What is asked beside the run; None where nothing is."""
    wanted, untitled = turn.request.route.config, None
    if wanted.titles is not None and turn.untitled and services.chats is not None:
        untitled = Untitled(services.chats, chat_key(turn.request.info))
    if untitled is None and wanted.suggestions is None:
        return None
    return Company(
        request=turn.request,
        deadline=run.deadline,
        produced=lambda: run.dialogue.produced,
        asides=services.asides,
        account=account,
        ledger=services.store,
        untitled=untitled,
    )


def _departure(route: Route) -> Departure:
    chosen = route.config.on_disconnect
    return Departure({"cancel": 0.0, "continue": None, "grace": chosen.grace}[chosen.kind])


def _telling(turn: Turn) -> Telling:
    request = turn.request
    protocol = PROTOCOLS[request.route.config.client]
    headers = {**protocol.headers, "x-session-id": request.info.session_id, "x-run-id": request.info.run_id}
    broken = protocol.broken(request.info.run_id)
    if (before := turn.before) is None:
        return Telling(protocol.encoder(), headers, protocol.keepalive, broken)
    return Telling(protocol.encoder(), headers, protocol.keepalive, broken, protocol.encoder()(retold(before)))


async def _answer(request: web.Request, begun: _Begun, answer: JsonAnswer, runs: ActiveRuns) -> web.Response:
    """Wait for the run's end, and answer it whole."""
    live = begun.live
    with runs.visit(live, request), begun.reader as reader:
        async with contextlib.aclosing(reader.frames()) as frames:
            async for _ in frames:
                pass
        await asyncio.wait({live.task})
    if live.is_broken or live.task.cancelled():
        return json_response({"error": "Internal server error"}, status=500)
    ids = {name: value for name, value in live.telling.headers.items() if name in _IDS}
    return json_response(answer.body, status=answer.status, headers={**ids, **answer.headers})
