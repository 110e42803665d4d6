"""The pages of the proof: each plays its scene against one of the servers, and leaves when its conduct says so."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import aiohttp

from .fleet import Fleet, Server
from .scenes import Conduct, Scene

LONGEST = 60.0
"""Seconds that an answer may take, with all of its retries."""
MARKS: dict[Conduct, bytes] = {
    "leaves after headers": b"",
    "leaves mid text": b'"text-delta"',
    "leaves mid call": b'"tool-input-start"',
    "leaves while a tool runs": b'"tool-input-available"',
    "leaves at the last byte": b'"finish"',
    "stops": b'"type"',
    "comes back": b'"type"',
}
"""What a page sees before it leaves."""
OLD_TURNS = 6
_CUT = (aiohttp.ClientError, ConnectionError)


class Driver:
    """Plays scenes, some at a time."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        self._random = Random(seed)

    async def play(self, scene: Scene) -> None:
        """Play a scene to its end. Where its server ends before, its user goes on with another."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LONGEST)) as session:
            page = _Page(session, self._servers(), scene)
            try:
                await page.play(self._random.uniform(0.0, 0.03))
            except _CUT:
                with contextlib.suppress(*_CUT):
                    await page.go_on()

    def _servers(self) -> list[Server]:
        return self._random.sample(self._fleet.servers, len(self._fleet.servers))


class _Page:
    def __init__(self, session: aiohttp.ClientSession, servers: Sequence[Server], scene: Scene) -> None:
        self._session = session
        self._servers = servers
        self._scene = scene

    async def play(self, patience: float) -> None:
        conduct = self._scene.conduct
        chunks = await self._post(self._body(1), conduct, patience)
        self._servers = self._servers[::-1]  # what comes now is passed on by another process
        if conduct == "comes back":
            async with self._session.get(f"{self._url}/{self._scene.chat}/stream", headers=self._headers) as response:
                await response.read()
        elif conduct == "stops":
            async with self._session.post(f"{self._url}/{self._scene.chat}/stop", headers=self._headers):
                pass
        elif conduct == "answers" and (answers := _answers(chunks)):
            await self._post({"id": self._scene.chat, **answers}, "reads", patience)
        elif conduct == "goes on":
            await self.go_on()

    async def go_on(self) -> None:
        """Send another message."""
        await self._read(self._body(2), None)

    @property
    def _url(self) -> str:
        return self._servers[0].url + self._scene.route

    @property
    def _headers(self) -> dict[str, str]:
        headers = {"x-session-id": self._scene.chat}
        if self._scene.user is not None:
            headers["x-user-id"] = self._scene.user
        if self._scene.conduct == "asks for JSON":
            headers["Accept"] = "application/json"
        return headers

    def _body(self, turn: int) -> dict[str, Any]:
        text = self._scene.message(turn)
        if self._scene.route not in ("/api/long", "/api/work4"):
            return {"id": self._scene.chat, "message": text}
        said = [{"role": role, "content": text} for _ in range(OLD_TURNS) for role in ("user", "assistant")]
        return {"id": self._scene.chat, "messages": [*said, {"role": "user", "content": text}]}

    async def _post(self, body: dict[str, Any], conduct: Conduct, patience: float) -> list[dict[str, Any]]:
        """The chunks that were read."""
        if conduct == "leaves at once":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    return await self._read(body, None)
            return []
        return await self._read(body, MARKS.get(conduct))

    async def _read(self, body: dict[str, Any], mark: bytes | None) -> list[dict[str, Any]]:
        read = []
        async with self._asked(body) as response:
            if mark == b"":
                response.close()
                return []
            async for line in response.content:
                if line.startswith(b"data: {"):
                    read.append(json.loads(line[6:]))
                if mark is not None and mark in line:
                    response.close()
                    break
        return read

    @contextlib.asynccontextmanager
    async def _asked(self, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response of the first server that is there; one that is started anew is waited for."""
        while True:
            for server in self._servers:
                try:
                    response = await self._session.post(
                        server.url + self._scene.route, json=body, headers=self._headers
                    )
                except aiohttp.ClientConnectorError:
                    continue
                async with response:
                    yield response
                return
            await asyncio.sleep(0.1)


def _answers(chunks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a page answers to the calls that wait: the place, and yes to every other request."""
    waiting = [chunk for chunk in chunks if chunk["type"] == "tool-approval-request"]
    approvals = [{"id": chunk["approvalId"], "approved": index % 2 == 0} for index, chunk in enumerate(waiting)]
    located = [chunk for chunk in chunks if chunk["type"] == "tool-input-available" and chunk["toolName"] == "locate"]
    outputs = [{"toolCallId": chunk["toolCallId"], "output": "here"} for chunk in located]
    return {name: given for name, given in (("approvals", approvals), ("toolOutputs", outputs)) if given}
