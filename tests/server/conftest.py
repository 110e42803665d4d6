"""Servers for a test, each gone when it ends."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.served import Kitchen


@pytest.fixture
async def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kitchen]:
    async with contextlib.AsyncExitStack() as exits:
        yield Kitchen(tmp_path, monkeypatch, exits)
