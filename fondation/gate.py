"""The one question that a run asks before each model call: may it be sent? And the account that it is paid from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from fondation.agents import Agent, Model
from fondation.calls import Purpose, Reservation, RunInfo
from fondation.errors import FondationError
from fondation.events import Batches
from fondation.messages import Json
from fondation.providers.base import ModelRequest
from fondation.run_request import RunRequest


class Proposal(NamedTuple):
    """A call that is about to be sent."""

    run: RunInfo
    agent: Agent
    model: Model
    request: ModelRequest
    purpose: Purpose = "answer"


@dataclass(frozen=True, slots=True)
class Go:
    """Send it."""

    reservation: Reservation | None = None


@dataclass(frozen=True, slots=True)
class UseModel:
    """Send it to this model instead."""

    model: Model
    reservation: Reservation | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing: the run ends with this sentence."""

    sentence: str
    http_status: int
    error_type: str
    retry_after: int | None = None
    """Seconds after which it may be allowed again."""
    details: Mapping[str, Json] = field(default_factory=dict)
    """What a JSON answer says besides the sentence."""


Verdict: TypeAlias = Go | UseModel | Stop
Gate: TypeAlias = Callable[[Proposal], Awaitable[Verdict]]


class CallStopped(FondationError):
    """The gate said stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.sentence)
        self.stop = stop


class Account(Protocol):
    """What one run may spend: its gate, and more that budgets need to know of it."""

    @property
    def gate(self) -> Gate:
        """Is asked before each call."""
        ...

    async def admit(self, request: RunRequest) -> Stop | None:
        """Set money aside for the first call of a run before the run begins; why it must not, where there is none."""
        ...

    def watch(self, batches: Batches) -> Batches:
        """The run's recorded batches, with what the page is to be told of its budgets."""
        ...

    def beside(self) -> Account:
        """An account for what is asked beside the run."""
        ...

    def close(self) -> None:
        """The run is over: what was set aside for nothing is free. May be called twice."""


OpenAccount: TypeAlias = Callable[[RunInfo, float], Account]
"""Of a run, which takes so many seconds at most."""


class Unlimited:
    """An account without budgets."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    async def admit(self, request: RunRequest) -> Stop | None:
        return None

    def watch(self, batches: Batches) -> Batches:
        return batches

    def beside(self) -> Account:
        return self

    def close(self) -> None:
        pass


def unlimited(run: RunInfo, seconds: float) -> Account:
    """Opens an account where nothing limits a run."""
    return _UNLIMITED


async def always_go(proposal: Proposal) -> Verdict:
    """The gate where nothing limits a run."""
    return _GO


_GO = Go()
_UNLIMITED = Unlimited(always_go)
