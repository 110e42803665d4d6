"""JSON bodies."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from fondation.messages import Json


def json_response(body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return web.Response(body=data, status=status, content_type="application/json", headers=headers)
