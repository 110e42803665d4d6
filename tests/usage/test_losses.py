from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fondation.stores import open_store
from fondation.usage.losses import loss_text, lost_rows
from fondation.usage.periods import Period

MONDAY, TUESDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "lost"),
    [
        (Period(), 12),
        (Period(since=TUESDAY), 7),
        (Period(until=TUESDAY), 5),
        (Period(MONDAY, TUESDAY), 5),
        (Period(until=MONDAY), 0),
    ],
)
def test_losses_are_counted_in_a_period(path: Path, period: Period, lost: int) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        losses = [(MONDAY.timestamp(), 5), (TUESDAY.timestamp(), 7)]
        connection.executemany("INSERT INTO usage_losses (timestamp, rows) VALUES (?, ?)", losses)
        assert lost_rows(connection, period) == lost


def test_a_ledger_that_another_program_made_knows_of_none() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        assert lost_rows(connection, Period()) == 0


def test_one_is_one() -> None:
    assert loss_text(1).startswith("1 model call is missing")
    assert loss_text(1_200).startswith("Up to 1,200 model calls are missing")
