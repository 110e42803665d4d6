"""The short proof. FONDATION_PROOF_CALLS=5000 makes it a long one, FONDATION_PROOF_SEED another one."""

from __future__ import annotations

import asyncio
import os

import pytest

from .answers import GOOD
from .audit import Audit, audit
from .faults import FAULTS
from .readers import reading_problems
from .report import report
from .run import Evidence, Size, run

SEED = int(os.environ.get("FONDATION_PROOF_SEED", "20261123"))
CALLS = int(os.environ.get("FONDATION_PROOF_CALLS", "300"))
SIZE = Size(calls=CALLS, processes=2, kills=2 + CALLS // 500, seed=SEED)
PLAYED = 0.8
"""The share of all kinds of answers that come up at least, whoever is killed before."""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return asyncio.run(run(tmp_path_factory.mktemp("proof"), SIZE))


@pytest.fixture(scope="module")
def found(evidence: Evidence) -> Audit:
    found = audit(evidence)
    print("\n".join(report(SIZE, evidence, found)))  # noqa: T201 - pytest shows it where a test fails
    return found


def test_every_call_has_its_one_row_which_says_what_it_came_to(found: Audit) -> None:
    assert found.problems == []
    assert found.rowless == []


def test_the_sums_are_equal_to_the_last_digit(found: Audit) -> None:
    assert found.difference == 0
    assert sum(call.charge for call, _ in found.known) > 0


def test_what_users_read_is_what_the_books_say(evidence: Evidence, found: Audit) -> None:
    assert reading_problems(evidence, found) == []


def test_it_was_no_easy_day(evidence: Evidence, found: Audit) -> None:
    played = evidence.books.by_play()
    assert sum(played[name] > 0 for name in (*FAULTS, *GOOD)) >= PLAYED * len(FAULTS | GOOD)
    assert evidence.killed
    assert {row["status"] for _, row in found.pairs} == {"done", "refused", "error", "aborted", "lost"}
    assert {row["cost_source"] for _, row in found.pairs} == {"billed", "priced", "estimated", "none", "unknown"}
    assert sum(call.is_left for call in evidence.books.calls) > 10
