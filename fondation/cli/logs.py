"""What the log looks like: readable lines, or one JSON object a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from datetime import UTC, datetime
from typing import Literal, TypeAlias

LogFormat: TypeAlias = Literal["text", "json"]


def set_up_logging(level: str, format: LogFormat) -> None:
    """Send fondation's log to standard error, from `level` on; other libraries' from WARNING on."""
    handler = TurnHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if format == "json" else text)
    # What no line shows is not looked up: it would be a third of a line's cost.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the library's documented switch for caller look-up
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("fondation").setLevel(level.upper())


class TurnHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Writes the lines of one turn of the event loop together; warnings, and lines of other threads, at once."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []
        self._awaited = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)
            return
        loop = _running_loop() if record.levelno < logging.WARNING else None
        if loop is None:
            self.flush()
        elif not self._awaited:
            self._awaited = True
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits. Lines that a full disk or a closed pipe does not take are lost: no answer fails."""
        self.acquire()
        try:
            self._awaited = False
            lines, self._lines = self._lines, []
            with contextlib.suppress(OSError, ValueError):
                self.stream.write("".join(f"{line}{self.terminator}" for line in lines))
                super().flush()
        finally:
            self.release()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", "exception"?}`, time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
