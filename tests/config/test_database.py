from __future__ import annotations

import os
from pathlib import Path

import pytest

from fondation.config import database_file, load
from fondation.config.database import why_unwritable
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


@pytest.mark.parametrize("url", ["file.txt/ledger.db", "file.txt/a/b/ledger.db", "/dev/null"])
def test_a_ledger_that_cannot_be_written_is_a_problem_and_nothing_is_made(url: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("")
    file = project(tmp_path, VALID + f"storage: {{url: {url}}}\n")
    [problem] = load(file).problems
    assert (problem.code, problem.line, url in problem.message) == ("unwritable-storage", 10, True)
    assert {path.name for path in tmp_path.iterdir()} == {"file.txt", "agents.yaml"}
    assert load(file, check_environment=False).problems == []
    file.write_text(file.read_text() + "usage: {enabled: false}\n")
    assert load(file).problems == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
@pytest.mark.parametrize("url", ["/proc/nope/x.db", "sqlite:////proc/x.db"])
def test_a_file_system_without_files_keeps_no_ledger(url: str, tmp_path: Path) -> None:
    [problem] = load(project(tmp_path, VALID + f"storage: {{url: '{url}'}}\n")).problems
    assert (problem.code, "can be made there" in problem.message) == ("unwritable-storage", True)


def test_a_folder_that_is_made_later_is_fine(tmp_path: Path) -> None:
    file = project(tmp_path, VALID + "storage: {url: data/of/mine/ledger.db}\n")
    assert load(file).problems == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("refused", ["", "ledger.db"])
def test_a_folder_or_file_without_access_is_no_place_for_a_ledger(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger.db").write_text("")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / refused and allowed(path, mode))
    assert why_unwritable(tmp_path / "ledger.db") is not None


def test_a_ledger_of_the_environment_that_cannot_be_written_is_a_problem_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project(tmp_path, VALID)
    monkeypatch.setenv("DATABASE_URL", "/dev/null/secret.db")
    [problem] = load(file).problems
    assert (problem.code, problem.line) == ("unwritable-storage", None)
    assert (
        problem.message == "the environment's DATABASE_URL: the ledger cannot be written: its path goes through a file"
    )
    file.write_text(VALID + "usage: {enabled: production}\n")
    assert load(file).problems == []
    monkeypatch.setenv("FONDATION_ENV", "production")
    assert [problem.code for problem in load(file).problems] == ["unwritable-storage"]
