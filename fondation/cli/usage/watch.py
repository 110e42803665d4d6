"""A text that is shown again whenever it has changed, on a terminal, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO

EVERY_SECONDS = 2.0

_HOME = "\x1b[H"
_TO_LINE_END = "\x1b[K"
_TO_SCREEN_END = "\x1b[J"
_CLEAR = "\x1b[2J"


def watch(text: Callable[[], str], screen: IO[str], pause: Callable[[float], None] = time.sleep) -> None:
    """Draw `text()` over what was drawn before, every two seconds; returns on Ctrl-C, with the last one left there."""
    drawn = None
    try:
        screen.write(_CLEAR)
        while True:
            now = text()
            if now != drawn:
                lines = "".join(f"{line}{_TO_LINE_END}\n" for line in now.splitlines())
                screen.write(f"{_HOME}{lines}{_TO_SCREEN_END}")
                screen.flush()
                drawn = now
            pause(EVERY_SECONDS)
    except KeyboardInterrupt:
        screen.write("\n")
        screen.flush()
