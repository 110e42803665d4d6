"""The budgets while an application runs: their counters in the ledger's file, and who is warned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from fondation.agents import Route
from fondation.budgets import BudgetAccount, Budgets, budgets_of
from fondation.calls import RunInfo
from fondation.errors import RequestError
from fondation.gate import Account, Stop
from fondation.run_request import RunRequest
from fondation.server.keys import SERVICES, Services
from fondation.server.ledger import beside, telling
from fondation.stores import BudgetStore, open_budgets
from fondation.stores.budgets import BudgetStoreError

log = logging.getLogger("fondation.budgets")

LEASE_MARGIN = 10.0
"""Seconds that money stays set aside beyond the time limit of a run."""
TIDY_SECONDS = 900.0


async def keep_budgets(app: web.Application) -> AsyncIterator[None]:
    """Runs are limited by the file's budgets while the application runs; without any, nothing limits them."""
    services = app[SERVICES]
    found = budgets_of(services.config)
    if not found:
        yield
        return
    if services.database is None:
        log.warning("budgets limit nothing here: usage is not recorded, and they count what is")
        yield
        return
    store = open_budgets(services.database)
    budgets = services.budgets = Budgets(found, services.cast.models, store)

    def open_account(run: RunInfo, seconds: float) -> Account:
        return BudgetAccount(budgets, services.warnings, run, seconds + LEASE_MARGIN)

    services.open_account = open_account
    async with telling(services.warnings), beside(_tidy(store)):
        yield
    await asyncio.to_thread(store.close)


async def admitted(services: Services, route: Route, request: RunRequest) -> Account:
    """The account of a run that may begin.

    Raises `RequestError` (402) where a budget has no room for its first call.
    """
    account = services.open_account(request.info, route.limits.run_timeout)
    try:
        stop = await account.admit(request)
    except BaseException:
        account.close()
        raise
    if stop is not None:
        account.close()
        raise _refusal(stop)
    return account


def _refusal(stop: Stop) -> RequestError:
    headers = {} if stop.retry_after is None else {"Retry-After": str(stop.retry_after)}
    return RequestError(stop.http_status, stop.sentence, headers, stop.details)


async def _tidy(store: BudgetStore) -> None:
    """Now and then, for ever."""
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        try:
            await store.tidy()
        except BudgetStoreError as error:
            log.warning("%s", error)
