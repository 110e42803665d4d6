"""Around every request: the doors first, CORS last, and each error as one JSON object."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from fondation.errors import ChatStoreError, RequestError
from fondation.messages import Json
from fondation.server.answers import json_response
from fondation.server.doors import cors_headers, preflight_headers
from fondation.server.keys import SERVICES

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

log = logging.getLogger("fondation.server")

MOST_ROUTES = 10
"""Routes that an unknown path is told of."""


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """`{"error": ...}` for whatever goes wrong before the first byte of an answer; after it the connection breaks."""
    try:
        request.app[SERVICES].doors.check(request)
        if request.method == "OPTIONS":
            return _preflight(request)
        return await handler(request)
    except ConnectionResetError:
        raise  # the client is gone: nobody reads an answer
    except Exception as error:
        if request.writer.output_size:
            log.exception("%s %s: the answer broke off", request.method, request.rel_url.raw_path)
            raise ConnectionResetError("The answer had begun") from error
        return _answer_to(request, error)


def _answer_to(request: web.Request, error: Exception) -> web.Response:
    match error:
        case RequestError():
            return _error(error.status, str(error), error.headers, error.details)
        case ChatStoreError():
            log.error("%s %s: %s", request.method, request.rel_url.raw_path, error)
            return _error(503, "Chats cannot be read or written right now", {"Retry-After": "5"})
        case web.HTTPException(status=status) if status < 400:
            raise error
        case web.HTTPException():
            headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _error(error.status, _http_text(request, error), headers)
        case _:
            log.error("Chat error: %s %s", request.method, request.rel_url.raw_path, exc_info=error)
            return _error(500, "Internal server error", {})


async def add_cors(request: web.Request, response: web.StreamResponse) -> None:
    """Runs before any response's headers go out, streams included."""
    origin = request.app[SERVICES].doors.allowed_origin(request)
    if origin is not None:
        response.headers.update(cors_headers(origin))


def _preflight(request: web.Request) -> web.Response:
    error = request.match_info.http_exception
    if error is not None and error.status == 404:
        raise error
    allowed = getattr(error, "allowed_methods", None) or {"GET"}
    methods = ", ".join(sorted({*allowed, "OPTIONS"} - {"HEAD"}))
    return web.Response(status=204, headers={"Allow": methods, **preflight_headers(methods)})


def _http_text(request: web.Request, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"There is nothing at {request.path}{_routes(request.app)}"
        case 405:
            routes = _routes(request.app) if request.method == "POST" else ""
            return f"{request.method} is not for {request.path}; use {error.headers.get('Allow', 'POST')}{routes}"
        case _:
            return error.reason


def _routes(app: web.Application) -> str:
    """`; the routes are: /a, /b`: the first of those that take a message."""
    paths = [
        resource.canonical
        for resource in app.router.resources()
        if isinstance(resource, web.PlainResource) and any(route.method == "POST" for route in resource)
    ]
    if not paths:
        return ""
    more = f", and {len(paths) - MOST_ROUTES} more" if len(paths) > MOST_ROUTES else ""
    return f"; the routes are: {', '.join(paths[:MOST_ROUTES])}{more}"


def _error(
    status: int, text: str, headers: Mapping[str, str], details: Mapping[str, Json] | None = None
) -> web.Response:
    return json_response({"error": text, **(details or {})}, status=status, headers=headers)
