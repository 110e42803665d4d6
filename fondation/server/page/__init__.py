"""The chat page at `/`: a person talks to the agents of each route, over the same requests as any other client."""

from __future__ import annotations

from aiohttp import web

from fondation.server.answers import json_response
from fondation.server.keys import SERVICES
from fondation.server.page.assets import Asset, load_assets
from fondation.server.page.routes import told_routes

BESIDE = "/@page"
"""Where the page's own files are: no route of a user can have this path, its letters do not allow it."""


def add_page_routes(router: web.UrlDispatcher) -> None:
    """`/`, the files that it loads, and what it is told of the routes."""
    assets = load_assets()

    async def page(request: web.Request) -> web.Response:
        return _answer(request, assets["index.html"])

    async def file(request: web.Request) -> web.Response:
        asset = assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return _answer(request, asset)

    router.add_get("/", page)
    router.add_get(f"{BESIDE}/routes", list_routes)
    router.add_get(f"{BESIDE}/{{name:.+}}", file)


async def list_routes(request: web.Request) -> web.Response:
    """`{routes: [{path, agent, agents, chats, client, context, clientTools, maxBody, maxMessage}]}`."""
    services = request.app[SERVICES]
    told = told_routes(services.cast.routes.values(), services.config.tools)
    return json_response({"routes": told}, headers={"Cache-Control": "no-cache"})


def _answer(request: web.Request, asset: Asset) -> web.Response:
    """The file, or 304 to a browser that has it."""
    if any(known.value in (asset.etag, "*") for known in request.if_none_match or ()):
        response = web.Response(status=304, headers=asset.headers)
    else:
        response = web.Response(
            body=asset.body, content_type=asset.content_type, charset="utf-8", headers=asset.headers
        )
    response.etag = asset.etag
    return response
