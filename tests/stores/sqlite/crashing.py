"""A process that keeps calls open until it is killed: `crashing.py FILE BEHAVIOUR`.

`steady` opens four calls, settles the first, says "ready" and waits. `busy` begins and settles calls for ever, and says
the number of each whose row is durable.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from itertools import count
from pathlib import Path

from fondation.calls import ModelCall, RunInfo
from fondation.stores import UsageStore, open_store

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


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig()
    asyncio.run({"steady": steady, "busy": busy}[sys.argv[2]](open_store(Path(sys.argv[1]))))
