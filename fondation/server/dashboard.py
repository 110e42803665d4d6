"""The usage dashboard at `/admin/usage`: read in a thread, shown as a page, JSON or CSV to the server's own machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from aiohttp import web

import fondation.dashboard
import fondation.graph
from fondation.budgets import budgets_of
from fondation.dashboard.desk import Desk
from fondation.dashboard.formats import as_csv, as_json, run_as_json
from fondation.dashboard.html import RUN, USAGE, Pages, Place
from fondation.dashboard.selection import BadSelection, Selection
from fondation.errors import RequestError
from fondation.graph import graph_of
from fondation.server import page
from fondation.server.assets import Asset, headers_under, load_asset, load_assets
from fondation.server.keys import SERVICES, Services
from fondation.server.requests import wants_json
from fondation.usage.explaining import NoSuchRun
from fondation.usage.reading import NoLedger

PATH = "/admin/usage"

NEAR = {
    "/admin": "admin/usage",
    "/admin/": "usage",
    f"{PATH}/": "../usage",
    f"{PATH}/runs": "../usage",
    f"{PATH}/runs/": "../../usage",
}
"""What people type as well, and the way from there."""

FOLDER = Path(fondation.dashboard.__file__).parent / "files"

HEADERS = headers_under({"style-src": "'self'", "img-src": "'self'", "form-action": "'self'"})
"""Of whatever is answered here: no page of it has a script."""

Format: TypeAlias = Literal["html", "json", "csv"]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]

CONTENT_TYPES: dict[Format, str] = {"html": "text/html", "json": "application/json", "csv": "text/csv"}


def add_dashboard_routes(app: web.Application) -> None:
    """The page, a page for each run, and the files that they load."""
    services = app[SERVICES]
    dashboard = _Dashboard(services)
    assets = _load_assets()

    async def file(request: web.Request) -> web.Response:
        asset = assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return asset.answer(request)

    for near, way in NEAR.items():
        app.router.add_get(near, _elsewhere(way))
    app.router.add_get(PATH, _shown(dashboard.usage, dashboard.pages, USAGE))
    app.router.add_get(f"{PATH}/runs/{{id}}", _shown(dashboard.run, dashboard.pages, RUN))
    app.router.add_get(f"{PATH}/{{name}}", file)


class _Dashboard:
    """Answers from the ledger; one at a time, as a large one takes a processor for some seconds."""

    def __init__(self, services: Services) -> None:
        config = services.config
        graph = graph_of(config)
        zone = ZoneInfo(config.usage.timezone)
        self._desk = Desk(services.ledger, zone, budgets_of(config), graph, services.why_not_recorded)
        self._reading = asyncio.Lock()
        self.pages = Pages(
            graph=graph,
            models=[model.id for model in config.models.values()],
            is_recording=not services.why_not_recorded,
            has_chat=config.server.page,
        )

    async def usage(self, request: web.Request, form: Format) -> web.Response:
        selection = Selection.of(request.query)
        section = request.query.get("section", "calls")

        def read() -> str:
            match form:
                case "html":
                    return self.pages.usage(self._desk.overview(selection))
                case "json":
                    return as_json(self._desk.overview(selection))
                case "csv":
                    with self._desk.source(selection) as source:
                        return as_csv(source, section)

        try:
            return _answer(await self._read(read), form, f"usage-{section}.csv")
        except BadSelection as error:
            if form != "html":
                raise RequestError(400, str(error)) from error
            response = _answer(self.pages.bad_selection(selection, error), form)
            response.set_status(400)
            return response

    async def run(self, request: web.Request, form: Format) -> web.Response:
        if form == "csv":
            raise RequestError(400, "A run is told as html or json: type ?format=json")

        def read() -> str:
            found = self._desk.run(request.match_info["id"])
            return self.pages.run(found, self._desk.zone) if form == "html" else run_as_json(found)

        return _answer(await self._read(read), form)

    async def _read(self, read: Callable[[], str]) -> str:
        """What `read` gives, in a thread of its own. Raises `RequestError`, and `BadSelection` as `read` does."""
        try:
            async with self._reading:
                return await asyncio.to_thread(read)
        except NoSuchRun as error:
            raise RequestError(404, str(error)) from error
        except NoLedger as error:
            raise RequestError(503, f"{error}", {"Retry-After": "5"}) from error


def _elsewhere(way: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        raise web.HTTPFound(way)

    return handler


def _load_assets() -> dict[str, Asset]:
    """The dashboard's own, the stylesheet of the graph, and the icon that the server has anyway."""
    others = (Path(fondation.graph.__file__).parent / "graph.css", page.FOLDER / "icon.svg")
    return load_assets(FOLDER, HEADERS) | {file.name: load_asset(file, HEADERS) for file in others}


def _shown(show: Callable[[web.Request, Format], Awaitable[web.Response]], pages: Pages, place: Place) -> Handler:
    """Whatever is wrong is a page, too, where a person asks."""

    async def handler(request: web.Request) -> web.Response:
        form: Format = _accepted(request)
        try:
            form = _format(request.query.get("format") or form)
            request.app[SERVICES].doors.check_own_machine(request)
            return await show(request, form)
        except RequestError as error:
            if form != "html":
                raise
            response = _answer(pages.error(str(error), place), "html")
            response.set_status(error.status)
            response.headers.update(error.headers)
            return response

    return handler


def _accepted(request: web.Request) -> Format:
    """What the Accept header asks for, where it does not take anything."""
    if wants_json(request):
        return "json"
    return "csv" if request.headers.get("Accept", "").lower().startswith("text/csv") else "html"


def _format(typed: str) -> Format:
    for form in CONTENT_TYPES:
        if typed.lower() == form:
            return form
    raise RequestError(400, f"format: {typed} is none of {', '.join(CONTENT_TYPES)}")


def _answer(text: str, form: Format, file_name: str = "") -> web.Response:
    response = web.Response(text=text, content_type=CONTENT_TYPES[form], charset="utf-8", headers=HEADERS)
    if form == "csv":
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
