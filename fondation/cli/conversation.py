"""A conversation with a route's agent, answer by answer: the runner's events, recorded and shown."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from fondation.agents import Route
from fondation.calls import RunInfo
from fondation.cli.screen import Screen
from fondation.cli.transcript import Transcript
from fondation.events import Event, RunFinished, RunWaiting
from fondation.memory import WorkingMemory
from fondation.messages import Message, TextPart, UserMessage
from fondation.routing import choose_agent
from fondation.run_request import RunRequest
from fondation.runner import Run
from fondation.server.keys import Services
from fondation.summary import summarize
from fondation.usage import record


class Conversation:
    """What was said so far, and what to say next."""

    def __init__(self, services: Services, route: Route) -> None:
        self._services = services
        self._route = route
        self._screen = Screen()
        self.reset()

    def reset(self) -> None:
        """Forget what was said: the next message begins a new session."""
        self._id = str(uuid.uuid4())
        self._messages: tuple[Message, ...] = ()
        self._last_agent: str | None = None
        self._memory = WorkingMemory()

    def greeting(self) -> str:
        route, simulated = self._route, self._services.cast.simulated
        note = f" (simulated: {', '.join(simulated)})" if simulated else ""
        return f"{route.agent.name} on {route.path}{note}. /reset begins anew, /quit leaves, Ctrl-C stops an answer."

    async def answer(self, text: str) -> bool:
        """Show the answer to a message; cancelled, it stops and keeps what was said. False where none was given."""
        limit = self._route.limits.max_message_length
        if limit is not None and len(text) > limit:
            self._screen.line(f"The message is longer than {limit:,} characters.", fg="red")
            return False
        user = UserMessage((TextPart(text),))
        request = self._request(user)
        account = self._services.open_account(request.info, self._route.limits.run_timeout)
        run = Run(request, account.gate)
        transcript = Transcript()
        last: Event | None = None
        told = account.watch(record(run.events(), self._services.store, request.info))
        try:
            async with contextlib.aclosing(told) as batches:
                async for batch in batches:
                    transcript.feed(batch)
                    self._screen.show(batch)
                    last = batch[-1]
        except asyncio.CancelledError:
            self._screen.stopped(summarize(request.info.run_id, request.message_id, run.chain, run.calls, 0, "aborted"))
        finally:
            account.close()
        self._keep(user, transcript, run.chain[-1])
        if isinstance(last, RunWaiting):
            waiting = ", ".join(call.tool for call in last.waiting)
            self._screen.line(f"Not run: {waiting} waits for an answer that only a page can give.", fg="yellow")
        return isinstance(last, RunFinished)

    def _request(self, user: UserMessage) -> RunRequest:
        token = uuid.uuid4().hex
        return RunRequest(
            info=RunInfo(run_id=f"run_{token}", session_id=self._id, chat_id=self._id),
            route=self._route,
            start=choose_agent(self._route, user.text, last_agent=self._last_agent),
            messages=(*self._messages, user),
            message_id=f"msg_{token}",
            context={name: value.default for name, value in self._route.config.context.items()},
            memory=self._memory,
        )

    def _keep(self, user: UserMessage, transcript: Transcript, agent: str) -> None:
        """A message that got no answer at all is not kept: the next one would fail on it again."""
        said = transcript.messages
        if said:
            self._messages = (*self._messages, user, *said)
            self._last_agent = agent
