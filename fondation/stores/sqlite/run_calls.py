"""The calls of some runs, read back from their rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from fondation.calls import ModelCall
from fondation.stores.rows import COLUMNS, call_of
from fondation.stores.sqlite.visiting import visit

_ANSWERING = (
    f"SELECT {', '.join(COLUMNS)} FROM usage_tracking WHERE run_id IN (SELECT value FROM json_each(?)) "
    "AND COALESCE(purpose, 'answer') = 'answer' ORDER BY id"
)


def answering_calls(database: Path, run_ids: Sequence[str]) -> dict[str, list[ModelCall]]:
    """The calls of each run's answer, as they are now. Raises `sqlite3.Error` and `OSError`."""
    calls: dict[str, list[ModelCall]] = {}
    with visit(database) as connection:
        for row in connection.execute(_ANSWERING, [json.dumps(run_ids)]):
            calls.setdefault(row["run_id"], []).append(call_of(dict(row)))
    return calls
