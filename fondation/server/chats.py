"""/api/chats: the chats of whoever asks, to list, read, rename and delete."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from aiohttp import web

from fondation.calls import RunInfo
from fondation.errors import RequestError
from fondation.messages import Json
from fondation.protocols.bodies import BodyReader
from fondation.protocols.ui_message_stream.assemble import settled
from fondation.server.answers import json_response
from fondation.server.floor import still_answering
from fondation.server.keys import SERVICES
from fondation.server.late_usage import with_late_usage
from fondation.server.live import LiveRun
from fondation.server.neighbours import Errand, ask_neighbour, pass_on, pass_on_if_elsewhere
from fondation.server.requests import chat_key, checked_id, named, read_body, run_info
from fondation.stores.chats import ChatElsewhere, ChatKey, ChatStore, ChatSummary, StoredChat, StoredMessage

PATH = "/api/chats"
PAGE = 50
"""Chats in a list, where the request does not say how many."""
MOST = 200
LONGEST_TITLE = 200
LARGEST_BODY = 10_000


class Rename(msgspec.Struct):
    title: str


_read_rename = BodyReader(Rename)


def add_chat_routes(router: web.UrlDispatcher) -> None:
    router.add_get(PATH, list_chats)
    router.add_get(f"{PATH}/{{id}}", read_chat, allow_head=False)
    router.add_patch(f"{PATH}/{{id}}", rename_chat)
    router.add_delete(f"{PATH}/{{id}}", delete_chat)


async def list_chats(request: web.Request) -> web.Response:
    """`{chats, next}`, newest first; `?search=`, `?limit=` and `?cursor=`, which is the `next` of the page before."""
    if not (named(request, "x-user-id") or named(request, "x-session-id")):
        raise RequestError(400, "Whose chats? Send the header x-user-id or x-session-id")
    try:
        page = await _store(request).list(
            _key(request).owner,
            search=request.query.get("search"),
            limit=_limit(request.query.get("limit", str(PAGE))),
            cursor=request.query.get("cursor"),
        )
    except ValueError:
        raise RequestError(400, "cursor: send the `next` of the page before, or none") from None
    return json_response({"chats": [_summary(chat) for chat in page.chats], "next": page.next})


async def read_chat(request: web.Request) -> web.StreamResponse:
    """`{id, title, agent, createdAt, updatedAt, messages}`, the messages as `useChat` takes them at first.

    A message that a run still writes is not among them: the run's stream tells all of it. One that has ended is told
    here, and not by its stream to a page that asks for it next.
    """
    services, info = request.app[SERVICES], _info(request)
    key = chat_key(info)
    chat = await _store(request).load(key)
    if chat is None:
        raise _not_found(key)
    if (
        passed := await pass_on_if_elsewhere(request, _errand("GET", info), chat.run, services.runs.find(key))
    ) is not None:
        return passed
    live = services.runs.find(key)
    unfinished = _unfinished(chat, live)
    if unfinished is None and live is not None:
        live.read_at = time.monotonic()
    ended = [message for message in chat.messages if message.id != unfinished]
    return json_response(_chat(chat, await with_late_usage(ended, services.store)))


async def rename_chat(request: web.Request) -> web.Response:
    """PATCH `{"title": "..."}`; the title is made one line."""
    key = _key(request)
    title = " ".join(_read_rename(await read_body(request, LARGEST_BODY)).title.split())
    if not title or len(title) > LONGEST_TITLE:
        raise RequestError(400, f"title: 1 to {LONGEST_TITLE} characters")
    if not await _store(request).rename(key, title):
        raise _not_found(key)
    return json_response({"id": key.id, "title": title})


async def delete_chat(request: web.Request) -> web.StreamResponse:
    """Remove the chat with all that belongs to it; its run is stopped first."""
    services, info = request.app[SERVICES], _info(request)
    key = chat_key(info)
    if (passed := await ask_neighbour(request, _errand("DELETE", info), services.runs.find(key))) is not None:
        return passed
    try:
        async with services.floor.silence(key):
            if (live := services.runs.find(key)) is not None:
                services.runs.forget(live)
            if not await _store(request).delete(key):
                raise _not_found(key)
    except ChatElsewhere as elsewhere:  # it began meanwhile
        if (passed := await pass_on(request, _errand("DELETE", info), elsewhere.run)) is None:
            raise still_answering() from None
        return passed
    return web.Response(status=204)


def _limit(text: str) -> int:
    """Raises `RequestError` (400)."""
    if not text.isdecimal() or len(text) > len(str(MOST)) or not 1 <= int(text) <= MOST:
        raise RequestError(400, f"limit: a number from 1 to {MOST}")
    return int(text)


def _store(request: web.Request) -> ChatStore:
    chats = request.app[SERVICES].chats
    assert chats is not None, "the routes are there only where chats are kept"
    return chats


def _key(request: web.Request) -> ChatKey:
    return chat_key(_info(request))


def _info(request: web.Request) -> RunInfo:
    chat_id = checked_id("id", request.match_info.get("id"))
    return run_info(request, request.app[SERVICES].doors, chat_id)


def _errand(method: str, info: RunInfo) -> Errand:
    return Errand(method, f"{PATH}/{quote(info.chat_id or '', safe='')}", info)


def _not_found(key: ChatKey) -> RequestError:
    return RequestError(404, f"You have no chat {key.id!r}")


def _summary(chat: ChatSummary) -> dict[str, Json]:
    return {
        "id": chat.id,
        "title": chat.title,
        "agent": chat.agent,
        "createdAt": _time(chat.created_at),
        "updatedAt": _time(chat.updated_at),
        "messages": chat.messages,
        "excerpt": chat.excerpt,
    }


def _unfinished(chat: StoredChat, live: LiveRun | None) -> str | None:
    """The id of the message that a run of this process writes, or wrote when the chat was loaded."""
    if live is not None and not live.task.done():
        return live.message_id
    run = chat.run
    if run is None or not run.is_ours or run.state != "under way":
        return None
    return next((m.id for m in chat.messages if m.run_id == run.id and m.status == "streaming"), None)


def _chat(chat: StoredChat, messages: Iterable[StoredMessage]) -> dict[str, Json]:
    return {
        "id": chat.key.id,
        "title": chat.title,
        "agent": chat.agent,
        "createdAt": _time(chat.created_at),
        "updatedAt": _time(chat.updated_at),
        "messages": [_message(message) for message in messages],
    }


def _message(message: StoredMessage) -> dict[str, Json]:
    """A UI message; its metadata tells the `status` of an answer that did not come to its end.

    That it waits only its parts tell: a page keeps all metadata that it was given, also once the answer has gone on.
    """
    parts = message.parts if message.status in ("streaming", "waiting") else settled(message.parts)
    status = {} if message.status in ("complete", "waiting") else {"status": message.status}
    metadata = {**message.metadata, **status}
    told: dict[str, Json] = {"id": message.id, "role": message.role, "parts": parts}
    return {**told, "metadata": metadata} if metadata else told


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
