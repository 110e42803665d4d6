"""Every broken file of tests/problems and what `validate` prints about it, as a reader found it good."""

from __future__ import annotations

from pathlib import Path

import pytest

from fondation.config import load
from fondation.config.project import visiting

FOLDER = Path(__file__).parents[1] / "problems"
FILES = sorted(FOLDER.glob("*.yaml"))
ENVIRONMENT = {
    "OPENROUTER_API_KEY": "sk-or-v1-simulated",
    "OPENAI_API_KEY": "sk-simulated",
    "A_WORD": "secret-word",
    "A_KEY": "sk-ant-simulated",
    "FONDATION_HOST": "127.0.0.1",
}


def report(name: str) -> str:
    """What `validate` prints, in the folder of the files."""
    import os

    with visiting(FOLDER):
        os.environ.update(ENVIRONMENT)
        return load(Path(name)).report()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_problems_are_reported_as_written_down(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    assert report(file.name) + "\n" == file.with_suffix(".txt").read_text()
