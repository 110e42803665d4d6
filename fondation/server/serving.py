"""Running the application on a port, until a signal: then it drains."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable

from aiohttp import web

from fondation.server.keys import SERVICES

BACKLOG = 1024
GENERATION_ZERO = 50_000
"""Objects between two runs of the garbage collector: with its default of 700 it takes 4 % of a busy server's time."""


async def serve(app: web.Application, host: str, port: int, *, drain: float, on_ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` gets the port once it is open.

    Then no new runs are taken, running ones get `drain` seconds and end as aborted; a second signal ends them at once.
    Raises OSError where the port cannot be opened.
    """
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await site.start()
        gc.freeze()
        gc.set_threshold(GENERATION_ZERO, 20, 20)
        signals = _Signals()
        on_ready(runner.addresses[0][1])
        await signals.wait()
        draining = asyncio.create_task(app[SERVICES].runs.drain(drain))
        again = asyncio.create_task(signals.wait())
        await asyncio.wait([draining, again], return_when=asyncio.FIRST_COMPLETED)
        if not draining.done():
            draining.cancel()
            await app[SERVICES].runs.drain(0)
        again.cancel()
    finally:
        await runner.cleanup()


class _Signals:
    """Each wait ends with the next SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self._came = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._came.set)

    async def wait(self) -> None:
        await self._came.wait()
        self._came.clear()
