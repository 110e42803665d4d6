"""What people are told of a budget: a data part, a sentence, and when it begins anew."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from fondation.budgets.budget import Budget, utc_text
from fondation.events import DataSent
from fondation.gate import Stop
from fondation.messages import Json
from fondation.stores.budgets import Counter
from fondation.usage.money import from_pico, shortest_dollars

PART = "budget"
"""The name of the data part."""
ERROR_TYPE = "budget_exceeded"
CROWDED_SECONDS = 2
"""When to ask again where others are about to free what they have set aside."""


@dataclass(frozen=True, slots=True)
class Statement:
    """How much is spent of a budget, in one bucket and period."""

    budget: Budget
    counter: Counter
    spent: int
    set_aside: int = 0
    """What calls under way hold, where only that leaves no room."""
    held: int = 0
    """What is kept for calls that ended without telling their cost."""

    @property
    def data(self) -> dict[str, Json]:
        """`{budget, spent, limit, reset}`: dollars as numbers, the moment in UTC, or None where there is none."""
        ends = self.counter.scope.ends
        return {
            "budget": self.budget.name,
            "spent": float(from_pico(self.spent)),
            "limit": float(from_pico(self.budget.limit)),
            "reset": None if ends is None else utc_text(ends),
        }

    def part(self) -> DataSent:
        return DataSent(PART, self.data)

    def stop(self) -> Stop:
        """What ends a run that the budget has no room for."""
        return Stop(self.sentence(), 402, ERROR_TYPE, self._retry_after(), {"budget": self.data})

    def sentence(self) -> str:
        """Why there is no room."""
        if self.set_aside:
            spent, limit, held = map(_dollars, (self.spent, self.budget.limit, self.set_aside))
            state = f"has no room for another call now: {spent} of {limit} is spent, and {held} is set aside"
            return f'The budget "{self.budget.name}" {state} for calls under way.'
        is_used_up = self.spent + self.held >= self.budget.limit
        return self._sentence("is used up" if is_used_up else "has no room for another call")

    def warning(self) -> str:
        return self._sentence("runs short")

    def _sentence(self, state: str) -> str:
        spent = f"{_dollars(self.spent)} of {_dollars(self.budget.limit)} is spent"
        if self.held:
            spent += f", and {_dollars(self.held)} is kept for calls that ended without telling their cost"
        text = f'The budget "{self.budget.name}" {state}: {spent}.'
        ends = self.counter.scope.ends
        return text if ends is None else f"{text} It begins anew at {utc_text(ends)}."

    def _retry_after(self) -> int | None:
        if self.set_aside:
            return CROWDED_SECONDS
        ends = self.counter.scope.ends
        return None if ends is None else max(1, math.ceil(ends - time.time()))


def _dollars(amount: int) -> str:
    return shortest_dollars(from_pico(amount))
