"""What a Markdown file holds for who tries what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str, program: str) -> list[list[str]]:
    """The commands of the shell blocks that run a program, wherever it lies, as lists of arguments."""
    lines = [line for block in blocks(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
    found = [shlex.split(line) for line in lines]
    return [words for words in found if words and Path(words[0]).name == program]


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level; what stands before them is under ""."""
    before, *parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {"": before, **dict(zip(parts[::2], parts[1::2], strict=True))}
