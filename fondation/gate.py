"""The one question that a run asks before each model call: may it be sent?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from fondation.agents import Agent, Model
from fondation.calls import RunInfo
from fondation.errors import FondationError


@dataclass(frozen=True, slots=True)
class Go:
    """Send it."""


@dataclass(frozen=True, slots=True)
class UseModel:
    """Send it to this model instead."""

    model: Model


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing: the run ends with this sentence."""

    sentence: str
    http_status: int
    error_type: str


Verdict: TypeAlias = Go | UseModel | Stop
Gate: TypeAlias = Callable[[RunInfo, Agent, Model], Awaitable[Verdict]]


class CallStopped(FondationError):
    """The gate said stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.sentence)
        self.stop = stop


async def always_go(run: RunInfo, agent: Agent, model: Model) -> Verdict:
    """The gate where nothing limits a run."""
    return Go()
