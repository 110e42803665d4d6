"""What the log looks like: readable lines, or one JSON object a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from fondation.providers.redaction import hide_secrets

LogFormat: TypeAlias = Literal["text", "json"]


def set_up_logging(level: str, format: LogFormat) -> None:
    """Send fondation's log to standard error, from `level` on; other libraries' from WARNING on."""
    handler = TurnHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
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
            line = self.format(record)
            if record.exc_info:
                line = hide_secrets(line)  # an exception of anybody's code may quote a key
            self._lines.append(line)
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


class TextFormatter(logging.Formatter):
    """`2026-11-22 19:26:24,123 INFO message`. The library's own works the date out anew for every line."""

    _second = 0
    _date = ""

    def format(self, record: logging.LogRecord) -> str:
        second = int(record.created)
        if second != self._second:
            self._second, self._date = second, time.strftime(self.default_time_format, self.converter(second))
        line = f"{self._date},{int(record.msecs):03d} {record.levelname} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


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
