from __future__ import annotations

from pathlib import Path

import pytest

from fondation.config import database_file, load
from tests.config.projects import VALID, project

FOLDER = Path("/project")
UNSUPPORTED = ["postgresql://me:secret@db/ledger", "libsql://secret.turso.io", "mysql://secret", "sqlite://secret.db"]
UNSUPPORTED += ["file://secret/ledger.db", "sqlite:///:memory:", ":memory:", "sqlite:///"]


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (None, "/project/fondation.db"),
        ("", "/project/fondation.db"),
        ("sqlite:///ledger.db", "/project/ledger.db"),
        ("sqlite:///data/ledger.db?timeout=5", "/project/data/ledger.db"),
        ("SQLITE:///my%20ledger.db", "/project/my ledger.db"),
        ("sqlite:////var/lib/ledger.db", "/var/lib/ledger.db"),
        ("file:ledger.db", "/project/ledger.db"),
        ("file:./data/ledger.db", "/project/data/ledger.db"),
        ("file:/var/ledger.db", "/var/ledger.db"),
        ("file:///var/ledger.db", "/var/ledger.db"),
        ("data/ledger.db", "/project/data/ledger.db"),
        ("./ledger.db", "/project/ledger.db"),
        ("/var/ledger.db", "/var/ledger.db"),
    ],
)
def test_the_file_is_relative_to_the_project(url: str | None, file: str) -> None:
    assert database_file(url, FOLDER, {}) == Path(file)


@pytest.mark.parametrize("url", UNSUPPORTED)
def test_another_database_names_what_is_supported_and_nothing_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///fondation\.db") as caught:
        database_file(url, FOLDER, {})
    assert "secret" not in str(caught.value)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder"):
        database_file(".", tmp_path, {})


def test_the_yaml_wins_over_the_environment() -> None:
    environment = {"DATABASE_URL": "other.db"}
    assert database_file(None, FOLDER, environment) == FOLDER / "other.db"
    assert database_file("mine.db", FOLDER, environment) == FOLDER / "mine.db"


def test_a_database_url_of_the_environment_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db/ledger")
    file = project(tmp_path, VALID)
    [problem] = load(file).problems
    assert (problem.code, problem.line) == ("unsupported-storage", None)
    assert "DATABASE_URL: postgresql is not supported" in problem.message
    assert "secret" not in load(file).report()
    assert load(file, check_environment=False).problems == []
    file.write_text(VALID + "storage:\n  url: mine.db\n")
    assert load(file).problems == []
