"""POST to a route: a run, streamed or as one JSON answer, recorded and logged."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from fondation.agents import Route
from fondation.config.words import counted
from fondation.events import Batch, Batches, RunAborted, RunFailed, RunFinished, RunSummary
from fondation.protocols import ui_message_stream
from fondation.protocols.json_answer import JsonAnswer
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.server.answers import json_response
from fondation.server.keys import SERVICES
from fondation.server.requests import read_run_request
from fondation.server.runs import Active
from fondation.server.streams import EventStream
from fondation.usage import record

log = logging.getLogger("fondation.runs")


def chat_handler(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of one route."""

    async def chat(request: web.Request) -> web.StreamResponse:
        services = request.app[SERVICES]
        run_request = await read_run_request(request, route, services.doors)
        services.runs.check_room(services.config.limits.max_concurrent_runs)
        run = Run(run_request, services.gate)
        diary = _Diary(run, run_request)
        with diary, services.runs.admit(run, request) as active:
            batches = record(run.events(), services.store, run_request.info)
            async with contextlib.aclosing(batches):
                if run_request.info.method == "generate":
                    return await _answer(batches, run_request, diary)
                return await _stream(batches, run_request, active, diary)

    return chat


async def _stream(batches: Batches, run: RunRequest, active: Active, diary: _Diary) -> web.StreamResponse:
    stream = EventStream({**ui_message_stream.HEADERS, **_headers(run)}, ui_message_stream.KEEPALIVE)
    response = await stream.open(active.request)
    active.stream = stream
    try:
        async for batch in batches:
            data = ui_message_stream.encode(batch)
            if diary.read(batch):
                await stream.close(data)
            elif data:
                await stream.write(data)
    except ConnectionError:
        raise  # the client is gone: nobody reads an end
    except Exception:
        log.exception("%s: the stream broke", run.info.run_id)
        diary.broke()
        await stream.close(ui_message_stream.broken(run.info.run_id))
    return response


async def _answer(batches: Batches, run: RunRequest, diary: _Diary) -> web.Response:
    answer = JsonAnswer(run.info.chat_id or "")
    async for batch in batches:
        diary.read(batch)
        answer.feed(batch)
    return json_response(answer.body, status=answer.status, headers={**_headers(run), **answer.headers})


def _headers(run: RunRequest) -> dict[str, str]:
    return {"x-session-id": run.info.session_id, "x-run-id": run.info.run_id}


class _Diary:
    """One log line per run, whichever way it ended."""

    def __init__(self, run: Run, request: RunRequest) -> None:
        self._run = run
        self._request = request
        self._started = time.perf_counter()
        self._outcome = "ended: the client left"
        self._summary: RunSummary | None = None

    def read(self, batch: Batch) -> bool:
        """Take note of the outcome; True once it has come: nothing follows it."""
        match batch[-1]:
            case RunFinished(summary):
                self._outcome, self._summary = "finished", summary
            case RunFailed(summary, error_type=error_type):
                self._outcome, self._summary = f"failed ({error_type})", summary
            case RunAborted(summary):
                self._outcome, self._summary = "aborted", summary
            case _:
                return False
        return True

    def broke(self) -> None:
        """Take note that the run was fine and its telling was not."""
        self._outcome = "failed (internal)"

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        info = self._request.info
        log.info(
            "%s %s: %s, %s%s, %.1f s (%s, session %s%s)",
            self._request.route.path,
            " > ".join(self._run.chain),
            self._outcome,
            counted(len(self._run.calls), "call"),
            _spent(self._summary),
            time.perf_counter() - self._started,
            info.run_id,
            info.session_id,
            f", user {info.user_id}" if info.user_id else "",
        )


def _spent(summary: RunSummary | None) -> str:
    if summary is None:
        return ""
    total = summary.usage.total
    if total is None:
        return "" if summary.cost_source == "none" else ", tokens and cost unknown"
    tokens = f", {total} tokens"
    if summary.cost_source in ("unknown", "pending"):
        return f"{tokens}, cost unknown"
    if summary.cost_source == "simulated":
        return f"{tokens}, simulated"
    return f"{tokens}, ${summary.usage.cost or 0:.6f}"
