"""The ledger while an application runs: the store, what is settled later, and the project's hooks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from fondation.calls import ModelCall
from fondation.errors import ConfigError
from fondation.server.keys import SERVICES
from fondation.stores import CannotOpen, open_store
from fondation.stores.rows import Row
from fondation.usage.settlement import Settler


async def keep_ledger(app: web.Application) -> AsyncIterator[None]:
    """The store is open while the application runs; its last rows are written before it ends. Raises `ConfigError`."""
    services = app[SERVICES]
    if services.database is None:
        yield
        return
    settler: Settler | None = None

    def on_ended(call: ModelCall, origin: Row) -> None:
        if call.cost_source == "pending" and settler is not None:
            settler.wake()

    try:
        services.store = await asyncio.to_thread(open_store, services.database, services.config_hash, on_ended)
    except CannotOpen as error:
        instead = "record nothing with usage.enabled: false"
        raise ConfigError(not_opened_text("the ledger", services.database, error, instead)) from error
    settler = Settler(services.store, services.cast.models.values(), lambda row: None)
    settling = asyncio.create_task(settler.run(), name="settlement")
    yield
    settling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await settling
    await asyncio.to_thread(services.store.close)


def not_opened_text(what: str, database: Path, error: CannotOpen, instead: str) -> str:
    return (
        f"{what} {database} cannot be opened: {error}\n"
        f"  = help: {error.help}; or name another one in storage.url, or {instead}"
    )
