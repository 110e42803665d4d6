"""Pages in React as a test harness: the published hooks, React and a document, in one node process.

`Scenario` is what a user does on a page, `Outcome` what was seen of it; `play.mjs` is the other side of both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tests.clients.harness import Exchange, Json, NodeProcess, find_node, install

FOLDER = Path(__file__).parent
OLDEST_NODE = 20
Major: TypeAlias = Literal[4, 5, 6, 7]


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
    reload: bool = False
    """The whole page, whatever it is doing."""
    post: str | None = None
    """To this address, beside the page: a sign that it has come so far."""


def write(text: str) -> Action:
    return Action(write=text)


def press(label: str) -> Action:
    return Action(press=label)


def wait(text: str) -> Action:
    return Action(wait=text)


def gone(text: str) -> Action:
    return Action(gone=text)


def reload() -> Action:
    return Action(reload=True)


def send(text: str) -> list[Action]:
    return [write(text), press("Send")]


class Scenario(Json):
    page: str
    """Its file's path in `pages`, without the ending."""
    major: Major
    """Of the AI SDK whose hooks the page gets."""
    props: dict[str, Any]
    """What the page is given."""
    actions: list[Action]
    limit: float = 10.0
    """Seconds for all of them."""


class Outcome(Json):
    views: list[str]
    """The texts of the page, a line each, at every moment that they were others."""
    html: str
    """The page at the end."""
    complaints: list[str]
    """What came to the console as an error or a warning, of the page, of React or of the client."""
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

    def behind(self, label: str) -> list[str]:
        """The lines that the page showed behind this one, each that was not the same as before."""
        lines = [view.split("\n") for view in self.views]
        shown = [view[view.index(label) + 1] for view in lines if label in view]
        return [line for before, line in zip([None, *shown], shown, strict=False) if line != before]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What the page posted."""
        return [exchange.body for exchange in self.exchanges if exchange.body is not None]

    @property
    def problems(self) -> list[str]:
        """What the page's own client refuses of the answers."""
        received = (chunk for exchange in self.exchanges for chunk in exchange.chunks)
        return [f"{each.chunk}: {each.problem}" for each in received if each.problem is not None]


class Browser:
    """Plays scenarios, each in a fresh tab."""

    def __init__(self, node: str) -> None:
        self._process = NodeProcess(FOLDER, lambda: [node, "drive.mjs"])

    def play(self, scenario: Scenario) -> Outcome:
        answer = self._process.ask(scenario.model_dump_json(by_alias=True), scenario.limit)
        return Outcome.model_validate_json(answer)

    def close(self) -> None:
        self._process.close()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """The pages, installed. Raises ClientsUnavailable."""
    install(FOLDER)
    with contextlib.closing(Browser(find_node(OLDEST_NODE))) as running:
        yield running
