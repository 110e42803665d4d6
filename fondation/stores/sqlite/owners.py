"""Whose rows are whose: every process that writes has a name that says where to look for it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

LEASE_SECONDS = 30.0
"""How long a process counts as alive after it was last heard of."""


def new_owner() -> str:
    """A name for this process: machine and boot, process namespace, pid, start, and a random part.

    Parts that the system does not tell are `-`.
    """
    pid = os.getpid()
    return ":".join((_machine(), str(pid), _started(pid) or "-", secrets.token_hex(4)))


def is_dead(owner: str) -> bool:
    """Whether the process surely runs no more. False too where that cannot be known: its lease decides."""
    return is_alive(owner) is False


def is_alive(owner: str) -> bool | None:
    """Whether the process still runs; None where that cannot be known."""
    machine, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    started = rest.partition(":")[0]
    if machine != _machine() or started in ("", "-") or not pid.isdigit():
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return None  # some process is there, under another user
    found = _started(int(pid))
    return None if found is None else found == started


def _machine() -> str:
    """The boot of this machine and the namespace in which its pids mean something; containers differ in it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return "-"


def _started(pid: int) -> str | None:
    """The clock tick in which a process began, so that a pid used again is told apart; None if not to be read."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name in parentheses may hold anything; the state is the first field after it, the start the 20th
    fields = stat.rpartition(")")[2].split()
    return "ended" if fields[0] in "ZX" else fields[19]
