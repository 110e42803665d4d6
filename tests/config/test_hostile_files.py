"""Files made to hurt: each ends in one clear problem, fast."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fondation.config import load
from tests.config.projects import VALID

HOSTILE = {
    "ten megabytes": (b"version: 1\n# " + b"x" * 10_000_000, "too-large"),
    "ten megabytes of values": (b"version: 1\nx: [" + b"a, " * 3_500_000 + b"]", "too-large"),
    "many values": (b"version: 1\nx: [" + b"a, " * 600_000 + b"]", "too-large"),
    "many keys": (b"version: 1\n" + b"".join(b"k%d: 1\n" % number for number in range(60_000)), "too-large"),
    "many equal keys": (b"version: 1\n" + b"a: 1\n" * 60_000, "too-large"),
    "deep lists": (b"[" * 100_000, "too-deep"),
    "deep mappings": (b"version: 1\na: " + b"{a: " * 100_000, "too-deep"),
    "deep blocks": (b"".join(b" " * depth + b"a:\n" for depth in range(1200)), "too-deep"),
    "NUL bytes": (b"\0" * 1000, "control-character"),
    "every byte": (bytes(range(1, 128)) * 10, "control-character"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "not-utf8"),
    "UTF-16": ("version: 1\n".encode("utf-16"), "not-utf8"),
    "UTF-32": ("version: 1\n".encode("utf-32"), "not-utf8"),
    "tabs": (b"\t\t\n\tversion: 1\n", "tab"),
    "a byte order mark": (b"\xef\xbb\xbf" + VALID.encode(), "byte-order-mark"),
    "aliases of aliases": (
        b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 123)),
        "alias",
    ),
    "an alias of itself": (b"version: 1\nmodels: &m [*m]\n", "alias"),
    "a surrogate": (b'version: 1\na: "\\ud800"\n', "invalid-yaml"),
}


@pytest.mark.parametrize(("content", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_one_problem_at_once(content: bytes, code: str, tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_bytes(content)
    began = time.process_time()
    loaded = load(file)
    assert time.process_time() - began < 3
    assert [problem.code for problem in loaded.problems] == [code]
    assert loaded.config is None
    assert loaded.summary() == f"{file}: 1 problem"
    assert len(loaded.report()) < 2000


@pytest.mark.parametrize("text", ["{{ " + "(" * 5000 + " }}", "{% if agent %}" * 300 + "{% endif %}" * 300])
def test_a_template_nested_without_end_is_one_problem(text: str, tmp_path: Path) -> None:
    file = tmp_path / "agents.yaml"
    file.write_text(VALID.replace("Answer the question.", f"'{text}'"))
    assert [problem.code for problem in load(file).problems] == ["invalid-template"]


def test_a_folder_says_which_file_was_meant(tmp_path: Path) -> None:
    [problem] = load(tmp_path).problems
    assert (problem.code, problem.line) == ("unreadable-file", None)
    assert str(tmp_path / "agents.yaml") in problem.help


def test_a_missing_file_finds_the_other_suffix(tmp_path: Path) -> None:
    (tmp_path / "agents.yml").write_text(VALID)
    [problem] = load(tmp_path / "agents.yaml").problems
    assert problem.code == "missing-file"
    assert "agents.yml" in problem.help
    assert "folder" in load(tmp_path / "other.yaml").problems[0].help


def test_a_name_that_no_file_can_have_is_a_problem(tmp_path: Path) -> None:
    assert [problem.code for problem in load(tmp_path / "a\0b").problems] == ["unreadable-file"]
    assert [problem.code for problem in load(tmp_path / ("a" * 5000)).problems] == ["unreadable-file"]


def test_three_hundred_agents_are_checked_in_less_than_a_second(tmp_path: Path) -> None:
    agents = "".join(
        f"  A{number}:\n    model: sim\n    description: Agent {number}.\n"
        f"    instructions: |\n      You are {{{{ agent }}}}.\n"
        f"    handoffs: [A{(number + 1) % 300}]\n"
        for number in range(300)
    )
    file = tmp_path / "agents.yaml"
    file.write_text(f"version: 1\nmodels:\n  sim: {{provider: simulated}}\nagents:\n{agents}routes:\n  /api/chat: A0\n")
    began = time.process_time()
    loaded = load(file)
    assert time.process_time() - began < 3
    assert loaded.summary() == f"{file}: 300 agents, 0 tools, 1 model, 1 route"
