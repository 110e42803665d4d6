"""Money that was set aside for a call which ended before it was sent."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fondation.budgets import BudgetAccount, Budgets
from fondation.budgets.budgets import Answer
from fondation.budgets.warnings import Warnings
from fondation.calls import CallStatus, ModelCall, Reservation, RunInfo
from fondation.events import Batches, CallEnded, CallStarted
from fondation.gate import Go, Proposal


class Till:
    """Budgets that have room for all, and remember what becomes of it."""

    def __init__(self) -> None:
        self.released: list[str] = []
        self.settled: list[str] = []

    async def ask(self, proposal: Proposal, lease: float) -> Answer:
        reservation = Reservation("token", ("counter",))
        return Answer(Go(reservation), reservation)

    def release(self, reservation: Reservation) -> None:
        self.released.append(reservation.token)

    def settle(self, call: ModelCall, counted: object) -> tuple[()]:
        assert call.reservation is not None
        self.settled.append(call.reservation.token)
        return ()


async def _batches(call: ModelCall, status: CallStatus, charged: bool | None) -> Batches:
    yield [CallStarted(call)]
    call.status, call.charged = status, charged
    yield [CallEnded(call)]


@pytest.mark.parametrize(
    ("status", "charged", "released"), [("aborted", False, True), ("aborted", None, False), ("refused", False, False)]
)
async def test_it_is_freed_where_no_row_will_free_it(status: CallStatus, charged: bool | None, released: bool) -> None:
    till = Till()
    account = BudgetAccount(cast("Budgets", till), cast("Warnings", None), RunInfo("run_1", "s1"), 10.0)
    verdict = await account.gate(cast("Any", None))
    assert isinstance(verdict, Go)
    call = ModelCall("A", "openai", "acme/one", ("A",), reservation=verdict.reservation)
    async for _ in account.watch(_batches(call, status, charged)):
        pass
    account.close()
    assert (till.released, till.settled) == ((["token"], []) if released else ([], ["token"]))
