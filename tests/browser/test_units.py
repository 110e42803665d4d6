"""The page's modules that need no browser: each file of `units` by node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.harness import ClientsUnavailable, find_node, required

FOLDER = Path(__file__).parent / "units"
OLDEST_NODE = 20


@pytest.fixture(scope="module")
def node() -> str:
    try:
        return find_node(OLDEST_NODE)
    except ClientsUnavailable as error:
        if required():
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.test.mjs")), ids=lambda file: file.name)
def test_the_pages_modules(file: Path, node: str) -> None:
    done = subprocess.run([node, "--test", file], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "# pass 0" not in done.stdout
