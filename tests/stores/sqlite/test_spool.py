from __future__ import annotations

import os
from pathlib import Path

import pytest

from fondation.stores.sqlite import spool as spool_module
from fondation.stores.sqlite.spool import Line, Spool, adopt, spools_beside

LINES = [Line(1, None, None, {"agent_name": "Zoë", "cost": 0.25}), Line(2, 7, "mark", None)]


@pytest.fixture
def spool(path: Path) -> Spool:
    return Spool(path)


def adopted(path: Path) -> list[Line] | None:
    with adopt(path) as lines:
        return lines


def test_what_is_put_in_comes_out(spool: Spool) -> None:
    spool.append(LINES[:1])
    spool.append(LINES[1:])
    assert spool.read() == LINES


def test_without_rows_there_is_no_file(spool: Spool, path: Path) -> None:
    assert (spool.read(), spool.path, spools_beside(path)) == ([], None, [])


def test_a_file_that_is_emptied_goes_away_and_another_follows(spool: Spool, path: Path) -> None:
    spool.append(LINES)
    first = spool.path
    spool.remove()
    assert spools_beside(path) == []
    spool.append(LINES[:1])
    assert spool.read() == LINES[:1]
    assert spools_beside(path) == [spool.path]
    assert spool.path != first


def test_the_spool_of_a_living_process_is_nobody_elses(spool: Spool) -> None:
    spool.append(LINES)
    assert spool.path is not None
    assert adopted(spool.path) is None
    assert spool.path.exists()


def test_an_orphan_is_adopted_once(spool: Spool) -> None:
    spool.append(LINES)
    path = spool.path
    assert path is not None
    spool.release()
    assert adopted(path) == LINES
    assert not path.exists()
    assert adopted(path) is None


def test_an_orphan_whose_rows_cannot_be_written_stays(spool: Spool) -> None:
    spool.append(LINES)
    path = spool.path
    assert path is not None
    spool.release()
    with pytest.raises(RuntimeError, match="no"), adopt(path):
        raise RuntimeError("no")
    assert adopted(path) == LINES


def test_a_line_that_was_cut_off_is_left_out(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    spool.append(LINES)
    path = spool.path
    assert path is not None
    spool.release()
    with path.open("ab") as file:
        file.write(b'[3,null,null,{"agent_na')
    assert adopted(path) == LINES
    assert "cannot be read" in caplog.text


def test_the_spool_is_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MAX_BYTES", 100)
    spool.append(LINES)
    with pytest.raises(OSError, match="has reached its 100 bytes"):
        spool.append(LINES)
    assert spool.read() == LINES


def test_a_disk_that_takes_a_part_takes_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append(LINES)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    with pytest.raises(OSError, match="no space left"):
        spool.append(LINES)
    monkeypatch.undo()
    spool.append(LINES)
    assert spool.read() == LINES * 2


def test_spools_of_other_databases_are_not_touched(path: Path) -> None:
    other = Spool(path.with_name("other.db"))
    other.append(LINES)
    assert spools_beside(path) == []
    assert spools_beside(path.with_name("missing") / "fondation.db") == []
