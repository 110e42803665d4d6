"""Pages of AI SDK 4 as a test harness: the published `useChat`, React and a document, in one node process.

`Scenario` is what a user does on a page, `Outcome` what was seen of it; `play.mjs` is the other side of both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.clients.harness import Json, NodeProcess, find_node, install

FOLDER = Path(__file__).parent
OLDEST_NODE = 20


class Action(Json):
    """One thing that a user does, as soon as the page lets it be done."""

    write: str | None = None
    """Into the page's only field."""
    press: str | None = None
    """The button with this label."""
    wait: str | None = None
    """Until the page shows this text."""
    gone: str | None = None
    """Until it shows it no more."""


def write(text: str) -> Action:
    return Action(write=text)


def press(label: str) -> Action:
    return Action(press=label)


def wait(text: str) -> Action:
    return Action(wait=text)


def gone(text: str) -> Action:
    return Action(gone=text)


def send(text: str) -> list[Action]:
    return [write(text), press("Send")]


class Scenario(Json):
    page: str
    """Its file's name in `pages`."""
    actions: list[Action]
    limit: float = 10.0
    """Seconds for all of them."""


class Exchange(Json):
    """One request and its answer, as they were on the wire."""

    headers: dict[str, str]
    body: dict[str, Any]
    status: int | None
    """None when no answer came."""
    raw: str
    problems: list[str]
    """The lines that the client's own parser refuses."""


class Outcome(Json):
    views: list[str]
    """The texts of the page, a line each, at every moment that they were others."""
    html: str
    """The page at the end."""
    stuck: dict[str, Any] | None
    """The action that could not be done in time."""
    exchanges: list[Exchange]

    @property
    def lines(self) -> list[str]:
        """The texts of the page at the end."""
        return self.views[-1].split("\n")

    def showed(self, text: str) -> bool:
        """Whether the page showed this line at any moment."""
        return any(text in view.split("\n") for view in self.views)


class _Order(Scenario):
    url: str


class Browser:
    """Plays scenarios, each on a fresh page."""

    def __init__(self, node: str) -> None:
        self._process = NodeProcess(FOLDER, lambda: [node, "drive.mjs"])

    def play(self, page: str, url: str, *actions: Action, limit: float = 10.0) -> Outcome:
        order = _Order(page=page, url=url, actions=[*actions], limit=limit).model_dump_json()
        return Outcome.model_validate_json(self._process.ask(order, limit))

    def close(self) -> None:
        self._process.close()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """The pages, installed. Raises ClientsUnavailable."""
    install(FOLDER)
    with contextlib.closing(Browser(find_node(OLDEST_NODE))) as running:
        yield running
