"""The pages of `examples/react-chat` as their users have them: built or served by Vite, before a running server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.clients.harness import ClientsUnavailable, find_node, install
from tests.clients.serving import free_port
from tests.examples.projects import EXAMPLES

PROJECT = EXAMPLES / "react-chat"
OLDEST_NODE = 20
START = 30.0
"""Seconds that Vite's start may take on a busy machine."""


def build(folder: Path) -> None:
    """Write the pages to `folder` by `npm run build`, which checks their types; with the React that warns of mistakes.

    Raises `ClientsUnavailable` where there is no node or npm.
    """
    if shutil.which("npm") is None:
        raise ClientsUnavailable("npm is not installed: install node with npm")
    install(PROJECT)
    command = ["npm", "run", "build", "--", "--outDir", str(folder)]
    done = subprocess.run(
        command, cwd=PROJECT, env=_environment(NODE_ENV="development"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def type_errors(page: str, folder: Path) -> str:
    """What the type checker says of a page, as the project's own are checked; `folder` is an empty one to work in."""
    (folder / "src").mkdir()
    (folder / "src" / "Page.tsx").write_text(page)
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    shutil.copy(PROJECT / "tsconfig.json", folder)
    done = subprocess.run(
        [folder / "node_modules" / ".bin" / "tsc"], cwd=folder, env=_environment(), capture_output=True, text=True
    )
    return done.stdout + done.stderr


@contextlib.contextmanager
def site(script: str, fondation: str, *options: str) -> Iterator[str]:
    """The address of the pages while one of their scripts, `start` or `preview`, serves them before a server."""
    port = str(free_port())
    address = ["--host", "127.0.0.1", "--port", port, "--strictPort"]
    command = ["npm", "run", script, "--ignore-scripts", "--", *address, *options]  # without installing once more
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=_environment(FONDATION_URL=fondation),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_until_it_answers(process, url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # npm and what it started
        process.wait()


def _environment(**more: str) -> dict[str, str]:
    """One in which npm finds the node that the tests bring along."""
    folder = str(Path(find_node(OLDEST_NODE)).parent)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **more}


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError("Vite did not start; what it printed is above")
