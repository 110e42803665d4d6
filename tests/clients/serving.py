"""`fondation serve` as its users run it: a process of its own, in a project folder, on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent / "project"
API_KEY = "sk-secret-key"
IGNORED = shutil.ignore_patterns("__pycache__", "node_modules", "*.db*", ".env*")
"""What a project's copy goes without."""
START = 20.0
"""Seconds that a start may take on a busy machine."""
STOP = 10.0


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    folder: Path
    """Of the project."""
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def served(folder: Path, upstream_url: str, *options: str, project: Path = PROJECT) -> Iterator[Served]:
    """Serve a copy of the project in `folder` with its models at `upstream_url`."""
    shutil.copytree(project, folder, dirs_exist_ok=True, ignore=IGNORED)
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENAI_API_KEY": API_KEY,
        "UPSTREAM_URL": upstream_url,
        "PORT": str(port),
    }
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "fondation", "serve", "--port", str(port), *options],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, url, log)
        yield Served(url, folder, process)
    finally:
        process.terminate()
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"`fondation serve` did not start:\n{log.read_text()}")
