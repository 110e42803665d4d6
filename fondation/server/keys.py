"""What hangs on the application: every key, typed, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from fondation.agents import Cast
from fondation.asides import Asides
from fondation.budgets import Budgets, Warnings
from fondation.config import Config
from fondation.gate import OpenAccount, unlimited
from fondation.server.doors import Doors
from fondation.server.floor import Floor
from fondation.server.runs import ActiveRuns
from fondation.stores import ChatStore, UsageStore
from fondation.usage.hooks import Hooks


@dataclass(slots=True)
class Services:
    """All that a handler needs."""

    config: Config
    hooks: Hooks | None
    """The project's own functions that are told what calls cost; None where there are none."""
    warnings: Warnings
    """Those that are told that a budget runs short."""
    cast: Cast
    doors: Doors
    runs: ActiveRuns
    floor: Floor
    asides: Asides
    ledger: Path
    """The ledger's file, or where it would be."""
    why_not_recorded: str | None
    """Why usage is not recorded, and what to do about it; None where it is."""
    config_hash: str
    """Of the file, as it was when the application was made: rows say which configuration made a call."""
    chats_database: Path | None
    """The file of the chats, and of the runs that several processes share; None where nothing is recorded."""
    store: UsageStore | None = None
    """The ledger, open while the application runs."""
    budgets: Budgets | None = None
    """None where there are none, and while the ledger is not open."""
    open_account: OpenAccount = unlimited
    """What runs are paid from."""
    address: str | None = None
    """The Unix socket on which the processes that share the database reach this one."""
    chats: ChatStore | None = None
    """Open while the application runs."""

    @property
    def folder(self) -> Path:
        """Where the database is: streams that outgrow memory are kept beside it."""
        return self.ledger.parent

    @property
    def database(self) -> Path | None:
        """The ledger's file; None where usage is not recorded."""
        return None if self.why_not_recorded else self.ledger


SERVICES = web.AppKey("services", Services)
PASSED_ON = web.AppKey("passed_on", bool)
"""Set on the application that only neighbours reach: their requests are not passed on again."""
