"""GET /healthz: the process is there and answers."""

from __future__ import annotations

from aiohttp import web

from fondation.server.answers import json_response
from fondation.server.keys import SERVICES


async def health(request: web.Request) -> web.Response:
    return json_response({"status": "ok", "runs": len(request.app[SERVICES].runs)})
