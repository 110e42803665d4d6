"""A server that is killed while it answers: what its chats hold then, and that pages go on with them."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .harness import CLIENTS, Client, Turn
from .serving import Served, served
from .stage import Stage, assert_answered
from .upstream import Upstream, says

pytestmark = pytest.mark.clients

WORDS = [f"word {number}, " for number in range(1000)]
PAUSE = 0.03
"""Seconds between two words."""
LOSS = 1.5
"""Seconds of text that may be lost: one, and half a one more where the machine is busy."""


class Reading(threading.Thread):
    """Asks for an answer and reads it until it breaks off."""

    def __init__(self, server: str, chat: str) -> None:
        super().__init__(daemon=True)
        self.chat = chat
        self._server = server
        self._seen: list[tuple[float, str]] = []
        self.has_begun = threading.Event()

    def run(self) -> None:
        body = json.dumps({"id": self.chat, "message": "Count."}).encode()
        request = urllib.request.Request(f"{self._server}/api/chat", body, {"content-type": "application/json"})
        with contextlib.suppress(OSError, http.client.HTTPException), urllib.request.urlopen(request) as answer:
            for line in answer:
                if line.startswith(b'data: {"type":"text-delta"'):
                    self._seen.append((time.monotonic(), json.loads(line[6:])["delta"]))
                    self.has_begun.set()

    def text(self, until: float) -> str:
        """What it had read by then, on the monotonic clock."""
        return "".join(delta for moment, delta in self._seen if moment <= until)


@dataclass(frozen=True, slots=True)
class Crash:
    server: Served
    """That was started after it."""
    killed_at: float
    """On the monotonic clock."""
    readings: dict[str, Reading]
    """One of a chat for each client, by the client's name."""
    statuses: list[str]
    """Of the answers under way, when another process had been started beside theirs."""


@pytest.fixture(scope="module")
def crash(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crash]:
    folder = tmp_path_factory.mktemp("crash")
    with served(folder, upstream.url) as dying, served(folder, upstream.url):
        upstream.play(*[says(*WORDS, pause=PAUSE)] * len(CLIENTS))
        readings = {name: Reading(dying.url, f"chat-{name}") for name in CLIENTS}
        for reading in readings.values():
            time.sleep(random.uniform(0.05, 0.3))  # each is at another moment between two saves
            reading.start()
        assert reading.has_begun.wait(10)
        time.sleep(random.uniform(LOSS, LOSS + 1))
        statuses = column(folder, "SELECT status FROM fondation_chat_messages WHERE role = 'assistant'")
        killed_at = time.monotonic()
        dying.process.kill()
        dying.process.wait()
        for reading in readings.values():
            reading.join()
    with served(folder, upstream.url) as running:
        yield Crash(running, killed_at, readings, statuses)


def column(folder: Path, query: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "fondation.db")) as database:
        return [value for (value,) in database.execute(query)]


def load(server: Served, chat: str) -> list[dict[str, Any]]:
    """The messages of a chat, as a page is given them."""
    request = urllib.request.Request(f"{server.url}/api/chats/{chat}", headers={"x-session-id": chat})
    with urllib.request.urlopen(request) as answer:
        messages: list[dict[str, Any]] = json.load(answer)["messages"]
        return messages


def test_a_process_that_starts_beside_it_cuts_nothing(crash: Crash) -> None:
    assert crash.statuses == ["streaming"] * len(CLIENTS)


def test_a_killed_process_loses_a_second_of_text_and_says_that_it_was_cut(crash: Crash) -> None:
    whole = "".join(WORDS)
    for reading in crash.readings.values():
        _, answer = load(crash.server, reading.chat)
        kept = answer["parts"][-1]
        assert answer["metadata"]["status"] == "cut"
        assert whole.startswith(kept["text"])
        read = reading.text(until=crash.killed_at - LOSS)
        assert read
        assert kept["text"].startswith(read)
        assert kept["state"] == "done"


def test_its_calls_have_their_rows(crash: Crash) -> None:
    lost = column(crash.server.folder, "SELECT chat_id FROM usage_tracking WHERE status = 'lost' ORDER BY chat_id")
    assert lost == sorted(reading.chat for reading in crash.readings.values())


def test_a_page_takes_the_cut_chat_and_goes_on(crash: Crash, client: Client, upstream: Upstream) -> None:
    chat = crash.readings[client.name].chat
    messages = load(crash.server, chat)
    stage = Stage(client, crash.server, upstream)
    headers = {"x-session-id": chat}
    outcome = stage.play(says("On."), turns=[Turn(send="Go on.")], id=chat, messages=messages, headers=headers)
    assert_answered(outcome)
    assert [message.id for message in outcome.messages[:2]] == [message["id"] for message in messages]
    assert outcome.last.text == "On."
    [call] = upstream.calls
    assert call.roles == ["system", "user", "assistant", "user"]
    assert call.body["messages"][2]["content"] == messages[1]["parts"][-1]["text"]
    assert [message["id"] for message in load(crash.server, chat)] == [message.id for message in outcome.messages]
