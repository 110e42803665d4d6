"""What is saved late, because the database could not take it: it waits in memory, in its order, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from fondation.stores.chats import ChatKey, StoredChat, WaitingCall
from fondation.stores.sqlite.chats_tables import ChatTables, Saving

MOST_CHARACTERS = 64_000_000
"""Of all that waits, about; where there is more, the chat that has waited longest is given up."""


@dataclass(frozen=True, slots=True)
class Ended:
    """That a run has ended."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Save:
    """Something to be kept of a chat: messages, calls that wait for an answer, or the end of a run."""

    key: ChatKey
    what: Saving | tuple[WaitingCall, ...] | Ended

    def do(self, tables: ChatTables) -> None:
        match self.what:
            case Saving() as saving:
                tables.save(self.key, saving)
            case Ended(run_id):
                tables.end(self.key, run_id)
            case calls:
                tables.wait(self.key, calls)

    def __len__(self) -> int:
        """How many messages or calls."""
        match self.what:
            case Saving(messages=messages):
                return len(messages)
            case Ended():
                return 0
            case calls:
                return len(calls)

    def sizes(self) -> dict[str, int]:
        """About how many characters, by the ids of what they are in."""
        match self.what:
            case Saving() as saving:
                rest = len(repr(saving._replace(messages=())))
                return {"": rest, **{message.id: len(repr(message)) for message in saving.messages}}
            case what:
                return {"": len(repr(what))}


class _Waiting(NamedTuple):
    save: Save
    sizes: dict[str, int]


class LateSaves:
    """Of several versions of one message only the last is kept."""

    def __init__(self) -> None:
        self._of_chats: dict[ChatKey, list[_Waiting]] = {}
        self._size = 0

    def __len__(self) -> int:
        return sum(map(len, self))

    def __bool__(self) -> bool:
        return bool(self._of_chats)

    def __iter__(self) -> Iterator[Save]:
        """In the order in which they must be done."""
        for saves in self._of_chats.values():
            yield from (waiting.save for waiting in saves)

    def add(self, save: Save) -> int:
        """Keep it for later. Returns how many messages or calls were given up for it."""
        saves, sizes = self._of_chats.setdefault(save.key, []), save.sizes()
        merged = _merged(saves[-1].save, save) if saves else None
        if merged is None:
            saves.append(_Waiting(save, sizes))
            self._size += sum(sizes.values())
        else:
            before = saves[-1].sizes
            saves[-1] = _Waiting(merged, before | sizes)
            self._size += sum(size - before.get(id, 0) for id, size in sizes.items())
        return self._make_room()

    def remove(self, save: Save) -> None:
        saves = self._of_chats[save.key]
        waiting = next(waiting for waiting in saves if waiting.save is save)
        saves.remove(waiting)
        self._size -= sum(waiting.sizes.values())
        if not saves:
            del self._of_chats[save.key]

    def clear(self) -> None:
        self._of_chats.clear()
        self._size = 0

    def over(self, key: ChatKey, chat: StoredChat | None) -> StoredChat | None:
        """The chat as it will be, where the database has `chat`."""
        for save, _ in self._of_chats.get(key, ()):
            if isinstance(save.what, Saving):
                chat = _with(chat, key, save.what)
        return chat

    def _make_room(self) -> int:
        lost = 0
        while self._size > MOST_CHARACTERS:
            for save in [waiting.save for waiting in self._of_chats[next(iter(self._of_chats))]]:
                lost += len(save)
                self.remove(save)
        return lost


def _merged(first: Save, then: Save) -> Save | None:
    """Both as one; None where the order of what they do counts."""
    one, two = first.what, then.what
    if not isinstance(one, Saving) or not isinstance(two, Saving) or two.drop_from is not None:
        return None
    messages = {message.id: message for message in (*one.messages, *two.messages)}
    return Save(
        first.key,
        Saving(
            tuple(messages.values()),
            one.drop_from,
            one.agent if two.agent is None else two.agent,
            one.title if two.title is None else two.title,
            one.summary if two.summary is None else two.summary,
            two.now,
        ),
    )


def _with(chat: StoredChat | None, key: ChatKey, saving: Saving) -> StoredChat:
    """What the tables make of a save."""
    if chat is None:
        chat = StoredChat(key, None, None, saving.now, saving.now, ())
    messages, summary = {message.id: message for message in chat.messages}, chat.summary
    if saving.drop_from in messages:
        kept = [*messages][: [*messages].index(saving.drop_from)]
        messages = {id: messages[id] for id in kept}
        summary = summary if summary is not None and summary.through in messages else None
    messages |= {message.id: message for message in saving.messages}
    return replace(
        chat,
        title=chat.title if saving.title is None else saving.title,
        agent=chat.agent if saving.agent is None else saving.agent,
        updated_at=max(chat.updated_at, saving.now),
        messages=tuple(messages.values()),
        summary=summary if saving.summary is None else saving.summary,
    )
