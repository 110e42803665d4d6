"""The long proof: prints what was found, and ends with 1 where the ledger is not the invoice."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .audit import audit
from .readers import reading_problems
from .report import report
from .run import Size, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger_proof", description=__doc__)
    parser.add_argument("--calls", type=int, default=5000, help="about so many model calls")
    parser.add_argument("--processes", type=int, default=3, help="servers on one ledger")
    parser.add_argument("--kills", type=int, default=12, help="SIGKILL and SIGTERM by turns")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="an empty folder, which is kept")
    chosen = parser.parse_args()
    size = Size(chosen.calls, chosen.processes, chosen.kills, chosen.seed)
    if chosen.folder is not None:
        chosen.folder.mkdir(parents=True)
        return _prove(chosen.folder, size)
    with tempfile.TemporaryDirectory() as folder:
        return _prove(Path(folder), size)


def _prove(folder: Path, size: Size) -> int:
    evidence = asyncio.run(run(folder, size))
    found = audit(evidence)
    problems = [*found.problems, *reading_problems(evidence, found)]
    sys.stdout.writelines(f"{line}\n" for line in (*report(size, evidence, found), *problems))
    sys.stdout.write(f"{len(problems)} problems\n" if problems else "The ledger equals the invoice.\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
