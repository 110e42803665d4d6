"""What an HTTP request says: who asks, about which chat, and what; everything is checked as it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from fondation.agents import Route
from fondation.calls import Method, RunInfo
from fondation.config import ContextValue
from fondation.errors import RequestError
from fondation.messages import Json
from fondation.protocols import PROTOCOLS
from fondation.protocols.conversation import Conversation, is_id, unfit_id
from fondation.server.doors import Doors
from fondation.stores.chats import ChatKey
from fondation.tokens import new_token, new_uuid

T = TypeVar("T", bytes, bytearray)

BODY_SECONDS = 60.0
"""How long a body may take to arrive."""

_NOBODY = frozenset({"", "undefined", "null"})

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


async def read_json(request: web.Request, route: Route) -> bytes:
    """The body of a POST to a route. Raises `RequestError` with the status and what is wrong."""
    if request.content_type != "application/json":
        raise RequestError(415, 'Send JSON, with the header "content-type: application/json"')
    return await read_body(request, route.limits.max_body_size)


def read_conversation(body: bytes, route: Route) -> Conversation:
    """What a POST to a route says. Raises `RequestError` with the status and what is wrong."""
    conversation = PROTOCOLS[route.config.client].decode(body)
    _check_length(conversation.text, route.limits.max_message_length)
    return conversation


def run_info(request: web.Request, doors: Doors, chat_id: str | None) -> RunInfo:
    """Who asks, about which chat; names that are not given are made. Raises `RequestError` (400) for an unfit name."""
    chat_id = checked_id("id", chat_id)
    session_id = checked_id("x-session-id", named(request, "x-session-id"))
    user_id = checked_id("x-user-id", named(request, "x-user-id"))
    method: Method = "generate" if wants_json(request) else "stream"
    return RunInfo(
        run_id=f"run_{new_token()}",
        session_id=session_id or chat_id or new_uuid(),
        user_id=user_id if doors.vouched_for(request) else None,
        chat_id=chat_id or new_uuid(),
        method=method,
    )


def named(request: web.Request, header: str) -> str | None:
    """Whom a header names; None for nobody, whom a page's `fetch` writes as a word: strangers would share that name."""
    name = request.headers.get(header)
    return None if name is None or name in _NOBODY else _as_written(name)


def _as_written(value: str) -> str:
    """A header's text: in UTF-8, as most programs write it, or in Latin-1, as a page's `fetch` does."""
    sent = value.encode(errors="surrogateescape")
    try:
        return sent.decode()
    except UnicodeDecodeError:
        return sent.decode("latin-1")


def chat_key(info: RunInfo) -> ChatKey:
    """The chat that is asked about: its owner is the user, without one the session."""
    owner = f"user:{info.user_id}" if info.user_id else f"session:{info.session_id}"
    return ChatKey(owner, info.chat_id or "")


def wants_json(request: web.Request) -> bool:
    """Whether Accept asks for one JSON answer and not for a stream."""
    accept = request.headers.get("Accept", "").lower()
    return "application/json" in accept and "text/event-stream" not in accept and "*/*" not in accept


async def read_body(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        if request.content.is_eof():  # it came with the headers, as short ones do
            return _within(request.content.read_nowait(), limit)
        async with asyncio.timeout(BODY_SECONDS):
            return await _collect(request, limit)
    except TimeoutError:
        raise RequestError(408, f"The body did not arrive within {BODY_SECONDS:g} seconds") from None
    except web.RequestPayloadError:  # a broken chunk, or no gzip where it is announced
        raise RequestError(400, "The body cannot be read: its encoding is broken") from None


async def _collect(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        _within(body, limit)
    return bytes(body)


def _within(body: T, limit: int) -> T:
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> RequestError:
    return RequestError(413, f"The body is larger than {limit:,} bytes")


def _check_length(text: str, limit: int | None) -> None:
    if limit is not None and len(text) > limit:
        raise RequestError(413, f"The message is longer than {limit:,} characters")


def checked_id(name: str, value: str | None) -> str | None:
    """An id as the client sent it; None where it sent none."""
    if not value:
        return None
    if not is_id(value):
        raise unfit_id(name)
    if value != value.strip():  # a header would lose them, and so name another
        raise RequestError(400, f"{name}: no blanks at its ends")
    return value


def context_of(declared: Mapping[str, ContextValue], sent: Mapping[str, Json]) -> dict[str, Json]:
    """The route's declared context values, from the body or by default; what is not declared is dropped."""
    return {name: _context_value(name, value, sent.get(name)) for name, value in declared.items()}


def _context_value(name: str, declared: ContextValue, sent: Json) -> Json:
    if sent is None:
        return declared.default
    fits = isinstance(sent, _TYPES[declared.type]) and isinstance(sent, bool) == (declared.type == "boolean")
    if not fits:
        raise RequestError(400, f"context.{name}: expected {declared.type}")
    if declared.max_length is not None and isinstance(sent, str) and len(sent) > declared.max_length:
        raise RequestError(400, f"context.{name}: longer than {declared.max_length:,} characters")
    return sent
