"""Every broken file of tests/problems and what `validate` prints about it, as a reader found it good."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from fondation.config import load
from fondation.config.codes import ERRORS, WARNINGS
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
NOT_IN_A_FILE = {"too-large"}
"""Codes whose files are too large to keep; tests/config/test_hostile_files.py makes them."""


def report(name: str) -> str:
    """What `validate` prints in the folder of the files."""
    with visiting(FOLDER):
        os.environ.clear()
        os.environ.update(ENVIRONMENT)
        return load(Path(name)).report()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_problems_are_reported_as_written_down(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    assert report(file.name) + "\n" == file.with_suffix(".txt").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_report_holds_the_value_of_a_variable(file: Path) -> None:
    text = file.with_suffix(".txt").read_text()
    assert not [value for value in ENVIRONMENT.values() if value.startswith(("secret", "sk-")) and value in text]


def test_every_code_has_a_file_and_every_file_a_code() -> None:
    text = "\n".join(file.with_suffix(".txt").read_text() for file in FILES)
    told = set(re.findall(r"^\S+?(?::\d+:\d+)?: .*\[([a-z0-9-]+)\]$", text, re.MULTILINE))
    assert told == (ERRORS.keys() | WARNINGS.keys()) - NOT_IN_A_FILE


def test_every_expected_output_belongs_to_a_file() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == {file.stem for file in FILES}
