"""What holds whatever was done: sound requests to models, a row for each of them, answers that tell what is kept."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from typing import Any

from fondation.messages import AssistantMessage, SystemMessage, ToolResult, UserMessage
from tests.server.machine.model import Part, Running, Told, common, text_of
from tests.support.stepped import Refused, UpstreamCall


def compared(message: Told, told: Part) -> Told:
    """The message, as the chat tells it."""
    metadata = dict(told.get("metadata", {}))
    assert metadata.pop("status", "complete") == ("complete" if message.status == "waiting" else message.status)
    assert told["role"] == message.role
    parts = tuple(told["parts"])
    if message.status == "cut":
        words = text_of(parts)
        assert words == message.words[: len(words)]
        message = replace(message, words=words)
    else:
        assert text_of(parts) == message.words
    if message.retold is not None:
        assert common(parts) == common(message.retold)
    if message.parts is None:
        return replace(message, parts=parts, metadata=metadata, retold=None)
    assert parts == message.parts
    assert metadata == message.metadata
    return message


def check_answer(answer: Refused, chat_id: str, run: Running, message: Told) -> None:
    """A whole answer tells what its run left: its own text, its calls, and what waits."""
    told = answer.json
    assert (answer.status, told["runId"]) == (run.http_status, run.id)
    if answer.status != 200:
        assert set(told) == {"error", "runId"}
        return
    assert told["id"] == chat_id
    assert told["text"].split() == run.words
    assert ("pending" in told) == (message.status == "waiting")
    if message.parts is None or (run.page is not None and run.page.parts is None):
        return
    assert told["agent"] == message.metadata["agent"]
    assert [call["toolCallId"] for call in told.get("pending", [])] == [part["toolCallId"] for part in message.waiting]
    before = len(run.page.parts or ()) if run.page is not None else 0
    called = [_called(part) for part in message.parts[before:] if "toolCallId" in part]
    calls = [{name: value for name, value in call.items() if name != "input"} for call in told["toolCalls"]]
    assert calls[len(calls) - len(called) :] == called


def _called(part: Part) -> Part:
    """The part of a call, as a whole answer tells it."""
    named = {"toolCallId": part["toolCallId"], "toolName": part["type"].removeprefix("tool-")}
    return named | {name: part[name] for name in ("output", "errorText") if name in part}


def check_sound(call: UpstreamCall) -> None:
    """Instructions first, turns alternate, and each result stands behind its call."""
    system, *messages = call.request.messages
    assert isinstance(system, SystemMessage)
    assert isinstance(messages[0], UserMessage)
    waiting: list[str] = []
    for before, message in zip((system, *messages), messages, strict=False):
        if isinstance(message, ToolResult):
            assert waiting.pop(0) == message.call_id
            continue
        assert not waiting
        assert not (isinstance(message, UserMessage) and isinstance(before, UserMessage))
        waiting = [each.id for each in message.tool_calls] if isinstance(message, AssistantMessage) else []
    assert not waiting


@contextlib.contextmanager
def complaints() -> Any:
    """What the server and its loop log as errors."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    listener = Listener(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("fondation", "aiohttp", "asyncio")]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield told
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
