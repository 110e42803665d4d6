"""A route that tells scripted runs to pages of AI SDK 4."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from aiohttp import web

from fondation.calls import RunInfo
from fondation.errors import RequestError
from fondation.protocols import PROTOCOLS
from fondation.protocols.conversation import Conversation
from fondation.routing import choose_agent
from fondation.run_request import RunRequest
from fondation.runner import Run
from tests.support.scripted import Answer, Player, ScriptedProvider, build_route

PROTOCOL = PROTOCOLS[4]


class Kitchen:
    """Meets every question with the next answers of its script, and remembers what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.play({"Ann": Player()})

    def play(self, players: Mapping[str, Player], *answers: Answer) -> None:
        self.provider = ScriptedProvider([*answers])
        self.conversations: list[Conversation] = []
        self._route = build_route(self.provider, players)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/chat", self._chat)
        return app

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            conversation = PROTOCOL.decode(await request.read())
        except RequestError as error:
            return web.json_response({"error": str(error)}, status=error.status)
        self.conversations.append(conversation)
        response = web.StreamResponse(headers=PROTOCOL.headers)
        await response.prepare(request)
        encode = PROTOCOL.encoder()
        async with contextlib.aclosing(self._run(conversation).events()) as batches:
            async for batch in batches:
                await response.write(encode(batch))
                await response.write(PROTOCOL.keepalive)
        return response

    def _run(self, conversation: Conversation) -> Run:
        number = len(self.conversations)
        return Run(
            RunRequest(
                info=RunInfo(f"run_{number}", "session-1"),
                route=self._route,
                start=choose_agent(self._route, conversation.text, last_agent=conversation.last_agent),
                messages=conversation.messages,
                message_id=conversation.continues or f"msg_{number}",
            )
        )
