"""Log lines: readable or JSON, in order, and never in the way of an answer."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from fondation.cli.logs import JsonFormatter, TurnHandler, set_up_logging


class Log:
    """A logger with a `TurnHandler` that writes into `written`."""

    def __init__(self) -> None:
        self.written = io.StringIO()
        self.handler = TurnHandler()
        self.handler.setStream(self.written)
        self.logger = logging.getLogger("tests.cli.logs")
        self.logger.propagate = False
        self.logger.setLevel(logging.DEBUG)
        self.logger.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    yield made
    made.logger.removeHandler(made.handler)


class _Counting(io.StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


async def test_the_lines_of_one_turn_of_the_loop_are_one_write(log: Log) -> None:
    log.handler.setStream(stream := _Counting())
    for number in range(3):
        log.logger.info("line %d", number)
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    assert stream.getvalue() == "line 0\nline 1\nline 2\n"
    assert stream.writes == 1


async def test_a_warning_is_written_at_once_and_behind_what_waits(log: Log) -> None:
    log.logger.info("first")
    log.logger.warning("second")
    assert log.lines == ["first", "second"]
    await asyncio.sleep(0)
    assert log.lines == ["first", "second"]


def test_without_a_loop_each_line_is_written_at_once(log: Log) -> None:
    log.logger.info("line")
    assert log.lines == ["line"]


async def test_a_thread_writes_at_once(log: Log) -> None:
    await asyncio.to_thread(log.logger.info, "from a thread")
    assert log.lines == ["from a thread"]


async def test_a_line_that_cannot_be_formed_loses_itself_only(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log.logger.info("%d", "no number")
    log.logger.info("fine")
    await asyncio.sleep(0)
    assert log.lines == ["fine"]


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError("no space left")


async def test_a_stream_that_takes_nothing_harms_nobody(log: Log) -> None:
    log.handler.setStream(_Broken())
    log.logger.warning("lost")
    log.logger.info("lost")
    await asyncio.sleep(0)
    log.handler.setStream(log.written)
    log.logger.warning("kept")
    assert log.lines == ["kept"]


def record(message: str, *args: Any, **more: Any) -> logging.LogRecord:
    return logging.LogRecord("fondation.runs", logging.INFO, "x.py", 1, message, args, more.get("exc_info"))


def test_a_json_line_is_one_object_with_its_time_in_utc() -> None:
    made = record("é %s", "a\nb")
    made.created = 1.5
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:01.500+00:00",
        "level": "info",
        "logger": "fondation.runs",
        "message": "é a\nb",
    }


def test_a_json_line_holds_its_exception() -> None:
    try:
        raise ValueError("of ours")
    except ValueError:
        line = json.loads(JsonFormatter().format(record("failed", exc_info=sys.exc_info())))
    assert line["exception"].endswith("ValueError: of ours")


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """Logging is the process's: leave it as it was."""
    root, own = logging.getLogger(), logging.getLogger("fondation")
    kept = {name: getattr(logging, name) for name in ("logThreads", "logProcesses", "logMultiprocessing", "_srcfile")}
    handlers, levels = root.handlers[:], (root.level, own.level)
    root.handlers[:] = []
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    for name, value in kept.items():
        setattr(logging, name, value)


@pytest.mark.usefixtures("untouched_logging")
def test_ours_is_logged_from_the_level_on_and_others_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "text")
    for name in ("fondation.runs", "somebody.else"):
        for level in ("debug", "info", "warning"):
            getattr(logging.getLogger(name), level)("%s of %s", level, name)
    lines = capsys.readouterr().err.splitlines()
    told = [line.split(" ", 2)[2] for line in lines]
    assert told == [
        "INFO info of fondation.runs",
        "WARNING warning of fondation.runs",
        "WARNING warning of somebody.else",
    ]
