from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fondation.stores.sqlite.owners import is_alive, is_dead, new_owner

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this system does not tell of processes")


def renamed(owner: str, position: int, part: str) -> str:
    parts = owner.split(":")
    parts[position] = part
    return ":".join(parts)


def owner_of_another_process() -> str:
    """The name of a process that is gone by now."""
    script = "from fondation.stores.sqlite.owners import new_owner; print(new_owner())"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_no_two_owners_are_the_same() -> None:
    assert new_owner() != new_owner()


def test_a_living_process_is_not_dead() -> None:
    assert not is_dead(new_owner())


@needs_proc
def test_it_is_known_to_be_alive() -> None:
    assert is_alive(new_owner())


@needs_proc
def test_a_process_that_ended_is_dead() -> None:
    assert is_dead(owner_of_another_process())


@needs_proc
def test_a_pid_that_is_used_again_is_another_process() -> None:
    assert is_dead(renamed(new_owner(), 2, "1"))


@needs_proc
def test_a_process_that_nobody_has_reaped_is_dead() -> None:
    script = "from fondation.stores.sqlite.owners import new_owner; print(new_owner(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(owner)


@pytest.mark.parametrize("owner", ["", "-", "someone", "-:123:-:abcd", "elsewhere/1:1:1:abcd", "a:b:c:d:e"])
def test_of_another_machine_nothing_is_known(owner: str) -> None:
    assert is_alive(owner) is None
    assert not is_dead(owner)
