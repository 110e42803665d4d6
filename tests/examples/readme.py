"""What the README of the examples tells its readers to type."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
README = EXAMPLES / "README.md"
PROJECTS = sorted(file.parent.name for file in EXAMPLES.glob("*/agents.yaml"))
ADDRESS = "http://127.0.0.1:8000"
"""Of the server in its commands."""


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level; what stands before them is under ""."""
    before, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {"": before, **dict(zip(parts[::2], parts[1::2], strict=True))}


def commands(text: str, start: str) -> list[list[str]]:
    """The commands of the shell blocks that begin with a word, as lists of arguments."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [words for line in lines if (words := shlex.split(line)) and words[0] == start]
