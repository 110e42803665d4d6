from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fondation.cli.usage.watch import EVERY_SECONDS, watch
from fondation.stores import open_store


def pauses(times: int) -> Callable[[float], None]:
    """Ends, as Ctrl-C does, after so many pauses."""
    taken: list[float] = []

    def pause(seconds: float) -> None:
        taken.append(seconds)
        assert seconds == EVERY_SECONDS
        if len(taken) == times:
            raise KeyboardInterrupt

    return pause


def test_a_text_is_drawn_over_the_one_before_when_it_has_changed() -> None:
    screen = io.StringIO()
    texts = iter(["long line\nb\n", "long line\nb\n", "c\n"])
    watch(lambda: next(texts), screen, pauses(3))
    assert screen.getvalue() == "\x1b[2J\x1b[Hlong line\x1b[K\nb\x1b[K\n\x1b[J\x1b[Hc\x1b[K\n\x1b[J\n"


def test_on_a_terminal_the_table_stays_until_ctrl_c(tmp_path: Path) -> None:
    ledger = tmp_path / "fondation.db"
    open_store(ledger).close()
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "fondation", "usage", "--watch", "--db", str(ledger)]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.STDOUT, cwd=tmp_path) as process:
        os.close(follower)
        shown = b""
        while b"no model calls yet" not in shown:
            shown += os.read(leader, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert b"Traceback" not in shown
    os.close(leader)
