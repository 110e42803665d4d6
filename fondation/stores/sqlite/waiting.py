"""Rows that are not in the database yet: in memory, and while it fails in the spool. Both are bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fondation.stores.rows import COLUMNS, Row
from fondation.stores.sqlite.ledger import Changes, Entry
from fondation.stores.sqlite.spool import Line, Spool

MAX_IN_MEMORY = 10_000
"""Rows that wait in memory where the spool fails too."""


class WaitingRows:
    """Of several changes of one row only the last is kept: a call that ends soon is written once."""

    def __init__(self, database: Path) -> None:
        self._spool = Spool(database)
        self._memory: dict[Entry, Row | None] = {}
        self._spooled: dict[int, Entry] = {}

    def __len__(self) -> int:
        return len(self._memory) + len(self._spooled)

    @property
    def spool(self) -> Path | None:
        """The spool file, if rows wait in it."""
        return self._spool.path if self._spooled else None

    def in_memory(self) -> Changes:
        """A copy of the rows that no spool holds."""
        return dict(self._memory)

    def add(self, rows: Changes) -> None:
        """Rows as they are now; None to remove one."""
        self._memory.update(rows)

    def portions(self) -> Iterator[tuple[Changes, Path | None]]:
        """All that waits, in the order in which it must be saved, each with its spool file. Raises `OSError`."""
        if self._spool.path is not None:
            yield changes_of(self._spool.read(), self._spooled), self._spool.path
        if self._memory:
            yield self._memory, None

    def saved(self) -> None:
        """All that waited is in the database. Raises `OSError`."""
        self._memory.clear()
        self._spooled.clear()
        self._spool.remove()

    def park(self) -> int:
        """Move what is in memory to the spool; where that fails, return how many rows had to be dropped."""
        if not self._memory:
            return 0
        try:
            self._spool.append(Line(entry.key, entry.row_id, entry.file, row) for entry, row in self._memory.items())
        except OSError:
            surplus = max(0, len(self._memory) - MAX_IN_MEMORY)
            for _ in range(surplus):
                self._memory.popitem()
            return surplus
        self._spooled.update((entry.key, entry) for entry in self._memory)
        self._memory.clear()
        return 0

    def leave(self) -> int:
        """Give up: what is in the spool stays there for the next start. Returns how many rows are lost."""
        self._spool.release()
        return len(self._memory)


def changes_of(lines: Iterable[Line], known: Mapping[int, Entry]) -> dict[Entry, Row | None]:
    """What the lines of a spool ask for; `known` are the entries of calls that this process has open."""
    entries = dict(known)
    changes: dict[Entry, Row | None] = {}
    for line in lines:
        entry = entries.setdefault(line.key, Entry(line.key, line.row_id, line.file))
        changes[entry] = None if line.row is None else {name: line.row.get(name) for name in COLUMNS}
    return changes
