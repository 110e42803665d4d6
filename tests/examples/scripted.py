"""An example whose models are a script."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.clients.serving import IGNORED

from .readme import EXAMPLES


def scripted_copy(example: str, folder: Path, price: str = "{}") -> Path:
    """A copy of the example in which `${UPSTREAM_URL}` stands in for OpenRouter, at this price of the YAML."""
    shutil.copytree(EXAMPLES / example, folder, ignore=IGNORED, dirs_exist_ok=True)
    file = folder / "agents.yaml"
    lines = "provider: openai\n    base_url: ${UPSTREAM_URL}/v1\n    retries: 0\n" + f"    price: {price}\n"
    text, models = re.subn(r"provider: openrouter\n", lines, file.read_text())
    assert models > 0
    file.write_text(text)
    return folder
