"""The ledger while an application runs: the store, what is settled later, and the project's hooks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from fondation.calls import ModelCall
from fondation.errors import ConfigError
from fondation.server.keys import SERVICES, Services
from fondation.stores import CannotOpen, open_store
from fondation.stores.rows import Row, progress_of
from fondation.usage.hooks import HookQueue
from fondation.usage.settlement import Settler


async def keep_ledger(app: web.Application) -> AsyncIterator[None]:
    """The store is open while the application runs; its last rows are written before it ends. Raises `ConfigError`."""
    services = app[SERVICES]
    if services.database is None:
        yield
        return
    listener = _Listener(services)
    try:
        store = await asyncio.to_thread(open_store, services.database, services.config_hash, listener.on_ended)
    except CannotOpen as error:
        instead = "record nothing with usage.enabled: false"
        raise ConfigError(not_opened_text("the ledger", services.database, error, instead)) from error
    services.store = store
    listener.settler = Settler(store, services.cast.models.values(), listener.on_settled)
    async with telling(services.hooks):
        async with beside(listener.settler.run()):
            yield
        await asyncio.to_thread(store.close)


class _Listener:
    """Hears of each call twice where its cost is asked for later: hooks and budgets are told once it is settled."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.settler: Settler | None = None

    @property
    def _listens(self) -> bool:
        return self._services.hooks is not None or self._services.budgets is not None

    def on_ended(self, call: ModelCall, origin: Row) -> None:
        if call.cost_source != "pending":
            if self._listens:
                self.on_settled({**origin, **progress_of(call)})
        elif self.settler is not None:
            self.settler.wake()

    def on_settled(self, row: Row) -> None:
        if self._services.hooks is not None:
            self._services.hooks.tell(row)
        if self._services.budgets is not None:
            self._services.budgets.learn(row)


@contextlib.asynccontextmanager
async def telling(hooks: HookQueue[Any] | None) -> AsyncGenerator[None, None]:
    """Hooks are called while the block lasts; at its end they still get what waits."""
    if hooks is None:
        yield
        return
    async with beside(hooks.run()):
        yield
        await hooks.drain()


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None, None]:
    """Do endless work while the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def not_opened_text(what: str, database: Path, error: CannotOpen, instead: str) -> str:
    return (
        f"{what} {database} cannot be opened: {error}\n"
        f"  = help: {error.help}; or name another one in storage.url, or {instead}"
    )
