"""What the event loop hands to the writer: rows as they are now, and who waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fondation.stores.rows import Row
from fondation.stores.sqlite.ledger import Entry


class Change(NamedTuple):
    """Rows as they are now; None to remove one."""

    rows: Mapping[Entry, Row | None]
    durable: Sequence[asyncio.Future[None]] = ()
    """Done when the rows are in the database or the spool, or when both refuse them."""


def keep_promises(promises: Iterable[asyncio.Future[None]]) -> None:
    """Tell those who wait, each on its own loop; called in any thread."""
    for loop, futures in itertools.groupby(promises, asyncio.Future.get_loop):
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_resolve, list(futures))


def _resolve(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
