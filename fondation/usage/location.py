"""Where the model calls of a project are recorded, and whether they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fondation.config.database import database_file, is_production

if TYPE_CHECKING:
    from fondation.config import Loaded


def ledger_file(loaded: Loaded) -> Path:
    """The file that holds the ledger, or would."""
    assert loaded.config is not None
    return database_file(loaded.config.storage.url, loaded.folder, loaded.environment)


def why_not_recorded(loaded: Loaded) -> str | None:
    """Why the project records no call, and what to do about it; None where it records them."""
    assert loaded.config is not None
    match loaded.config.usage.enabled:
        case True:
            return None
        case "production":
            if is_production(loaded.environment):
                return None
            return (
                f"{loaded.file} records model calls only in production (usage.enabled): "
                "set FONDATION_ENV=production, or write true there"
            )
        case False:
            return f"{loaded.file} records no model calls: usage.enabled is false; write true there"
