"""A process that keeps calls open until it is killed: `crashing.py FILE BEHAVIOUR`.

`steady` opens four calls, settles the first, says "ready" and waits. `busy` begins and settles calls for ever, and says
the number of each whose row is durable. `stalled` settles a call and opens another while its disk stands still, before
it writes them, and `stalled-late` just after.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from fondation.calls import ModelCall, RunInfo
from fondation.stores import UsageStore, open_store
from fondation.stores.sqlite import ledger as ledger_module
from fondation.stores.sqlite.spool import spools_beside
from fondation.stores.sqlite.transactions import transaction

DATABASE = Path(sys.argv[1])
RUN = RunInfo("run_crashed", "s1")


def new_call(step: int) -> ModelCall:
    return ModelCall("Billing", "openrouter", "acme/one", ("Billing",), step=step)


async def steady(store: UsageStore) -> None:
    calls = [new_call(step) for step in (1, 2, 3)]
    for call in calls:
        await store.begin(call, RUN)
    calls[0].status, calls[0].cost_source = "done", "billed"
    store.settle(calls[0])
    calls[1].generation_id = "gen-2"
    store.note(calls[1])
    await store.begin(new_call(4), RUN)  # one writer: what was queued before it is durable too
    say("ready")
    await asyncio.sleep(60)


async def busy(store: UsageStore) -> None:
    for step in count(1):
        call = new_call(step)
        await store.begin(call, RUN)
        say(str(step))
        call.status = "done"
        store.settle(call)


async def stalled(store: UsageStore, *, late: bool = False) -> None:
    @contextlib.contextmanager
    def stand_still(connection: sqlite3.Connection) -> Generator[None, None, None]:
        if not late:
            time.sleep(60)
        with transaction(connection):
            yield
        time.sleep(60)

    calls = [new_call(1), new_call(2)]
    await store.begin(calls[0], RUN)
    ledger_module.transaction = stand_still  # type: ignore[assignment, attr-defined]
    store.begin(calls[1], RUN)
    calls[0].status, calls[0].cost_source = "done", "billed"
    store.settle(calls[0])
    async with asyncio.timeout(5):
        while not any(spool.stat().st_size for spool in spools_beside(DATABASE)):
            await asyncio.sleep(0.02)
            store.hurry()
    say("ready")
    await asyncio.sleep(60)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig()
    behaviours: dict[str, Callable[[UsageStore], Coroutine[Any, Any, None]]] = {
        "steady": steady,
        "busy": busy,
        "stalled": stalled,
        "stalled-late": partial(stalled, late=True),
    }
    asyncio.run(behaviours[sys.argv[2]](open_store(DATABASE)))
