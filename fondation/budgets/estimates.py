"""What a call will probably cost: as its agent's last calls to the model did, or else what its length tells."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import median_low
from typing import NamedTuple, TypeAlias

from fondation.agents import Model
from fondation.calls import ModelCall, Purpose, TokenUsage
from fondation.gate import Proposal
from fondation.messages import AssistantMessage, FilePart, Json, Message, SystemMessage, ToolResult, UserMessage
from fondation.providers.base import ModelRequest
from fondation.stores.budgets import BudgetStore, BudgetStoreError
from fondation.usage.money import to_pico
from fondation.usage.pricing import expected_cost

MOST_CALLS = 20
"""The newest calls, of which the mean and the median are taken."""
CHARACTERS_PER_TOKEN = 4
LONGEST_WAIT = 0.5
"""Seconds that a call waits for what the ledger knows of earlier ones."""
MOST_OUTPUT = 1_000
"""Tokens that an unknown answer is taken for, where its settings allow no fewer."""
FILE_CHARACTERS = 4_000
"""What a file is taken for."""

_Kind: TypeAlias = tuple[str, str, Purpose]
"""Agent, model id, purpose: a title costs less than an answer."""


class Estimate(NamedTuple):
    """In millionths of a millionth of a dollar."""

    amount: int | None
    """To set aside; None where nobody knows a price."""
    least: int
    """What must be left for a call that is alone: what the usual one costs, whatever a rare one did. A first guess,
    which may be far too high, asks for hardly any."""

    @property
    def held(self) -> int:
        """What stays set aside where the call ends and nobody can tell its cost: the amount without its margin."""
        return 0 if self.amount is None else self.amount * 2 // 3


class Estimates:
    """Learns from every call that is settled."""

    def __init__(self) -> None:
        self._costs: dict[_Kind, deque[int]] = {}
        self._are_filled: set[_Kind] = set()

    def learn(self, agent: str, model_id: str, purpose: Purpose, cost: int) -> None:
        """A call has cost so much."""
        self._costs.setdefault((agent, model_id, purpose), deque(maxlen=MOST_CALLS)).append(cost)

    async def of(self, proposal: Proposal, model: Model, store: BudgetStore) -> Estimate:
        """For a call that is proposed, sent to this model."""
        costs = await self._newest((proposal.agent.name, model.id, proposal.purpose), store)
        if costs:
            mean = sum(costs) // len(costs)
            return Estimate(mean + mean // 2, min(mean, median_low(costs)))
        return Estimate(await _guess(proposal, model), 1)

    async def _newest(self, kind: _Kind, store: BudgetStore) -> deque[int]:
        """The ledger is asked once; a database that fails, again."""
        costs = self._costs.setdefault(kind, deque(maxlen=MOST_CALLS))
        if kind not in self._are_filled:
            with contextlib.suppress(BudgetStoreError, TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    known = await store.costs(*kind, MOST_CALLS)
                self._are_filled.add(kind)
                if not costs:
                    costs.extend(known)
        return costs


async def _guess(proposal: Proposal, model: Model) -> int | None:
    prompt = characters_of(proposal.request) // CHARACTERS_PER_TOKEN
    output = _output(proposal.agent.settings.get(model.name, {}))
    call = ModelCall(proposal.agent.name, model.provider.name, model.id, ())
    call.usage = TokenUsage(prompt_tokens=prompt, completion_tokens=output)
    # in a thread: the kept price table may have to be read first
    cost = await asyncio.to_thread(expected_cost, call, model.price, estimate=model.estimates)
    return None if cost is None else to_pico(Decimal(cost))


def _output(settings: Mapping[str, Json]) -> int:
    """The tokens of an answer."""
    limits = (settings.get(name) for name in ("max_tokens", "max_completion_tokens"))
    return min([MOST_OUTPUT, *(limit for limit in limits if isinstance(limit, int))])


def characters_of(request: ModelRequest) -> int:
    """What a model reads, tools included."""
    tools = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in request.tools)
    return tools + sum(_lengths(request.messages))


def _lengths(messages: Iterable[Message]) -> Iterable[int]:
    for message in messages:
        match message:
            case SystemMessage(text):
                yield len(text)
            case UserMessage(parts):
                yield sum(FILE_CHARACTERS if isinstance(part, FilePart) else len(part.text) for part in parts)
            case AssistantMessage(text, calls):
                yield len(text) + sum(len(call.name) + len(call.arguments) for call in calls)
            case ToolResult(_, name, content):
                yield len(name) + len(content)
