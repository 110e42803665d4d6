"""A page before the running server, with a scripted model behind it."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.clients.upstream import Answer, Upstream

from .harness import Action, Browser, Major, Outcome, Scenario


@dataclass(frozen=True, slots=True)
class Stage:
    browser: Browser
    server: str
    upstream: Upstream
    major: Major

    @property
    def release(self) -> Action:
        """Let the model go on where its answer says HOLD."""
        return Action(post=f"{self.upstream.url}/release")

    def was_cut(self, call: int) -> bool:
        """Whether the server left that call of the model before its answer was whole."""
        self.upstream.calls[call].seconds_after(0)  # its end is waited for
        return self.upstream.calls[call].cut

    def chats_of(self, session: str) -> list[dict[str, Any]]:
        """What the server lists of them."""
        request = urllib.request.Request(f"{self.server}/api/chats", headers={"x-session-id": session})
        with urllib.request.urlopen(request) as response:
            chats: list[dict[str, Any]] = json.load(response)["chats"]
            return chats

    def play(self, page: str, route: str, *actions: Action, answers: list[Answer], **props: Any) -> Outcome:
        """Do all of `actions` on a page, while the model answers with `answers` in turn.

        Whatever happens, the streams were correct and came to their end, and nobody complained on the console.
        """
        self.upstream.play(*answers)
        props = {"api": self.server + route, **props}
        outcome = self.browser.play(Scenario(page=page, major=self.major, props=props, actions=[*actions]))
        assert outcome.stuck is None, _told(outcome)
        assert outcome.problems == []
        assert all(exchange.done for exchange in outcome.exchanges if exchange.chunks and exchange.broken is None)
        assert [complaint for complaint in outcome.complaints if not complaint.startswith("Chat error:")] == []
        return outcome


def _told(outcome: Outcome) -> str:
    """The last that was seen, for who reads of a failure."""
    answers = [f"HTTP {exchange.status}:\n{exchange.raw}" for exchange in outcome.exchanges]
    return "\n\n".join([*answers, *outcome.views[-3:], *outcome.complaints, f"stuck at {outcome.stuck}"])
