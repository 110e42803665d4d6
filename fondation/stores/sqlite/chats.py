"""The chats as an event loop sees them: every method asks the store's thread and waits without blocking."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from fondation.errors import ChatStoreError
from fondation.stores.base import CannotOpen
from fondation.stores.chats import (
    Answered,
    ChatElsewhere,
    ChatKey,
    ChatPage,
    ChatRun,
    ChatSummary,
    StoredChat,
    StoredMessage,
    StoredSummary,
    WaitingCall,
)
from fondation.stores.sqlite.chats_late import Ended, Save
from fondation.stores.sqlite.chats_pages import Place, Portion, read_cursor, write_cursor
from fondation.stores.sqlite.chats_search import words_of
from fondation.stores.sqlite.chats_tables import Saving
from fondation.stores.sqlite.chats_thread import ChatDatabase, ChatThread
from fondation.stores.sqlite.trouble import advice, reason

OPEN_SECONDS = 1.0
"""How long opening waits for the file; a file that takes longer is opened meanwhile."""
CLOSE_SECONDS = 5.0

T = TypeVar("T")


class SqliteChatStore:
    """A `ChatStore` in one file, which several processes may share.

    What is in a message handed to it must not change afterwards: it is written later, in another thread. Raises
    `CannotOpen` where the file cannot be used at all.
    """

    def __init__(self, path: Path, address: str | None = None) -> None:
        self._thread = ChatThread(path.absolute(), address)
        try:
            self._thread.start(OPEN_SECONDS)
        except Exception as error:
            raise CannotOpen(reason(error), advice(error)) from error

    async def load(self, key: ChatKey) -> StoredChat | None:
        chat = await self._thread.do(lambda database: database.load(key), writes=False, key=key)
        if chat is not None and _is_abandoned(chat.run):
            with contextlib.suppress(ChatStoreError):  # it can be read, but not marked
                return await self._thread.do(_once_cut(lambda database: database.load(key)), writes=True, key=key)
        return chat

    async def save(
        self,
        key: ChatKey,
        messages: Sequence[StoredMessage] = (),
        *,
        drop_from: str | None = None,
        agent: str | None = None,
        title: str | None = None,
        summary: StoredSummary | None = None,
    ) -> None:
        await self._save(Save(key, Saving(tuple(messages), drop_from, agent, title, summary, time.time())))

    async def begin(
        self,
        key: ChatKey,
        run_id: str,
        messages: Sequence[StoredMessage] = (),
        *,
        drop_from: str | None = None,
        seen: str | None = None,
        answers: Mapping[str, Answered] | None = None,
    ) -> bool:
        save = Save(key, Saving(tuple(messages), drop_from, None, None, None, time.time()))
        answered = dict(answers or {})

        def begin(database: ChatDatabase) -> ChatRun | bool:
            tables = database.tables
            if answered and not answered.keys() <= {call.id for call in tables.waiting(key)}:
                return False
            if (other := database.runs.take_turn(key, run_id, seen)) is not None:
                return other
            for id, state in answered.items():
                tables.answer(key, id, state)
            save.do(tables)
            return True

        begun = await self._thread.do(begin, writes=True, key=key, late=None if answered else save)
        if isinstance(begun, ChatRun):
            raise ChatElsewhere(begun)
        return begun is not False  # None: it is saved later

    def announce(self, key: ChatKey, run_id: str, began_at: float) -> None:
        self._thread.tell(lambda database: database.runs.announce(key, run_id, began_at), key)

    def end(self, key: ChatKey, run_id: str) -> None:
        end = Save(key, Ended(run_id))
        self._thread.tell(lambda database: end.do(database.tables), key, late=end)

    async def run_of(self, key: ChatKey) -> ChatRun | None:
        run = await self._thread.do(lambda database: database.runs.find(key), writes=False, key=key)
        if _is_abandoned(run):
            return await self._thread.do(_once_cut(lambda database: database.runs.find(key)), writes=True, key=key)
        return run

    async def list(
        self, owner: str, *, search: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> ChatPage:
        """Raises ValueError for a cursor that this list did not give, and for a limit below 1."""
        if limit < 1:
            raise ValueError(f"a page has at least one chat, not {limit}")
        after, words, one_more = read_cursor(cursor), words_of(search or ""), limit + 1
        if words:
            chats = await self._search(owner, words, after, one_more)
        else:
            chats = await self._thread.do(lambda database: database.pages.newest(owner, after, one_more), writes=False)
        shown = chats[:limit]
        return ChatPage(shown, write_cursor(shown[-1]) if len(chats) > limit else None)

    async def rename(self, key: ChatKey, title: str) -> bool:
        return await self._thread.do(lambda database: database.tables.rename(key, title), writes=True, key=key)

    async def entitle(self, key: ChatKey, title: str) -> bool:
        return await self._thread.do(lambda database: database.tables.entitle(key, title), writes=True, key=key)

    async def delete(self, key: ChatKey) -> bool:
        def delete(database: ChatDatabase) -> bool | ChatRun:
            run = database.runs.find(key)
            if run is not None and run.is_elsewhere:
                return run
            return database.tables.delete(key)

        deleted = await self._thread.do(delete, writes=True, key=key)
        if isinstance(deleted, ChatRun):
            raise ChatElsewhere(deleted)
        return deleted

    async def wait(self, key: ChatKey, calls: Sequence[WaitingCall]) -> None:
        """Raises `ChatStoreError` also where there is no such chat: its calls could never be answered."""
        await self._save(Save(key, tuple(calls)))

    async def waiting(self, key: ChatKey) -> tuple[WaitingCall, ...]:
        # It writes nothing, but calls may be saved late, and those that were passed must not be told.
        return await self._thread.do(lambda database: database.tables.waiting(key), writes=True, key=key)

    async def memory(self, owner: str, chat: str | None) -> str | None:
        key = ChatKey(owner, chat or "")
        return await self._thread.do(lambda database: database.tables.memory(owner, chat), writes=False, key=key)

    async def remember(self, owner: str, chat: str | None, text: str) -> None:
        key = ChatKey(owner, chat or "")
        await self._thread.do(lambda database: database.tables.remember(owner, chat, text), writes=True, key=key)

    async def mark_cut(self) -> int:
        return await self._thread.do(lambda database: database.processes.cut_dead(), writes=True)

    def close(self) -> None:
        self._thread.stop(CLOSE_SECONDS)

    async def _save(self, save: Save) -> None:
        await self._thread.do(lambda database: save.do(database.tables), writes=True, key=save.key, late=save)

    async def _search(self, owner: str, words: Sequence[str], after: Place, limit: int) -> tuple[ChatSummary, ...]:
        """The next chats that have the words, at least `limit` where there are so many."""
        found: tuple[ChatSummary, ...] = ()
        place: Place | None = after
        while place is not None and len(found) < limit:
            portion = await self._thread.do(_search_from(owner, words, place), writes=False)
            found += portion.found
            place = portion.place
        return found


def _is_abandoned(run: ChatRun | None) -> bool:
    return run is not None and run.state == "abandoned"


def _once_cut(read: Callable[[ChatDatabase], T]) -> Callable[[ChatDatabase], T]:
    """Read once what dead processes left is marked."""

    def work(database: ChatDatabase) -> T:
        database.processes.cut_dead()
        return read(database)

    return work


def _search_from(owner: str, words: Sequence[str], after: Place) -> Callable[[ChatDatabase], Portion]:
    return lambda database: database.pages.search(owner, words, after)
