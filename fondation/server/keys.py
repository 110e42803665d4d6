"""What hangs on the application: every key, typed, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from fondation.agents import Cast
from fondation.config import Config
from fondation.gate import Gate
from fondation.server.doors import Doors
from fondation.server.runs import ActiveRuns
from fondation.stores import UsageStore


@dataclass(slots=True)
class Services:
    """All that a handler needs."""

    config: Config
    cast: Cast
    doors: Doors
    gate: Gate
    runs: ActiveRuns
    database: Path | None
    """The ledger's file; None where usage is not recorded."""
    config_hash: str
    """Of the file, as it was when the application was made: rows say which configuration made a call."""
    store: UsageStore | None = None
    """Open while the application runs."""


SERVICES = web.AppKey("services", Services)
