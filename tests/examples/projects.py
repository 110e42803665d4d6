"""The projects of `examples/`, and copies of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.clients.serving import IGNORED

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PROJECTS = sorted(file.parent.name for file in EXAMPLES.glob("*/agents.yaml"))


def scripted_copy(project: str, folder: Path, price: str = "{}") -> Path:
    """A copy of the project in which `${UPSTREAM_URL}` stands in for OpenRouter, at a price as the YAML writes it."""
    shutil.copytree(EXAMPLES / project, folder, ignore=IGNORED, dirs_exist_ok=True)
    file = folder / "agents.yaml"
    lines = "provider: openai\n    base_url: ${UPSTREAM_URL}/v1\n    retries: 0\n" + f"    price: {price}\n"
    text, models = re.subn(r"provider: openrouter\n", lines, file.read_text())
    assert models > 0
    file.write_text(text)
    return folder
