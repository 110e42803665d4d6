"""One log line per run, whichever way it ended."""

from __future__ import annotations

import logging
import time

from fondation.config.words import counted
from fondation.events import Batch, RunAborted, RunFailed, RunFinished, RunSummary, RunWaiting, TextDelta
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.usage.money import ROW_PLACES, cost_text

log = logging.getLogger("fondation.runs")

_ABORTED = {
    "left": "ended: the client left",
    "stopped": "stopped by its reader",
    "superseded": "ended: the user went on",
}
"""Why a run was ended -> how the line says it."""


class Diary:
    """Reads a run's batches, and writes its line at the end."""

    def __init__(self, run: Run, request: RunRequest) -> None:
        self._run = run
        self._request = request
        self._started = time.perf_counter()
        self._outcome: str | None = None
        self._summary: RunSummary | None = None

    def read(self, batch: Batch) -> None:
        match batch[-1]:
            case TextDelta():  # most of them: it need not be compared with the others
                return
            case RunFinished(summary):
                self._outcome, self._summary = "finished", summary
            case RunWaiting(summary):
                self._outcome, self._summary = "waits for an answer", summary
            case RunFailed(summary, error_type=error_type):
                self._outcome, self._summary = f"failed ({error_type})", summary
            case RunAborted(summary, reason):
                self._outcome, self._summary = _ABORTED.get(reason, "aborted"), summary

    def write(self) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        if self._outcome is None:
            timed_out = self._run.deadline.reason == "timeout"
            self._outcome = "failed (run_timeout)" if timed_out else "failed (internal)"
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
    return f", {total} tokens, {cost_text(summary.usage.cost, summary.cost_source, ROW_PLACES)}"
