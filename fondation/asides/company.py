"""A run in company: its chat is given a title meanwhile, and its page suggestions once it has answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from fondation.asides.suggestions import read_suggestions, suggestions_question
from fondation.asides.titles import read_title, title_question
from fondation.asides.under_way import Asides
from fondation.calls import Purpose
from fondation.deadline import Deadline, DeadlineReached
from fondation.errors import ChatStoreError, ProviderError
from fondation.events import Batch, Batches, DataSent, RunAborted, RunFailed, RunFinished, RunSummary, RunWaiting
from fondation.gate import Account, CallStopped
from fondation.messages import Message
from fondation.questions import Question
from fondation.run_request import RunRequest
from fondation.stores import ChatStore, UsageStore
from fondation.stores.chats import ChatKey
from fondation.usage import record

log = logging.getLogger("fondation.asides")

T = TypeVar("T")

WAIT_SECONDS = 2.0
"""How long the end of an answer waits for suggestions."""
TITLE, SUGGESTIONS = "chat-title", "suggestions"
"""The names of the data parts."""

_OUTCOMES = frozenset((RunFinished, RunWaiting, RunFailed, RunAborted))


class Untitled(NamedTuple):
    """A chat that is to be given a title, and where it is kept."""

    chats: ChatStore
    key: ChatKey


@dataclass(frozen=True, slots=True)
class Company:
    """A run, and what is needed of the server to ask something beside it."""

    request: RunRequest
    deadline: Deadline
    """Of the run: nothing is waited for beyond it."""
    produced: Callable[[], tuple[Message, ...]]
    """What the run has added to the conversation."""
    asides: Asides
    account: Account
    """Of the run."""
    ledger: UsageStore | None
    untitled: Untitled | None = None


async def accompany(batches: Batches, company: Company) -> Batches:
    """The same batches. A title goes along once it is there, and holds nothing up; the end of a run that answered
    waits up to `WAIT_SECONDS` for suggestions.
    """
    companion = _Companion(company)
    companion.ask_for_title()
    async with contextlib.aclosing(batches):
        async for batch in batches:
            if type(batch[-1]) not in _OUTCOMES:
                title = companion.title()
                yield [*batch, *title] if title else batch
                continue
            *told, outcome = batch
            question = companion.suggestions_question(outcome.summary) if isinstance(outcome, RunFinished) else None
            if question is not None:
                if told:
                    yield told
                told = await companion.suggestions(question)
            yield [*told, *companion.title(), outcome]


class _Companion:
    """Asks beside one run. Whatever fails is logged, and nothing of it reaches the stream."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._request = company.request
        self._wanted = company.request.route.config.suggestions
        self._entitling: asyncio.Task[str | None] | None = None

    def ask_for_title(self) -> None:
        untitled, request, asides = self._company.untitled, self._request, self._company.asides
        if untitled is None or asides.is_under_way(untitled.key):
            return
        question = title_question(request.start.agent, request.route.title_model, request.messages)
        if question is not None:
            self._entitling = asides.begin(
                lambda deadline: self._guarded(question.purpose, self._entitle(untitled, question, deadline)),
                untitled.key,
            )

    def title(self) -> Batch:
        """The part that tells the title, once it is kept; empty before and after."""
        if self._entitling is None or not self._entitling.done():
            return []
        title, self._entitling = _result(self._entitling), None
        if title is None:
            return []
        return [DataSent(TITLE, {"chatId": self._request.info.chat_id, "title": title}, transient=False)]

    def suggestions_question(self, summary: RunSummary) -> Question | None:
        """What to ask of a run that has answered; None where nothing is."""
        route = self._request.route
        if self._wanted is None:
            return None
        return suggestions_question(
            route.reachable[summary.agent],
            route.suggestion_model,
            summary.handoff_chain,
            self._request.messages,
            self._company.produced(),
            self._wanted.count,
        )

    async def suggestions(self, question: Question) -> Batch:
        """The part that tells them; empty where none came in time: those that come later nobody reads."""
        company = self._company
        asking = company.asides.begin(
            lambda deadline: self._guarded(question.purpose, self._suggest(question, deadline))
        )
        try:
            await company.deadline.wait(asyncio.wait({asking}, timeout=WAIT_SECONDS))
        except DeadlineReached as reached:
            company.asides.end(asking, reached.reason)
        prompts = _result(asking) if asking.done() else None
        return [DataSent(SUGGESTIONS, {"prompts": [*prompts]})] if prompts else []

    async def _entitle(self, untitled: Untitled, question: Question, deadline: Deadline) -> str | None:
        """The chat's new title; None where the model gave none, or somebody else was faster."""
        title = read_title(await self._ask(question, deadline))
        if title is None or not await untitled.chats.entitle(untitled.key, title):
            return None
        return title

    async def _suggest(self, question: Question, deadline: Deadline) -> tuple[str, ...]:
        assert self._wanted is not None, "there is no question otherwise"
        return read_suggestions(await self._ask(question, deadline), self._wanted.count)

    async def _ask(self, question: Question, deadline: Deadline) -> str:
        """The answer, with a row for each call."""
        company, info = self._company, self._request.info
        account = company.account.beside()
        batches = account.watch(record(question.ask(info, account.gate, deadline), company.ledger, info))
        try:
            async with contextlib.aclosing(batches):
                async for _ in batches:
                    pass
        finally:
            account.close()
        return question.answer

    async def _guarded(self, purpose: Purpose, asking: Coroutine[object, object, T]) -> T | None:
        try:
            return await asking
        except (ProviderError, CallStopped, DeadlineReached, ChatStoreError) as error:
            log.warning("run %s: no %s: %s", self._request.info.run_id, purpose, error)
        except Exception:
            log.exception("run %s: no %s", self._request.info.run_id, purpose)
        return None


def _result(task: asyncio.Task[T | None]) -> T | None:
    """Of a guarded task that is done."""
    return None if task.cancelled() else task.result()
