"""A client before the running server, with a scripted model behind it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from .harness import After, Client, Exchange, Outcome, Scenario, Turn
from .serving import Served
from .upstream import Answer, Upstream

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    client: Client
    server: Served
    upstream: Upstream

    def ask(self, *answers: Answer, route: str = "/api/chat", send: str = "Hello", **options: Any) -> Outcome:
        """One question, which the model meets with `answers`."""
        return self.play(*answers, route=route, turns=[Turn(send=send)], **options)

    def stop(self, *answers: Answer, after: After, route: str = "/api/chat") -> Outcome:
        """One question whose answer the user stops."""
        return self.play(*answers, route=route, turns=[Turn(send="Hello", stop_after=after)])

    def play(self, *answers: Answer, turns: list[Turn], route: str = "/api/chat", **options: Any) -> Outcome:
        """Any turns. Clients post on by themselves as far as they can, since that is where a wrong stream loops."""
        self.upstream.play(*answers)
        return self._drive(turns, route, options)

    def reopen(
        self,
        chat: str,
        *answers: Answer,
        turns: list[Turn],
        route: str = "/api/chat",
        messages: list[Message] | None = None,
        **options: Any,
    ) -> Outcome:
        """A new page of the chat, with the messages that the server keeps unless it has others; the upstream's `calls`
        go on.
        """
        self.upstream.add(*answers)
        options["messages"] = self.kept(chat, **options.get("headers", {})) if messages is None else messages
        return self._drive(turns, route, {**options, "id": chat})

    def kept(self, chat: str, **headers: str) -> list[Message]:
        """The chat's messages, as a page loads them."""
        status, answer = self.request("GET", f"/api/chats/{chat}", **headers)
        assert status == 200, answer
        messages: list[Message] = answer["messages"]
        return messages

    def until_ended(self, chat: str, route: str = "/api/chat") -> None:
        """Until the chat's run has ended, of itself or because its reader left."""
        with urllib.request.urlopen(f"{self.server.url}{route}/{chat}/stream", timeout=10) as response:
            response.read()

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """A plain request; its status and the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            self.server.url + path, data, {"content-type": "application/json", **headers}, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def rows(self, chat: str, count: int) -> list[dict[str, Any]]:
        """The ledger's rows of the chat, once there are `count` that have ended; fails where there are not."""
        end = time.monotonic() + 5
        while True:
            rows = self._rows(chat)
            if len(rows) == count and all(row["status"] not in ("running", "pending") for row in rows):
                return rows
            assert time.monotonic() < end, f"{count} calls, and these rows: {rows}"
            time.sleep(0.01)

    def _rows(self, chat: str) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.server.folder / "fondation.db")) as database:
            database.row_factory = sqlite3.Row
            rows = database.execute("select * from usage_tracking where chat_id = ? order by id", [chat])
            return [dict(row) for row in rows]

    def _drive(self, turns: list[Turn], route: str, options: dict[str, Any]) -> Outcome:
        options = {"send_automatically": True, "release": f"{self.upstream.url}/release", **options}
        return self.client.drive(self.server.url + route, Scenario(turns=turns, **options))


def assert_answered(outcome: Outcome, posts: int = 1) -> None:
    """The client is content: nothing refused, nothing asked again, every stream whole and well framed."""
    assert (outcome.status, outcome.error) == ("ready", None), _wire(outcome)
    assert_accepted(outcome, posts)


def assert_accepted(outcome: Outcome, posts: int = 1) -> None:
    """Whatever the outcome, the streams were correct, and the client did not post by itself."""
    assert outcome.problems == []
    assert (outcome.posts, outcome.looped, outcome.timed_out) == (posts, False, False), _wire(outcome)
    for exchange in outcome.exchanges:
        assert_well_framed(exchange)


def assert_well_framed(exchange: Exchange) -> None:
    """`data: JSON`, a blank line, and so on; comments between; `[DONE]` at the end."""
    assert exchange.broken is None, exchange.raw
    *frames, rest = exchange.raw.split("\n\n")
    assert rest == ""
    assert frames[-1] == "data: [DONE]"
    for frame in frames:
        assert frame.startswith((": ", "data: "))
        assert "\n" not in frame
        assert "\r" not in frame


def assert_lasts(stage: Stage, outcome: Outcome, route: str = "/api/chat", **headers: str) -> None:
    """What the server keeps is what the page shows, every model call has its row, and a new page can go on."""
    assert_kept(stage, outcome, **headers)
    stage.rows(outcome.chat_id, len(stage.upstream.calls))
    turns = [Turn(send="Are you there?")]
    again = stage.reopen(outcome.chat_id, says_it_is_there(), turns=turns, route=route, body="turn", headers=headers)
    assert_answered(again)
    assert again.last.text == "I am."
    assert stage.upstream.calls[-1].texts[-1].endswith("Are you there?")
    assert_kept(stage, again, **headers)
    stage.rows(outcome.chat_id, len(stage.upstream.calls))


def says_it_is_there() -> Answer:
    return Answer([{"content": "I am."}])


def assert_kept(stage: Stage, outcome: Outcome, **headers: str) -> None:
    """The chat as the server keeps it is the one that the page shows."""
    kept = stage.kept(outcome.chat_id, **headers)
    assert [as_shown(message) for message in kept] == [as_shown(message.model_dump()) for message in outcome.messages]
    for one, shown in zip(kept, outcome.messages, strict=True):
        metadata = one.get("metadata", {})
        if "status" not in metadata:
            assert (shown.metadata or {}) == metadata
        else:  # the page was not told its end
            assert (shown.metadata or {}).items() <= metadata.items()


def as_shown(message: Message) -> Message:
    """Its id, role and parts, without the id of reasoning, which only newer releases keep, and without whether the page
    still waits for more of a text.
    """
    return {"id": message["id"], "role": message["role"], "parts": [_as_shown(part) for part in message["parts"]]}


def _as_shown(part: Message) -> Message:
    if part["type"] == "text" and part.get("state") == "streaming":
        return {**part, "state": "done"}
    return {name: value for name, value in part.items() if (part["type"], name) != ("reasoning", "id")}


def _wire(outcome: Outcome) -> str:
    """Every answer as it was on the wire, for who reads of a failure."""
    answers = [
        f"answer {number}, HTTP {exchange.status}:\n{exchange.raw}"
        for number, exchange in enumerate(outcome.exchanges, 1)
    ]
    return "\n".join([f"{outcome.status}: {outcome.error}", *answers])
