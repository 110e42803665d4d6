"""Every test starts without keys and leaves the process as it found it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fondation.config.project import visiting

HIDDEN = ("OPENROUTER_API_KEY", "OPENAI_API_KEY", "DATABASE_URL", "FONDATION_ENV")


@pytest.fixture(autouse=True)
def clean_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No keys, no database of the developer's; what a test loads from its project is forgotten after it."""
    for name in HIDDEN:
        monkeypatch.delenv(name, raising=False)
    with visiting(tmp_path):
        yield
    for module in [name for name in sys.modules if name.split(".")[0] == "tools"]:
        del sys.modules[module]  # another test's project may have tools of its own
