from __future__ import annotations

from pathlib import Path

import pytest

from fondation.config import load
from fondation.usage.location import ledger_file, why_not_recorded

PROJECT = """\
version: 1
models:
  main: {provider: simulated}
agents:
  Ann: {model: main, instructions: Help.}
routes:
  /api/chat: Ann
"""


@pytest.mark.parametrize(
    ("usage", "environment", "reason"),
    [
        ("", "", None),
        ("usage: {enabled: true}", "", None),
        ("usage: {enabled: false}", "production", "usage.enabled is false; write true there"),
        ("usage: {enabled: production}", "production", None),
        ("usage: {enabled: production}", "staging", "set FONDATION_ENV=production, or write true there"),
    ],
)
def test_why_calls_are_not_recorded(
    usage: str, environment: str, reason: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FONDATION_ENV", environment)
    file = tmp_path / "agents.yaml"
    file.write_text(PROJECT + usage)
    said = why_not_recorded(load(file))
    assert said == reason if reason is None else said is not None and said.endswith(reason) and str(file) in said


def test_the_ledger_is_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "agents.yaml").write_text(PROJECT + "storage: {url: data/money.db}")
    assert ledger_file(load(tmp_path / "agents.yaml")) == tmp_path / "data" / "money.db"
