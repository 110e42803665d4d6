from __future__ import annotations

import time
from pathlib import Path

import pytest

from fondation.stores.sqlite import trouble as trouble_module
from fondation.stores.sqlite.trouble import LONGEST_PAUSE, Trouble


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, as a number to set."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def trouble(clock: list[float], path: Path) -> Trouble:
    return Trouble(path)


def test_a_failing_database_is_tried_ever_more_rarely(trouble: Trouble, clock: list[float]) -> None:
    pauses = []
    for _ in range(6):
        trouble.meet(OSError("disk"))
        pauses.append(round(trouble.retry_at - clock[0], 3))
        clock[0] = trouble.retry_at
    assert pauses == [0.1, 0.2, 0.4, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    trouble.end()
    assert not trouble
    trouble.meet(OSError("disk"))
    assert trouble.retry_at - clock[0] == pytest.approx(0.1)


def test_trouble_is_told_once_a_minute(
    trouble: Trouble, clock: list[float], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.meet(OSError("the disk is gone"))
    for _ in range(119):
        trouble.tell(waiting=3, spool=Path("/tmp/a.jsonl"))
        clock[0] += 1
    assert (
        caplog.messages
        == [f"Failed to save usage to {path}: the disk is gone. Answers go on; rows that wait: 3, in /tmp/a.jsonl"] * 2
    )


def test_trouble_that_passes_at_once_and_holds_nothing_up_is_not_told(
    trouble: Trouble, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    trouble.meet(OSError("locked"))
    trouble.tell(waiting=0, spool=None)
    trouble.end()
    assert caplog.messages == []
    trouble.meet(OSError("locked"))
    clock[0] += trouble_module.GRACE_SECONDS
    trouble.tell(waiting=0, spool=None)
    assert "locked" in caplog.text


def test_lost_rows_are_counted(trouble: Trouble, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trouble.meet(OSError("full"))
    for dropped in (2, 3):
        trouble.drop(dropped)
        trouble.tell(waiting=9, spool=None)
    for _ in range(2):
        trouble.lose()
    assert "rows that wait: 9, in memory; lost: 2" in caplog.messages[0]
    assert caplog.messages[1:] == [f"Failed to save usage to {path}: rows lost: 5"]
    assert trouble.dropped == 0
