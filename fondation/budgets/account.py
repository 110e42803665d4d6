"""The account of one run: its gate at the budgets, and what its page is told of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from fondation.budgets.budgets import Answer, Budgets
from fondation.budgets.statements import ERROR_TYPE, PART, Statement
from fondation.budgets.warnings import Warnings
from fondation.calls import ModelCall, RunInfo
from fondation.errors import InstructionsError
from fondation.events import (
    Batch,
    Batches,
    CallEnded,
    CallStarted,
    DataSent,
    RunAborted,
    RunFailed,
    RunFinished,
    RunWaiting,
)
from fondation.gate import Account, Proposal, Stop, Verdict
from fondation.messages import Message
from fondation.providers.base import ModelRequest
from fondation.run_request import RunRequest

_OUTCOMES = frozenset((RunFinished, RunWaiting, RunFailed, RunAborted))


class BudgetAccount:
    """An `Account` that is limited by budgets."""

    def __init__(
        self,
        budgets: Budgets,
        warnings: Warnings,
        run: RunInfo,
        lease: float,
        notices: list[DataSent] | None = None,
    ) -> None:
        """`notices` are those of the run that it is beside: told there."""
        self._budgets = budgets
        self._warnings = warnings
        self._run = run
        self._lease = lease
        self._is_beside = notices is not None
        self._notices: list[DataSent] = [] if notices is None else notices
        self._booked: tuple[Proposal, Answer] | None = None
        self._open: dict[str, tuple[Answer, ModelCall | None]] = {}
        """Token -> what is set aside, and the call that it is for once that has begun."""

    async def admit(self, request: RunRequest) -> Stop | None:
        proposal = Proposal(self._run, request.start.agent, request.start.agent.model, _first_request(request))
        answer = await self._ask(proposal)
        self._tell(answer.crossed, has_begun=not isinstance(answer.verdict, Stop))
        if isinstance(answer.verdict, Stop):
            return answer.verdict
        self._booked = proposal, answer
        return None

    async def gate(self, proposal: Proposal) -> Verdict:
        booked, self._booked = self._booked, None
        if booked is not None:
            if (booked[0].agent.name, booked[0].model) == (proposal.agent.name, proposal.model):
                return booked[1].verdict
            self._release(booked[1])
        answer = await self._ask(proposal)
        self._tell(answer.crossed)
        return answer.verdict

    async def watch(self, batches: Batches) -> Batches:
        async with contextlib.aclosing(batches):
            async for batch in batches:
                for event in batch:
                    if type(event) is CallStarted:
                        self._note_begin(event.call)
                    elif type(event) is CallEnded:
                        await self._settle(event.call)
                yield batch if self._is_beside else self._with_notices(batch)

    def beside(self) -> Account:
        """What its calls cross is told in the run's own stream, while there is one."""
        return BudgetAccount(self._budgets, self._warnings, self._run, self._lease, self._notices)

    def close(self) -> None:
        for answer, call in [*self._open.values()]:
            if call is None or call.ended is None:
                self._release(answer)
        self._open.clear()

    async def _ask(self, proposal: Proposal) -> Answer:
        answer = await self._budgets.ask(proposal, self._lease)
        if answer.reservation is not None:
            self._open[answer.reservation.token] = answer, None
        return answer

    def _release(self, answer: Answer) -> None:
        if answer.reservation is not None and self._open.pop(answer.reservation.token, None) is not None:
            self._budgets.release(answer.reservation)

    def _note_begin(self, call: ModelCall) -> None:
        if call.reservation is not None and (opened := self._open.get(call.reservation.token)) is not None:
            self._open[call.reservation.token] = opened[0], call

    async def _settle(self, call: ModelCall) -> None:
        """The row frees what was set aside, where there is one."""
        if call.reservation is None or (opened := self._open.get(call.reservation.token)) is None:
            return
        if call.is_unsent:
            self._release(opened[0])
            return
        del self._open[call.reservation.token]
        if crossing := self._budgets.settle(call, opened[0].counted):
            await self._budgets.warn(crossing, self._tell)

    def _tell(self, crossed: Sequence[Statement], *, has_begun: bool = True) -> None:
        for statement in crossed:
            self._notices.append(statement.part())
            self._warnings.tell(statement, self._run, has_begun=has_begun)

    def _with_notices(self, batch: Batch) -> Batch:
        """The batch and what there is to be told, in front of an outcome: that is the last of all."""
        outcome = batch[-1]
        if type(outcome) not in _OUTCOMES:
            told, self._notices[:] = [*batch, *self._notices], ()
            return told
        if isinstance(outcome, RunFailed) and outcome.error_type == ERROR_TYPE and outcome.details is not None:
            self._notices.append(DataSent(PART, outcome.details["budget"]))
        told, self._notices[:] = [*self._notices, *batch], ()
        return told


def _first_request(request: RunRequest) -> ModelRequest:
    """About what the first call will be, for its length."""
    agent = request.start.agent
    messages: tuple[Message, ...] = request.messages
    with contextlib.suppress(InstructionsError):
        messages = (agent.system_message(request.info, request.context, request.memory), *messages)
    return ModelRequest(messages, agent.specs_with_handoff)
