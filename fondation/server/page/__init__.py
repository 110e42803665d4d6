"""The chat page at `/`: a person talks to the agents of each route, over the same requests as any other client."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from fondation.server.answers import json_response
from fondation.server.assets import headers_under, load_assets
from fondation.server.keys import SERVICES
from fondation.server.page.routes import told_routes

BESIDE = "/@page"
"""Where the page's own files are: no route of a user can have this path, its letters do not allow it."""

FOLDER = Path(__file__).parent / "files"

POLICY = {
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "data: blob:",
    "form-action": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
"""Nothing from elsewhere, nothing inline; and text cannot become HTML or script: the browser refuses to."""


def add_page_routes(router: web.UrlDispatcher) -> None:
    """`/`, the files that it loads, and what it is told of the routes."""
    assets = load_assets(FOLDER, headers_under(POLICY))

    async def page(request: web.Request) -> web.Response:
        return assets["index.html"].answer(request)

    async def file(request: web.Request) -> web.Response:
        asset = assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset.answer(request)

    router.add_get("/", page)
    router.add_get(f"{BESIDE}/routes", list_routes)
    router.add_get(f"{BESIDE}/{{name:.+}}", file)


async def list_routes(request: web.Request) -> web.Response:
    """`{routes: [{path, agent, agents, chats, client, context, clientTools, maxBody, maxMessage}], dashboard}`.

    `dashboard` is its address, relative to the page; null where there is none, or not for this browser.
    """
    services = request.app[SERVICES]
    told = told_routes(services.cast.routes.values(), services.config.tools)
    may_see = services.config.server.dashboard and services.doors.is_own_machine(request)
    dashboard = "admin/usage" if may_see else None
    return json_response({"routes": told, "dashboard": dashboard}, headers={"Cache-Control": "no-cache"})
