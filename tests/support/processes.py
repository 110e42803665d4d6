"""`fondation serve` as a process of its own, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

PROJECT = """
version: 1
models:
  main: {provider: openrouter, id: acme/main}
tools:
  wait: desk_tools:wait
agents:
  Ann: {model: main, instructions: You are Ann., tools: [wait], handoffs: [Bob]}
  Bob: {model: main, description: Knows more., instructions: You are Bob.}
routes:
  /api/chat: Ann
"""
TOOLS = '''
import asyncio

async def wait(seconds: float) -> str:
    """Wait for some seconds.

    Args:
        seconds: How long.
    """
    await asyncio.sleep(seconds)
    return "waited"
'''
ENDS_SOON = 4.0
"""Seconds that a process may take to end on a busy machine."""


def write_project(folder: Path) -> None:
    (folder / "agents.yaml").write_text(PROJECT)
    (folder / "desk_tools.py").write_text(TOOLS)


@dataclass
class Process:
    """A running `fondation serve`."""

    process: asyncio.subprocess.Process
    banner: str
    url: str
    session: aiohttp.ClientSession

    def post(self, message: str, **body: Any) -> Any:
        return self.session.post(f"{self.url}/api/chat", json={"message": message, "id": "c1", **body})

    def get(self, path: str) -> Any:
        return self.session.get(self.url + path)

    async def end(self) -> tuple[int, str]:
        """The exit code and the log, once it has ended."""
        assert self.process.stderr is not None
        async with asyncio.timeout(ENDS_SOON):
            log = await self.process.stderr.read()
            return await self.process.wait(), log.decode()


@contextlib.asynccontextmanager
async def serving(folder: Path, *options: str, simulate: bool = True) -> AsyncIterator[Process]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fondation", "serve", "--port", "0", *(["--simulate"] if simulate else []), *options),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            banner = (await process.stdout.readuntil(b"  try: curl")).decode()
            banner += (await process.stdout.readline()).decode()
            match = re.search(r"^  (http://\S+)$", banner, re.MULTILINE)
            assert match is not None, banner
            yield Process(process, banner, match[1], session)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
