"""The project's own functions that are told, once in a period, that a budget runs short."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TypedDict

from fondation.budgets.budget import Budget, Per
from fondation.budgets.statements import Statement
from fondation.calls import RunInfo
from fondation.entry_points import Function, load_hook
from fondation.usage.hooks import HookQueue, call_hook

log = logging.getLogger("fondation.budgets")


class BudgetEvent(TypedDict):
    """What `on_warn` is given, once in a bucket and period."""

    budget: str
    bucket: str
    """Whose money it is, like a user's id; empty where everyone spends together."""
    per: Per | None
    spent: float
    """US dollars."""
    limit: float
    """US dollars."""
    reset: str | None
    """When it begins anew, in UTC; None where it never does."""
    runId: str | None
    """Of the run that found it so; None where that was refused before it began."""
    userId: str | None
    sessionId: str


def open_warnings(budgets: Sequence[Budget]) -> Warnings:
    """The functions of these budgets. Raises `EntryPointError`."""
    return Warnings({each.name: load_hook(each.on_warn, "event") for each in budgets if each.on_warn is not None})


class Warnings(HookQueue[BudgetEvent]):
    """Hands events to each budget's `on_warn(event)`."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        super().__init__("on_warn of budgets")
        self._functions = functions

    def tell(self, statement: Statement, run: RunInfo, *, has_begun: bool = True) -> None:
        log.warning("run %s: %s", run.run_id, statement.warning())
        if statement.budget.name in self._functions:
            self.put(_event(statement, run, run.run_id if has_begun else None))

    async def _hand_over(self, event: BudgetEvent) -> None:
        error = await call_hook(self._functions[event["budget"]], event)
        if error is not None:
            log.error("on_warn of the budget %s failed in run %s", event["budget"], event["runId"], exc_info=error)


def _event(statement: Statement, run: RunInfo, run_id: str | None) -> BudgetEvent:
    data = statement.data
    return {
        "budget": statement.budget.name,
        "bucket": statement.counter.bucket,
        "per": statement.budget.per,
        "spent": data["spent"],
        "limit": data["limit"],
        "reset": data["reset"],
        "runId": run_id,
        "userId": run.user_id,
        "sessionId": run.session_id,
    }
