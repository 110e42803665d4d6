"""Processes of the proof: the upstream, and servers of one project that are killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

START_SECONDS = 30.0
STOP_SECONDS = 20.0
DRAIN_SECONDS = "1"
"""So that answers are under way when a stopped server ends."""
ENVIRONMENT = {"OPENROUTER_API_KEY": "sk-or-v1-proof"}


@contextlib.asynccontextmanager
async def upstream(seed: int) -> AsyncIterator[str]:
    """Run the upstream; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ledger_proof.upstream", str(seed), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


@dataclass(slots=True)
class Server:
    """A `fondation serve`, at an address that it keeps when it is started again."""

    folder: Path
    plain_url: str
    port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        environment |= {**ENVIRONMENT, "PLAIN_URL": self.plain_url}
        options = ("--port", str(self.port), "--drain", DRAIN_SECONDS, "--log-level", "warning")
        with (self.folder / f"server-{self.port}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fondation", "serve", *options),
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await _answers(session, self.url):
                assert self.process.returncode is None, f"the server of port {self.port} did not start: see its log"
                await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals) -> int:
        """Kill or stop it; its process id."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
        return process.pid


def fondation(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, once it has ended."""
    command = [sys.executable, "-m", "fondation", *words]
    environment = {**os.environ, **ENVIRONMENT}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/healthz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@dataclass(slots=True)
class Fleet:
    servers: list[Server]
    killed: set[int] = field(default_factory=set)
    """Process ids."""
    stopped: set[int] = field(default_factory=set)

    def pid_of(self, index: int) -> int:
        process = self._at(index).process
        assert process is not None
        return process.pid

    def _at(self, index: int) -> Server:
        return self.servers[index % len(self.servers)]

    async def replace(self, index: int, how: signal.Signals) -> None:
        """End a server in the middle of what it does, and start it again."""
        server = self._at(index)
        pid = await server.end(how)
        (self.killed if how is signal.SIGKILL else self.stopped).add(pid)
        await server.start()

    async def end(self) -> None:
        """Stop all."""
        pids = await asyncio.gather(*(server.end(signal.SIGTERM) for server in self.servers if server.process))
        self.stopped.update(pids)


@contextlib.asynccontextmanager
async def fleet(folder: Path, plain_url: str, size: int) -> AsyncIterator[Fleet]:
    """So many servers of the project in the folder."""
    servers = [Server(folder, plain_url, _free_port()) for _ in range(size)]
    try:
        for server in servers:
            await server.start()
        yield Fleet(servers)
    finally:
        for server in servers:
            if server.process is not None and server.process.returncode is None:
                server.process.kill()
                await server.process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
