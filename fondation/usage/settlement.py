"""What calls cost that ended without saying so: asked for beside the answers, until their provider tells it.

Aborted, cut and crashed calls are billed like others, some in full. A question that brings nothing is asked again ever
more rarely, by whichever process is there, and for a day; then the cost is unknown.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, cast

from fondation.calls import CostNote, CostSource, ModelCall
from fondation.errors import AuthenticationFailed, CreditsExhausted, ProviderError, ProviderTimeout
from fondation.providers.base import Receipt, Receipts
from fondation.stores.base import Outcome, Unsettled, UnsettledCall, UsageStore
from fondation.stores.rows import Row
from fondation.usage.money import cost_text
from fondation.usage.pricing import price, price_as_told

if TYPE_CHECKING:
    from fondation.agents import Model

log = logging.getLogger("fondation.usage")

FIRST_PAUSE = 0.5
"""Seconds between a call's end and the first question; each further pause is twice as long."""
MOST_DOUBLINGS = 20
LONGEST_PAUSE = 3600.0
PATIENCE_SECONDS = 24 * 3600.0
"""How long a call is asked for."""
LOOK_SECONDS = 30.0
"""How often it is looked for calls that another process left behind."""
HOPELESS: frozenset[CostNote] = frozenset(("no_generation_id", "no_receipts"))
"""There is nothing to ask for, or nobody to ask."""
AT_ONCE = 4
"""Questions under way."""
MOST_CALLS = 40
"""Calls of one round."""
TELL_AFTER = 8
"""Questions without an answer, about a minute of them, that are worth a line in the log."""


