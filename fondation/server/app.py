"""`create_app`: the application of one agents.yaml."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from aiohttp import web

from fondation.agents import Simulate, build_cast, missing_keys
from fondation.asides import Asides
from fondation.budgets import budgets_of, open_warnings
from fondation.config import Config, Loaded, load
from fondation.errors import ChatStoreError, ConfigError, EntryPointError
from fondation.http import HttpClient
from fondation.server.budgets import keep_budgets
from fondation.server.chat import chat_handler
from fondation.server.chats import add_chat_routes
from fondation.server.dashboard import add_dashboard_routes
from fondation.server.doors import Doors
from fondation.server.floor import Floor
from fondation.server.health import health
from fondation.server.keys import PASSED_ON, SERVICES, Services
from fondation.server.ledger import keep_ledger, not_opened_text
from fondation.server.middlewares import add_cors, errors_as_json
from fondation.server.neighbours import listening, not_here
from fondation.server.page import add_page_routes
from fondation.server.reading import add_run_routes
from fondation.server.runs import ActiveRuns
from fondation.stores import CannotOpen, ChatStore, open_chats
from fondation.usage import pricing
from fondation.usage.hooks import open_hooks
from fondation.usage.location import ledger_file, why_not_recorded

log = logging.getLogger("fondation.server")

HTTP = web.AppKey("http", HttpClient)


def create_app(source: str | Path | Loaded = "agents.yaml", *, simulate: Simulate = "none") -> web.Application:
    """An aiohttp application that serves the agents of a file; put it into a program of your own, or run it as it is.

    `simulate` is "none", "missing" (models whose key is not set are simulated) or "all". Raises `ConfigError`, whose
    text holds every problem at its line, or the keys that are missing; so does the application's start where the ledger
    or the chats cannot be opened. As a sub-application its routes come after the prefix.
    """
    loaded = source if isinstance(source, Loaded) else load(Path(source))
    if loaded.config is None:
        raise ConfigError(loaded.report())
    if simulate == "none" and (missing := missing_keys(loaded)):
        raise ConfigError(_missing_keys_text(missing))
    config = loaded.config
    http = HttpClient()
    runs = ActiveRuns()
    ledger, not_recorded = ledger_file(loaded), why_not_recorded(loaded)
    with _entry_points():
        hooks = open_hooks(config.usage.on_usage, config.usage.on_error)
        warnings = open_warnings(budgets_of(config))
        cast = build_cast(loaded, http, simulate)
    app = web.Application(middlewares=[errors_as_json])
    app[HTTP] = http
    app[SERVICES] = services = Services(
        config=config,
        hooks=hooks,
        warnings=warnings,
        cast=cast,
        doors=Doors(config.server),
        runs=runs,
        floor=Floor(runs),
        asides=Asides(),
        ledger=ledger,
        why_not_recorded=not_recorded,
        chats_database=None if not_recorded and not _keeps_chats(config) else ledger,
        config_hash=hashlib.sha256(loaded.file.read_bytes()).hexdigest()[:12],
    )
    app.on_response_prepare.append(add_cors)
    app.cleanup_ctx.extend([_http, keep_ledger, keep_budgets, _neighbours, _chats, _prices, _runs])
    app.router.add_get("/healthz", health)
    if config.server.page:
        add_page_routes(app.router)
    if config.server.dashboard:
        add_dashboard_routes(app)
    _add_routes(app, services)
    return app


@contextlib.contextmanager
def _entry_points() -> Iterator[None]:
    """Raises `ConfigError` also for an entry point that was not looked at when the file was checked."""
    try:
        yield
    except EntryPointError as error:
        raise ConfigError(f"{error.text}\n  = help: {error.help}" if error.help else error.text) from error


def _keeps_chats(config: Config) -> bool:
    return any(route.chats == "server" for route in config.routes.values())


def _add_routes(app: web.Application, services: Services) -> None:
    for path, route in services.cast.routes.items():
        app.router.add_post(path, chat_handler(route))
        add_run_routes(app.router, route)
    if _keeps_chats(services.config):
        add_chat_routes(app.router)


def _missing_keys_text(missing: dict[str, str]) -> str:
    lines = [f"the model {model} needs an API key: set {variable}" for model, variable in missing.items()]
    return "\n".join(
        [
            *lines,
            "  = help: put it into .env.local beside the file, or answer without a key: --simulate=missing",
        ]
    )


async def _neighbours(app: web.Application) -> AsyncIterator[None]:
    """The processes that share the database reach this one's runs over a socket of their own."""
    services = app[SERVICES]
    if services.chats_database is None:
        yield
        return
    inner = web.Application(middlewares=[errors_as_json])
    inner[SERVICES], inner[PASSED_ON] = services, True
    _add_routes(inner, services)
    inner.router.add_route("*", "/{path:.*}", not_here)
    async with listening(inner) as services.address:
        yield


async def _chats(app: web.Application) -> AsyncIterator[None]:
    """The chats are open while the application runs; answers that a dead process left are marked first of all.

    Raises `ConfigError`.
    """
    services = app[SERVICES]
    if services.chats_database is None:
        yield
        return
    try:
        chats = await asyncio.to_thread(open_chats, services.chats_database, services.address)
    except CannotOpen as error:
        instead = "keep no chats with chats: client on every route"
        raise ConfigError(not_opened_text("the chats' database", services.chats_database, error, instead)) from error
    services.chats = chats
    marking = asyncio.create_task(_mark_cut(chats))
    yield
    await asyncio.wait({marking})
    await asyncio.to_thread(chats.close)


async def _mark_cut(chats: ChatStore) -> None:
    try:
        if cut := await chats.mark_cut():
            log.warning("%d answers were being written when their process died", cut)
    except ChatStoreError as error:
        log.error("%s", error)  # noqa: TRY400


async def _prices(app: web.Application) -> AsyncIterator[None]:
    """The kept price table is loaded beside the first answers, where a model may need it."""
    if any(model.estimates for model in app[SERVICES].cast.models_in_use):
        loading = asyncio.create_task(asyncio.to_thread(pricing.prepare))
        yield
        if (failure := (await asyncio.gather(loading, return_exceptions=True))[0]) is not None:
            log.warning("the kept price table cannot be read: %s", failure)
    else:
        yield


async def _http(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[HTTP].close()


async def _runs(app: web.Application) -> AsyncIterator[None]:
    """Runs are looked after; those that are left at the end are ended, with what is asked beside them, before what they
    need is closed.
    """
    task = asyncio.create_task(app[SERVICES].runs.watch())
    yield
    await app[SERVICES].runs.end_all()
    await app[SERVICES].asides.end_all()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
