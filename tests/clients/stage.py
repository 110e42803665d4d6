"""A client before the running server, with a scripted model behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .harness import Client, Exchange, Outcome, Scenario, StopAfter, Turn
from .upstream import Answer, Upstream


@dataclass(frozen=True, slots=True)
class Stage:
    client: Client
    server: str
    upstream: Upstream

    def ask(self, *answers: Answer, route: str = "/api/chat", send: str = "Hello", **options: Any) -> Outcome:
        """One question, which the model meets with `answers`."""
        return self.play(*answers, route=route, turns=[Turn(send=send)], **options)

    def stop(self, *answers: Answer, after: StopAfter, route: str = "/api/chat") -> Outcome:
        """One question whose answer the user stops."""
        return self.play(*answers, route=route, turns=[Turn(send="Hello", stop_after=after)])

    def play(self, *answers: Answer, turns: list[Turn], route: str = "/api/chat", **options: Any) -> Outcome:
        """Any turns. Clients post on by themselves as far as they can, since that is where a wrong stream loops."""
        self.upstream.play(*answers)
        options.setdefault("send_automatically", True)
        return self.client.drive(self.server + route, Scenario(turns=turns, **options))


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


def _wire(outcome: Outcome) -> str:
    """Every answer as it was on the wire, for who reads of a failure."""
    answers = [
        f"answer {number}, HTTP {exchange.status}:\n{exchange.raw}"
        for number, exchange in enumerate(outcome.exchanges, 1)
    ]
    return "\n".join([f"{outcome.status}: {outcome.error}", *answers])