class Settler:
    """Sees to the calls of a store whose cost is pending; `models` are all those of the file."""

    def __init__(self, store: UsageStore, models: Collection[Model], on_settled: Callable[[Row], None]) -> None:
        """`on_settled` is given each row that this settler has settled."""
        self._store = store
        self._models = models
        self._on_settled = on_settled
        self._woken = asyncio.Event()
        self._look_in = LOOK_SECONDS
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """A call has ended whose cost is pending."""
        self._woken.set()

    async def run(self) -> None:
        """Settle for ever; what is left when this is cancelled waits in the store."""
        while True:
            try:
                calls, next_in = await self._claim()
                if calls:
                    await self._settle(calls)
                    continue
            except Exception:  # a bug of ours: calls would stay pending without a word
                log.exception("calls cannot be settled now")
                next_in = None
            await self._rest(next_in)

    async def _claim(self) -> Unsettled:
        """What is due, which nobody else asks for meanwhile: at the end, what has just been claimed is let go."""
        claiming = asyncio.ensure_future(self._store.unsettled(MOST_CALLS))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            await asyncio.wait({asyncio.ensure_future(self._let_go(claiming))})
            raise

    async def _let_go(self, claiming: asyncio.Future[Unsettled]) -> None:
        await self._keep([_at_once(call) for call in (await claiming).calls])

    async def _rest(self, next_in: float | None) -> None:
        """Wait until calls are due, or one ends, whose row may come to the store some time after."""
        seconds = self._look_in if next_in is None else min(next_in, self._look_in)
        self._look_in = min(self._look_in * 2, LOOK_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        if self._woken.is_set():
            self._woken.clear()
            self._look_in = FIRST_PAUSE
            await asyncio.sleep(FIRST_PAUSE)

    async def _settle(self, calls: Sequence[UnsettledCall]) -> None:
        outcomes = [_at_once(call) for call in calls]  # at the end
        silent: set[Receipts] = set()
        try:
            outcomes = await asyncio.gather(*(self._conclude(call, silent) for call in calls))
        finally:
            keeping = asyncio.ensure_future(self._keep(outcomes))
            try:
                await asyncio.shield(keeping)
            except asyncio.CancelledError:
                await asyncio.wait({keeping})  # what is settled is told, also at the end
                raise

    async def _keep(self, outcomes: Sequence[Outcome]) -> None:
        for row in await self._store.conclude(outcomes):
            self._tell(row)

    def _tell(self, row: Row) -> None:
        cost = cost_text(cast("float", row["cost"]), cast("CostSource", row["cost_source"]))
        log.info("[Usage] %s: settled later, %s", row["agent_name"], cost)
        try:
            self._on_settled(row)
        except Exception:
            log.exception("a settled call cannot be told")

    async def _conclude(self, unsettled: UnsettledCall, silent: set[Receipts]) -> Outcome:
        """Ask for one call, and write into it what is known for good; `silent` are those that let a question of this
        round wait in vain, and are not asked another.
        """
        call = unsettled.call
        models = self._models_for(call)
        price_as_told(call)
        if call.cost_source != "unknown":
            return Outcome(unsettled)
        note = await self._ask(call, models, silent)
        if note is None:
            return Outcome(unsettled)
        patience = unsettled.since + PATIENCE_SECONDS - time.time()
        if note in HOPELESS or patience <= 0:
            _give_up(call, models, note)
            return Outcome(unsettled)
        if unsettled.tries == TELL_AFTER:
            log.warning("What the call %s cost is still not known (%s); it is asked on", call.generation_id, note)
        pause = FIRST_PAUSE * 2 ** min(unsettled.tries, MOST_DOUBLINGS)
        return Outcome(unsettled, min(pause, LONGEST_PAUSE, patience))

    def _models_for(self, call: ModelCall) -> list[Model]:
        """The models whose provider made the call: those it was asked of, else all, as the file may have changed."""
        there = [model for model in self._models if model.provider.name == call.provider]
        return [model for model in there if model.id == call.requested_model] or there

    async def _ask(self, call: ModelCall, models: Sequence[Model], silent: set[Receipts]) -> CostNote | None:
        """Ask each account that may have paid; why nobody told, or None where the call is billed now."""
        accounts = dict.fromkeys(model.provider.receipts for model in models if model.provider.receipts is not None)
        if models and not accounts:
            return "no_receipts"
        if call.generation_id is None:
            return "no_generation_id"
        if not accounts:
            return "no_model"
        note: CostNote = "not_found"
        for receipts in accounts:
            try:
                receipt = await self._find(receipts, call.generation_id, silent)
            except ProviderError as error:
                log.debug("the receipt of %s: %s", call.generation_id, error)
                note = "refused" if isinstance(error, AuthenticationFailed | CreditsExhausted) else "unavailable"
                continue
            except Exception:  # whatever it is, the other calls are seen to
                log.exception("the receipt of %s cannot be read", call.generation_id)
                note = "unavailable"
                continue
            if receipt is not None and _bill(call, receipt):
                return None
        return note

    async def _find(self, receipts: Receipts, generation_id: str, silent: set[Receipts]) -> Receipt | None:
        async with self._at_once:
            if receipts in silent:
                raise ProviderTimeout("it is silent")
            try:
                return await receipts.find(generation_id)
            except ProviderTimeout:
                silent.add(receipts)
                raise


def _at_once(unsettled: UnsettledCall) -> Outcome:
    """Whoever comes next may ask for it."""
    return Outcome(unsettled, retry_in=0.0)


def _bill(call: ModelCall, receipt: Receipt) -> bool:
    call.usage = receipt.usage
    call.model = call.model or receipt.model
    call.finish_reason = call.finish_reason or receipt.finish_reason
    price_as_told(call)
    return call.cost_source == "billed"


def _give_up(call: ModelCall, models: Sequence[Model], note: CostNote) -> None:
    """Price what tokens are known; else the cost stays unknown."""
    if models:
        price(call, models[0].price, estimate=models[0].estimates)
    if call.cost_source == "unknown":
        call.cost_note = note
        log.warning("What a call of %s cost stays unknown: %s (%s)", call.agent, note, call.generation_id)
