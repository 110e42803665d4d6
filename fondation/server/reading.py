"""Reading a run over HTTP: its bytes so far, then live."""

from __future__ import annotations

import contextlib

from aiohttp import web

from fondation.server.live import LiveRun
from fondation.server.runs import ActiveRuns
from fondation.server.streams import EventStream


async def stream_run(request: web.Request, live: LiveRun, runs: ActiveRuns) -> web.StreamResponse:
    """Answer with the run's stream, from its start to its end."""
    with live.reader() as reader, runs.visit(live, request) as visit:
        stream = EventStream(live.telling.headers, live.telling.keepalive)
        response = await stream.open(request)
        visit.stream = stream
        async with contextlib.aclosing(reader.frames()) as frames:
            async for data in frames:
                if reader.is_through:
                    await stream.close(data)
                    return response
                await stream.write(data)
        await stream.close()
        return response
